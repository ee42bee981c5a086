"""Let nobody, or nobody but a few, assume a role."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import find, must_be, must_be_a, must_take_changes
from actions.aws.principal import Principal
from actions.aws.role_sessions import COUNTING, others_hit
from actions.journal import Json, State
from actions.permission import Permission

_ROLE = "arn:{partition}:iam::{account}:role/*"
# All ways to assume a role (AWS STS API Reference).
WAYS = (
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
)
# A principal that was deleted stands in a trust policy as its unique id (IAM User Guide, "AWS JSON
# policy elements: Principal"), and cannot be written so.
GONE = re.compile(r"^(AIDA|AROA)[A-Z0-9]{8,}$")


@dataclass(frozen=True)
class CloseTrustPolicy(Lens[Aws]):
    """Replace the role's trust policy by one that denies everybody, or allows only `allowed`.

    State: `trust/<unique id>` is the trust policy (a dict). `allowed` are ARNs of principals, or
    services such as "ec2.amazonaws.com". Sessions that were issued go on (deny_role_sessions).
    """

    principal: Principal
    allowed: tuple[str, ...] = ()

    takes: ClassVar[Takes] = "service"
    permissions: ClassVar = (
        Permission("iam:GetRole", _ROLE),
        Permission("iam:UpdateAssumeRolePolicy", _ROLE),
        *COUNTING,
    )

    def __post_init__(self) -> None:
        must_be_a("role", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    @property
    def document(self) -> dict[str, Json]:
        """Return the trust policy that is wanted."""
        statement: dict[str, Json]
        if not self.allowed:
            statement = {
                "Sid": "StanchDenyEveryone",
                "Effect": "Deny",
                "Principal": "*",
                "Action": list(WAYS),
            }
            return {"Version": "2012-10-17", "Statement": [statement]}
        services = [who for who in self.allowed if who.endswith((".amazonaws.com", ".com.cn"))]
        people = [who for who in self.allowed if who not in services]
        named = {kind: who for kind, who in (("AWS", people), ("Service", services)) if who}
        statement = {
            "Sid": "StanchAllowOnlyThese",
            "Effect": "Allow",
            "Principal": named,
            "Action": "sts:AssumeRole",
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def read(self, p: Aws) -> Mapping[str, Json]:
        found = find(p, self.principal)
        return {f"trust/{found.unique_id}": found.answer["Role"]["AssumeRolePolicyDocument"]}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, self.document)

    def write(self, p: Aws, key: str, value: Json) -> None:
        must_be(p, self.principal, key.removeprefix("trust/"))
        p.iam.update_assume_role_policy(
            RoleName=self.principal.name, PolicyDocument=json.dumps(value)
        )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        who, found = self.principal, find(p, self.principal)
        must_take_changes(who, found)
        left = f"only {', '.join(self.allowed)}" if self.allowed else "nobody"
        lost = tuple(
            f"{name} was deleted: IAM does not take it back into the trust policy of {who.name}"
            for trust in before.values()
            for name in _gone(trust)
        )
        blast = f"{left} can assume role {who.name}; sessions that were issued go on"
        return Foreseen((blast, *others_hit(p, who, found)), lost)


def _gone(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [name for inner in value.values() for name in _gone(inner)]
    if isinstance(value, list):
        return [name for inner in value for name in _gone(inner)]
    return [value] if isinstance(value, str) and GONE.match(value) else []
