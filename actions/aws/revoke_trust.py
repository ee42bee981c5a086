"""Take some principals out of a role's trust policy, and leave all others in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import find, must_be, must_take_changes
from actions.aws.policy_holder import packed
from actions.aws.principal import Principal
from actions.errors import NothingToDoError, UnfitError
from actions.journal import Json, State
from actions.permission import Permission

_ROLE = "arn:{partition}:iam::{account}:role/*"


@dataclass(frozen=True)
class RevokeTrust(Lens[Aws]):
    """Remove `names` from the principals that a role's trust policy lets in, conditions and all.

    State: `trust/<unique id>` is the trust policy (a dict). `names` are principals as the policy
    writes them: ARNs, account ids, `*`. Statements that deny are left alone; one that is left with
    nobody goes, and where none is left one that denies everybody stands in its place, for a role
    always has a trust policy. Sessions that were issued go on until they run out (IAM User Guide,
    "Revoking IAM role temporary security credentials").
    """

    principal: Principal
    names: tuple[str, ...]

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:GetRole", _ROLE),
        Permission("iam:UpdateAssumeRolePolicy", _ROLE),
    )

    @property
    def target(self) -> str:
        return self.principal.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        found = find(p, self.principal)
        return {f"trust/{found.unique_id}": found.answer["Role"]["AssumeRolePolicyDocument"]}

    def wanted(self, before: State) -> State:
        return {key: self._without(document) for key, document in before.items()}

    def write(self, p: Aws, key: str, value: Json) -> None:
        must_be(p, self.principal, key.removeprefix("trust/"))
        p.iam.update_assume_role_policy(RoleName=self.principal.name, PolicyDocument=packed(value))

    def foresee(self, p: Aws, before: State) -> Foreseen:
        found = find(p, self.principal)
        if self.principal.kind != "role":
            raise UnfitError(f"{self.principal.name} is a user, and only a role trusts anybody.")
        must_take_changes(self.principal, found)
        if self.wanted(before) == before:
            raise NothingToDoError(f"role {self.principal.name} trusts none of these (any more).")
        return Foreseen(
            blast=(f"{', '.join(self.names)} can no longer assume role {self.principal.name}",)
        )

    def _without(self, document: Any) -> dict[str, Json]:
        listed = document.get("Statement", [])
        statements = listed if isinstance(listed, list) else [listed]
        kept = [s for one in statements if (s := self._narrowed(one)) is not None]
        return {**document, "Statement": kept or [_NOBODY]}

    def _narrowed(self, statement: dict[str, Any]) -> dict[str, Any] | None:
        principal = statement.get("Principal")
        if statement.get("Effect") != "Allow" or principal is None:
            return statement
        named = {"AWS": "*"} if principal == "*" else dict(principal)
        there = named.get("AWS", [])
        before = there if isinstance(there, list) else [there]
        after = [name for name in before if name not in self.names]
        if after == before:
            return statement
        rest = {k: v for k, v in named.items() if k != "AWS"} | ({"AWS": after} if after else {})
        return {**statement, "Principal": rest} if rest else None


_NOBODY: dict[str, Json] = {
    "Sid": "StanchNobodyIsLeft",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sts:AssumeRole",
}
