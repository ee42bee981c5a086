"""Deny all sessions of a role that were issued before a time, whoever has them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.deny_instance_sessions import must_fit
from actions.aws.iam_target import (
    absent,
    find,
    gone_already,
    must_be,
    must_be_a,
    must_take_changes,
    still,
)
from actions.aws.narrow_instance_sessions import MARGIN
from actions.aws.principal import Principal
from actions.aws.provider_time import answered_at
from actions.aws.role_sessions import COUNTING, others_hit
from actions.errors import UnfitError
from actions.journal import Json, State
from actions.permission import Permission

_ROLE = "arn:{partition}:iam::{account}:role/*"
# What the IAM console's "Revoke active sessions" writes, over what any earlier use has left.
CONSOLES = "AWSRevokeOlderSTSSessions"
# How far a cut-off may lie ahead of AWS's clock: its margin, and the time that planning takes.
AHEAD = MARGIN + timedelta(minutes=4)


@dataclass(frozen=True)
class DenyRoleSessions(Lens[Aws]):
    """Put an inline policy on the role that denies sessions issued before `issued_before`.

    State: `policy/<role's unique id>` is the policy document (a dict), or None. `issued_before`
    is an RFC 3339 time in UTC, such as "2026-03-01T10:20:30Z" (`cut_off` of
    narrow_instance_sessions makes one of AWS's own time), for aws:TokenIssueTime (IAM User
    Guide, "Revoke IAM role temporary security credentials"). Whoever can still assume the role
    gets a new session that works: deny or rotate that too. Take the time after a deny was seen to
    work, and once more later, for a session may have been issued meanwhile. `name` names another
    policy than the default.
    """

    principal: Principal
    issued_before: str
    name: str = ""

    takes: ClassVar[Takes] = "service"
    permissions: ClassVar = (
        Permission("iam:GetRole", _ROLE),
        Permission("iam:ListRolePolicies", _ROLE),
        Permission("iam:GetRolePolicy", _ROLE),
        Permission("iam:PutRolePolicy", _ROLE),
        Permission("iam:DeleteRolePolicy", _ROLE),
        *COUNTING,
    )

    def __post_init__(self) -> None:
        must_be_a("role", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    @property
    def policy_name(self) -> str:
        """Return the inline policy's name."""
        return self.name or "stanch-deny-earlier-sessions"

    @property
    def document(self) -> dict[str, Json]:
        """Return the policy document."""
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "StanchDenyEarlierSessions",
                    "Effect": "Deny",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {"DateLessThan": {"aws:TokenIssueTime": self.issued_before}},
                }
            ],
        }

    def cell(self, key: str) -> str:
        return f"{key}/{self.policy_name}"

    def read(self, p: Aws) -> Mapping[str, Json]:
        role = self.principal.name
        key = f"policy/{find(p, self.principal).unique_id}"
        try:
            answer = p.iam.get_role_policy(RoleName=role, PolicyName=self.policy_name)
        except ClientError as error:
            if not absent(error):
                raise
            return {key: None}
        return {key: answer["PolicyDocument"]}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, self.document)

    def write(self, p: Aws, key: str, value: Json) -> None:
        named = {"RoleName": self.principal.name, "PolicyName": self.policy_name}
        unique_id = key.removeprefix("policy/")
        if value is not None:
            must_be(p, self.principal, unique_id)
            p.iam.put_role_policy(**named, PolicyDocument=json.dumps(value))
        elif still(p, self.principal, unique_id):
            with gone_already():
                p.iam.delete_role_policy(**named)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        who, found = self.principal, find(p, self.principal)
        must_take_changes(who, found)
        if self.policy_name == CONSOLES:
            raise UnfitError(
                f"{CONSOLES} belongs to the IAM console, which overwrites it. Name another policy."
            )
        now = answered_at("GetRole", found.answer)
        if utc(self.issued_before) > now + AHEAD:
            raise UnfitError(
                f"the cut-off {self.issued_before} lies ahead of AWS's own time, "
                f"{now:%Y-%m-%dT%H:%M:%SZ}: sessions issued until then would be denied as well. "
                "Take the cut-off from an answer's Date header."
            )
        instead = "use deny_principal, which needs no room for inline policies"
        must_fit(p, who.name, self.policy_name, self.document, instead)
        blast = f"every session of role {who.name} issued before {self.issued_before} is denied"
        return Foreseen(blast=(blast, *others_hit(p, who, found)))


def utc(text: str) -> datetime:
    """Return an RFC 3339 time that says it is in UTC; raise UnfitError for any other text."""
    try:
        if text.endswith("Z"):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # Said below, as for a time that names no zone.
    raise UnfitError(
        f"the cut-off {text!r} is no RFC 3339 time in UTC, such as 2026-03-01T10:20:30Z. A local "
        "time would spare sessions or hit new ones."
    )
