"""Take a person's, or a group's, permission sets away in all accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.errors import NothingToDoError, ProviderError
from actions.identity.person import Person, assignments, own
from actions.journal import Json, State
from actions.permission import Permission

_INSTANCE = "arn:{partition}:sso:::instance/*"
_SET = "arn:{partition}:sso:::permissionSet/*"
_ACCOUNT = "arn:{partition}:sso:::account/*"
_CHANGES = ("sso:CreateAccountAssignment", "sso:DeleteAccountAssignment")


@dataclass(frozen=True)
class RemoveAccountAssignments(Lens[Aws]):
    """Delete every account assignment of one Identity Center user or group, or those of `only`.

    `only` names some by <account>/<permission set ARN>.

    State: `assignment/<account>/<permission set ARN>` is True, or None. Creation and deletion
    are asynchronous (IAM Identity Center API Reference, "DeleteAccountAssignment"): they show in
    the list once they are through. What a user has through a group stays; those groups are named.
    Sessions of roles that the user has got go on until the permission set's session duration is
    over, and so does the session at the access portal, which no API of the AWS SDK ends: deny the
    first with deny_in_permission_set, end the second by hand (IAM Identity Center User Guide,
    "Delete active user sessions").
    """

    person: Person
    only: tuple[str, ...] = ()

    takes: ClassVar[Takes] = "access"
    limit: ClassVar[float] = 120.0
    permissions: ClassVar = (
        Permission("sso:ListAccountAssignmentsForPrincipal", _INSTANCE),
        Permission("sso:DescribePermissionSet", _INSTANCE),
        Permission("sso:DescribePermissionSet", _SET),
        *(Permission(what, on) for what in _CHANGES for on in (_INSTANCE, _SET, _ACCOUNT)),
    )

    @property
    def target(self) -> str:
        return self.person.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        return {
            f"assignment/{found['AccountId']}/{found['PermissionSetArn']}": True
            for found in assignments(p, self.person)
            if own(self.person, found) and self._meant(found)
        }

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before)

    def write(self, p: Aws, key: str, value: Json) -> None:
        _, account, permission_set = key.split("/", 2)
        what: Any = {
            "InstanceArn": self.person.instance_arn,
            "TargetId": account,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": permission_set,
            "PrincipalType": self.person.kind,
            "PrincipalId": self.person.principal_id,
        }
        if value:
            answer: Any = p.sso_admin.create_account_assignment(**what)
            _must_not_have_failed(
                "CreateAccountAssignment", answer["AccountAssignmentCreationStatus"]
            )
            return
        try:
            answer = p.sso_admin.delete_account_assignment(**what)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return  # It is gone already.
        _must_not_have_failed("DeleteAccountAssignment", answer["AccountAssignmentDeletionStatus"])

    def foresee(self, p: Aws, before: State) -> Foreseen:
        who = self.person
        found = list(assignments(p, who))
        through = sorted({a["PrincipalId"] for a in found if not own(who, a)})
        by_groups = tuple(
            f"group {group} still gives {who.principal_id} access: take it out of the group"
            for group in through
        )
        if not before:
            raise NothingToDoError(
                f"{who.kind.lower()} {who.principal_id} has no account assignment of its own. "
                + "; ".join(by_groups)
            )
        sets = {key.split("/", 2)[2] for key in before}
        blast = tuple(self._told(p, arn, before) for arn in sorted(sets))
        portal = f"the portal session of {who.principal_id} goes on until it is ended by hand"
        return Foreseen(blast=(*blast, *by_groups, portal))

    def _meant(self, found: Mapping[str, Any]) -> bool:
        return not self.only or f"{found['AccountId']}/{found['PermissionSetArn']}" in self.only

    def _told(self, p: Aws, arn: str, before: State) -> str:
        told: Any = p.sso_admin.describe_permission_set(
            InstanceArn=self.person.instance_arn, PermissionSetArn=arn
        )["PermissionSet"]
        accounts = sorted(key.split("/", 2)[1] for key in before if key.endswith(f"/{arn}"))
        lasts = told.get("SessionDuration", "PT1H")
        return (
            f"{self.person.principal_id} gets no more sessions of {told['Name']} in "
            f"{', '.join(accounts)}; those it has last {lasts} at most"
        )


def _must_not_have_failed(operation: str, status: Any) -> None:
    if status["Status"] == "FAILED":
        raise ProviderError(
            operation, "FAILED", status.get("FailureReason", "no reason given"), passing=False
        )
