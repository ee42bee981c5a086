"""The shield: a service control policy that keeps what is Stanch's from everybody else. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from actions.aws.latch import KEY, Document
from playbooks.wiring.latch_part import Latch
from playbooks.wiring.settings import Account

# Whatever Stanch makes in IAM begins so; nobody else may make such a name either, or it would be
# taken already when it is needed, or be let through.
OURS = "stanch-*"
CHANGES = ("Attach", "Create", "Delete", "Detach", "Put", "Set", "Tag", "Untag", "Update")
BOUNDARIES = ("DeleteRole", "DeleteUser", "PutRole", "PutUser")


def shield(responders: Iterable[str], partition: str, *, no_federation: bool = False) -> Document:
    """Return the policy: only these roles (ARNs, `*` for any account) change what is Stanch's.

    `no_federation` lets nobody call GetFederationToken either: the latch cannot bind such a
    session, which carries another aws:PrincipalArn than the user that got it.

    Sources: Service Authorization Reference, "Actions, resources, and condition keys for AWS
    Identity and Access Management": attaching and detaching is authorized on the user, group or
    role, and names the policy in `iam:PolicyARN` alone. An account that leaves the organisation
    leaves its policies behind, so nobody may let it leave.
    """
    here = f"arn:{partition}:iam::*"
    others = {"ArnNotLike": {KEY: sorted(responders)}}
    policies = f"{here}:policy/{OURS}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            _denied(
                "Attachments",
                ["iam:Attach*", "iam:Detach*"],
                "*",
                others | {"ArnLike": {"iam:PolicyARN": policies}},
            ),
            _denied(
                "Things",
                [f"iam:{verb}*" for verb in CHANGES],
                [policies, f"{here}:role/{OURS}", f"{here}:user/{OURS}"],
                others,
            ),
            _denied(
                "Boundaries",
                [f"iam:{what}PermissionsBoundary" for what in BOUNDARIES],
                "*",
                others | {"ArnLike": {"iam:PermissionsBoundary": policies}},
            ),
            _denied("Membership", "organizations:LeaveOrganization", "*", {}),
            *([_denied("Federation", "sts:GetFederationToken", "*", {})] if no_federation else []),
        ],
    }


def _denied(what: str, action: Any, resource: Any, condition: Mapping[str, Any]) -> Document:
    base = {"Sid": f"Stanch{what}", "Effect": "Deny", "Action": action, "Resource": resource}
    return base | ({"Condition": dict(condition)} if condition else {})


def responders(part: Latch, accounts: Mapping[str, Account], partition: str) -> tuple[str, ...]:
    """Return the ARNs that the shield lets through: those named, else the accounts' own roles.

    A bare name stands for every account; it begins with `stanch-`, so under the shield nobody but
    a responder can make a role of that name.
    """
    named = part.responders or tuple(one.role for one in accounts.values() if one.role)
    return tuple(
        sorted({r if r.startswith("arn:") else f"arn:{partition}:iam::*:role/{r}" for r in named})
    )
