"""Deny everything to one person in one permission set, wherever it is provisioned."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.deny_role_sessions import utc
from actions.errors import ProviderError, TargetGoneError, UnfitError
from actions.identity.person import Person
from actions.journal import Json, State
from actions.permission import Permission

_ON = ("arn:{partition}:sso:::instance/*", "arn:{partition}:sso:::permissionSet/*")
_READS = (
    "sso:GetInlinePolicyForPermissionSet",
    "sso:ListAccountsForProvisionedPermissionSet",
)
_CHANGES = (
    "sso:PutInlinePolicyToPermissionSet",
    "sso:DeleteInlinePolicyFromPermissionSet",
    "sso:ProvisionPermissionSet",
)
# IAM Identity Center API Reference, "PutInlinePolicyToPermissionSet", InlinePolicy.
ROOM = 32_768


@dataclass(frozen=True)
class DenyInPermissionSet(Lens[Aws]):
    """Add a statement to the permission set's inline policy that denies one user's sessions.

    State: `denial/<Sid>` is the statement, once every account that has the permission set has this
    version of it, else None. The rest of the policy stays as it is, also what others change
    meanwhile; but they and this write the policy as a whole, so of two writes in the same second
    one may be lost: of this one it is seen, and it is written again.
    The statement is conditioned on identitystore:userId, and on aws:TokenIssueTime where
    `issued_before` (RFC 3339, UTC) is given (IAM Identity Center User Guide, "Revoke active IAM
    role sessions created by permission sets"). It takes sessions that were issued, which removing
    an assignment does not. Only a user has a userId, not a group. `permission_set` is its ARN.
    """

    person: Person
    permission_set: str
    issued_before: str = ""

    takes: ClassVar[Takes] = "access"
    limit: ClassVar[float] = 120.0
    permissions: ClassVar = (
        *(Permission(what, on) for what in _READS for on in _ON),
        *(Permission(what, on) for what in _CHANGES for on in _ON),
        Permission("sso:ProvisionPermissionSet", "arn:{partition}:sso:::account/*"),
    )

    @property
    def target(self) -> str:
        return f"{self.person.key}/{self.permission_set.rpartition('/')[2]}"

    @property
    def sid(self) -> str:
        """Return the statement's id, one a person: letters and digits alone are allowed."""
        return "StanchDeny" + re.sub("[^A-Za-z0-9]", "", self.person.principal_id)

    @property
    def statement(self) -> dict[str, Json]:
        """Return the statement that denies."""
        condition: dict[str, Json] = {
            "StringEquals": {"identitystore:userId": self.person.principal_id}
        }
        if self.issued_before:
            condition["DateLessThan"] = {"aws:TokenIssueTime": self.issued_before}
        return {
            "Sid": self.sid,
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": condition,
        }

    def cell(self, key: str) -> str:
        return f"{self.permission_set}/{key}"

    def read(self, p: Aws) -> Mapping[str, Json]:
        mine = [s for s in _statements(self._policy(p)) if s.get("Sid") == self.sid]
        # What is written but not provisioned denies nobody anything yet.
        return {f"denial/{self.sid}": mine[0] if mine and not self._behind(p) else None}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, self.statement)

    def write(self, p: Aws, key: str, value: Json) -> None:
        policy = self._policy(p)
        whole = self._with(policy, value)
        named: Any = self._named
        if whole["Statement"]:
            p.sso_admin.put_inline_policy_to_permission_set(**named, InlinePolicy=_packed(whole))
        elif policy:
            p.sso_admin.delete_inline_policy_from_permission_set(**named)
        status: Any = p.sso_admin.provision_permission_set(
            **named, TargetType="ALL_PROVISIONED_ACCOUNTS"
        )["PermissionSetProvisioningStatus"]
        if status["Status"] == "FAILED":
            why = status.get("FailureReason", "no reason given")
            raise ProviderError("ProvisionPermissionSet", "FAILED", why, passing=False)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        who = self.person
        if who.kind != "USER":
            raise UnfitError(
                f"{who.principal_id} is a group, and no session says of which group it is. Use "
                "remove_account_assignments, and deny each of its users."
            )
        if self.issued_before:
            utc(self.issued_before)
        need = len(_packed(self._with(self._policy(p), self.statement)))
        if need > ROOM:
            raise UnfitError(
                f"the inline policy of {self.permission_set} would have {need} characters of "
                f"{ROOM}. Shorten it, or remove the user's assignments "
                "(remove_account_assignments) and let the sessions run out."
            )
        sessions = f"of before {self.issued_before} " if self.issued_before else ""
        blast = f"sessions {sessions}of user {who.principal_id} are denied; nobody else's are"
        if behind := self._behind(p):
            pending = (
                f"changes by others that wait to be provisioned in {', '.join(behind)} "
                "are provisioned with it, which is not undone"
            )
            return Foreseen((blast,), (pending,))
        return Foreseen((blast,))

    def _with(self, policy: Mapping[str, Json], mine: Json) -> dict[str, Json]:
        """Return the policy with this statement, or none, in place of what bears its Sid."""
        others = [s for s in _statements(policy) if s.get("Sid") != self.sid]
        start = policy or {"Version": "2012-10-17"}
        return {**start, "Statement": [*others, *([mine] if mine else [])]}

    @property
    def _named(self) -> dict[str, str]:
        return {
            "InstanceArn": self.person.instance_arn,
            "PermissionSetArn": self.permission_set,
        }

    def _policy(self, p: Aws) -> dict[str, Json]:
        try:
            text = p.sso_admin.get_inline_policy_for_permission_set(**self._named)["InlinePolicy"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise TargetGoneError(
                f"permission set {self.permission_set} does not exist (any more). Look at who "
                "deleted it (CloudTrail)."
            ) from error
        found: dict[str, Json] = json.loads(text) if text else {}
        return found

    def _behind(self, p: Aws) -> list[str]:
        named: Any = self._named
        pages = p.sso_admin.get_paginator("list_accounts_for_provisioned_permission_set").paginate(
            **named, ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED"
        )
        return sorted(account for page in pages for account in page["AccountIds"])


def _statements(policy: Mapping[str, Json]) -> list[Any]:
    found = policy.get("Statement", [])
    return list(found) if isinstance(found, list) else [found]


def _packed(document: Json) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
