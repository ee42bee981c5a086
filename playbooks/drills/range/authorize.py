"""From a request to IAM's question: which action, on which resources, in which context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.identity import policies_of, tags_of
from playbooks.drills.range.policy import Request, Verdict
from playbooks.drills.range.resource_policies import allowed
from playbooks.drills.range.targets import needed

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.keys import Principal
    from playbooks.drills.range.patterns import Values
    from playbooks.drills.range.wire import Asked

# STS: GetCallerIdentity and GetSessionToken need no permission, even under an explicit deny.
# AssumeRole is decided with the role's trust policy (corrections/sessions.py).
FREE = {"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRole"}
PRINCIPAL_TYPES = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "federated": "FederatedUser",
}
JSON_SERVICES = {"cloudtrail", "kms", "ssm", "dynamodb", "logs", "organizations", "events", "sqs"}
JSON_SERVICES |= {"secretsmanager", "sso", "identitystore", "rolesanywhere", "lambda"}


def authorize(ground: Ground, asked: Asked, principal: Principal) -> None:
    """Return if every action that the request needs is allowed on every resource it names.

    Raises AwsError UnauthorizedOperation (EC2) or AccessDenied, worded as AWS words it.
    """
    policies = policies_of(ground, principal)
    context = context_of(ground, asked, principal)
    names = {principal.arn, principal_arn(ground, principal)}
    for need in needed(ground, asked, principal.account):
        if need.action in FREE:
            continue
        request = Request(need.action, need.resource, {**context, **need.context})
        verdict = allowed(ground, request, policies, principal, names)
        if verdict is not Verdict.ALLOW:
            raise _denied(asked, principal, request, verdict)


def context_of(ground: Ground, asked: Asked, principal: Principal) -> dict[str, Values]:
    """The condition keys of a request, lower case (IAM: AWS global condition context keys)."""
    now = ground.now()
    context: dict[str, Values] = {
        "aws:principalarn": (principal_arn(ground, principal),),
        "aws:principalaccount": (principal.account,),
        "aws:principaltype": (PRINCIPAL_TYPES.get(principal.kind, "Service"),),
        "aws:userid": (principal.user_id,),
        "aws:sourceip": (asked.source_ip,),
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
        # The loopback stands for AWS's TLS endpoints.
        "aws:securetransport": ("true",),
        "aws:requestedregion": (asked.region,),
        "aws:useragent": (asked.user_agent,),
    }
    if principal.kind == "user":
        context["aws:username"] = (principal.name,)
    if principal.issued_at is not None:
        # Absent for long-term keys, so a bare Date condition on it never holds for AKIA keys.
        context["aws:tokenissuetime"] = (principal.issued_at.isoformat(),)
        context["aws:multifactorauthpresent"] = (str(principal.mfa).lower(),)
    if principal.identity_user:
        context["identitystore:userid"] = (principal.identity_user,)
    if principal.instance_arn:
        context["ec2:sourceinstancearn"] = (principal.instance_arn,)
    if principal.source_identity:
        context["aws:sourceidentity"] = (principal.source_identity,)
    for key, value in tags_of(ground, principal).items():
        context[f"aws:principaltag/{key}".lower()] = (value,)
    return context


def principal_arn(ground: Ground, principal: Principal) -> str:
    """aws:PrincipalArn: for a session it is the role's ARN, not the session's."""
    if principal.kind != "role":
        return principal.arn
    roles: Any = ground.iam(principal.account).roles.values()
    return next((str(role.arn) for role in roles if role.name == principal.name), principal.arn)


def _denied(asked: Asked, principal: Principal, request: Request, verdict: Verdict) -> AwsError:
    because = (
        "with an explicit deny in a policy"
        if verdict is Verdict.EXPLICIT_DENY
        else f"because no policy allows the {request.action} action"
    )
    text = f"User: {principal.arn} is not authorized to perform: {request.action} on resource: "
    text += f"{request.resource} {because}"
    if asked.service == "ec2":
        return AwsError(
            "UnauthorizedOperation",
            f"You are not authorized to perform this operation. {text}",
            403,
        )
    if asked.service in JSON_SERVICES:
        return AwsError("AccessDeniedException", text, 400)
    return AwsError("AccessDenied", text, 403)
