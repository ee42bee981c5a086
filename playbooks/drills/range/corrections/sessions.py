"""Sessions are made only for those who may have them, and stand for whom they come from.

AWS STS: AssumeRole; IAM: Policy evaluation logic, "How IAM roles work": a trust policy that names
an account delegates to that account's own policies, one that names a principal of the same
account suffices; across accounts both sides must allow. ExternalId is a condition key
(sts:ExternalId). IAM: "Role chaining" limits a chained session to one hour; a source identity once
set stays through a chain. moto lets anyone assume anything, and its other tokens are fixed texts
(session_tokens.py).
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from playbooks.drills.range import keys
from playbooks.drills.range.authorize import context_of, principal_arn
from playbooks.drills.range.conditions import listed
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.facts import Thing, facts_of, parsed
from playbooks.drills.range.identity import policies_of, signer
from playbooks.drills.range.keys import Issued, Principal
from playbooks.drills.range.policy import Request, Verdict, applies, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

CHAINED_SECONDS = 3600


def assume(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """AssumeRole: temporary keys for a session of the role."""
    caller = signer(ground, asked)
    arn, session_name = asked.params["RoleArn"], asked.params["RoleSessionName"]
    account = arn.split(":")[4]
    role = next((r for r in ground.iam(account).roles.values() if r.arn == arn), None)
    if role is None or not _allowed(ground, asked, caller, role):
        raise AwsError(
            "AccessDenied",
            f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            403,
        )
    made = keys.make(
        ground.rng, temporary=True, expires_at=ground.now() + _life(asked, caller, role)
    )
    principal = Principal(
        kind="role",
        account=account,
        arn=f"arn:aws:sts::{account}:assumed-role/{role.name}/{session_name}",
        user_id=f"{role.id}:{session_name}",
        name=role.name,
        session_name=session_name,
        issued_at=ground.now(),
        session_policy=session_policy(ground, asked, account),
        source_identity=asked.params.get("SourceIdentity") or caller.source_identity,
    )
    ground.issued[made.access_key] = Issued(made, principal)
    return {
        "Credentials": told(made),
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
    }


def told(made: keys.Credentials) -> dict[str, Any]:
    """Temporary credentials as STS tells them."""
    return {
        "AccessKeyId": made.access_key,
        "SecretAccessKey": made.secret_key,
        "SessionToken": made.token,
        "Expiration": made.expires_at,
    }


def session_policy(ground: Ground, asked: Asked, account: str) -> Mapping[str, Any] | None:
    """The request's session policies as one document, None when it has none.

    IAM: Session policies: the inline one and the managed ones bind together.
    """
    texts = [asked.params["Policy"]] if asked.params.get("Policy") else []
    known = ground.iam(account).managed_policies
    for named in asked.params.get("PolicyArns", []):
        policy = known.get(named["arn"])
        if policy is None:
            raise AwsError("InvalidParameterValue", f"There is no policy {named['arn']}.")
        default = policy.default_version_id
        texts.append(next(v.document for v in policy.versions if v.version_id == default))
    if not texts:
        return None
    statements = [s for text in texts for s in listed(parsed(text).get("Statement", []))]
    return {"Version": "2012-10-17", "Statement": statements}


def who(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetCallerIdentity."""
    caller = signer(ground, asked)
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def _life(asked: Asked, caller: Principal, role: Any) -> timedelta:
    seconds = int(asked.params.get("DurationSeconds", CHAINED_SECONDS))
    longest = int(role.max_session_duration or CHAINED_SECONDS)
    if caller.kind == "role" and seconds > CHAINED_SECONDS:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining",
        )
    if seconds > longest:
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    return timedelta(seconds=seconds)


def _allowed(ground: Ground, asked: Asked, caller: Principal, role: Any) -> bool:
    context = context_of(ground, asked, caller)
    for parameter, key in (
        ("ExternalId", "sts:externalid"),
        ("RoleSessionName", "sts:rolesessionname"),
        ("SourceIdentity", "sts:sourceidentity"),
    ):
        if asked.params.get(parameter):
            context[key] = (asked.params[parameter],)
    request = Request("sts:AssumeRole", role.arn, context)
    own = decide(request, policies_of(ground, caller))
    named = {principal_arn(ground, caller), caller.arn}
    account = {caller.account, f"arn:aws:iam::{caller.account}:root"}
    effects: set[tuple[str, bool]] = set()
    trust = facts_of(ground, Thing(role.account_id, "role", role.id)).get(("trust", ""))
    for statement in listed(json.loads(trust or "{}").get("Statement", [])):
        who = statement.get("Principal", {})
        trusted = {"*"} if who == "*" else set(map(str, listed(who.get("AWS", []))))
        direct = bool(trusted & (named | {"*"}))
        if (direct or trusted & account) and applies(statement, request):
            effects.add((statement["Effect"], direct))
    if any(effect == "Deny" for effect, _ in effects) or own is Verdict.EXPLICIT_DENY:
        return False
    same_account = role.account_id == caller.account
    if ("Allow", True) in effects and same_account:
        return True
    return any(effect == "Allow" for effect, _ in effects) and own is Verdict.ALLOW


CORRECTIONS: Corrections = {("sts", "AssumeRole"): assume, ("sts", "GetCallerIdentity"): who}
