"""Deny the credentials that a host was given before a time, and leave it those that come after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.deny_instance_sessions import DenyInstanceSessions, must_fit
from actions.aws.instance import Instance
from actions.aws.provider_time import answered_at
from actions.errors import TargetGoneError
from actions.journal import Json, State
from actions.permission import Permission

# The metadata service hands out credentials that last six hours (Amazon EC2 User Guide, "Retrieve
# security credentials from instance metadata", its example), whatever the role's own maximum is:
# that does not bind them (IAM API Reference, "Role", MaxSessionDuration).
INSTANCE_LIFE = timedelta(hours=6)
# Between the clock that stamps a session and the one that answers us; a session issued in it is
# denied as well.
MARGIN = timedelta(minutes=1)


@dataclass(frozen=True)
class NarrowInstanceSessions(Lens[Aws]):
    """Let the inline policy that denies a host's sessions hold for those issued before a time.

    State: `policy/<role>` is the policy document (a dict), or None; it is the same policy as that
    of `deny_instance_sessions` with the same `host`, `name` and `keep_ssm`, and one condition more:
    aws:TokenIssueTime earlier than `issued_before`, an RFC 3339 time in UTC (IAM User Guide, "AWS
    global condition context keys", "Revoking IAM role temporary security credentials"). Stolen
    credentials stay dead until they run out; the host's next ones work. `roles` are the roles that
    the host had; neither the host nor its profile need exist any more.
    """

    host: Instance
    issued_before: str
    roles: tuple[str, ...]
    name: str = ""
    keep_ssm: bool = False

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:GetRole", "arn:{partition}:iam::{account}:role/*"),
        Permission("iam:ListRolePolicies", "arn:{partition}:iam::{account}:role/*"),
        Permission("iam:GetRolePolicy", "arn:{partition}:iam::{account}:role/*"),
        Permission("iam:PutRolePolicy", "arn:{partition}:iam::{account}:role/*"),
        Permission("iam:DeleteRolePolicy", "arn:{partition}:iam::{account}:role/*"),
    )

    @property
    def target(self) -> str:
        return self.host.key

    @property
    def document(self) -> dict[str, Json]:
        """Return the policy document."""
        whole = self._whole("").document
        [denial] = whole["Statement"]
        older = {"DateLessThan": {"aws:TokenIssueTime": self.issued_before}}
        narrow = {**denial, "Sid": "StanchDenyEarlierSessionsOfOneInstance"}
        narrow["Condition"] = denial["Condition"] | older
        return whole | {"Statement": [narrow]}

    def cell(self, key: str) -> str:
        return self._whole("").cell(key)

    def read(self, p: Aws) -> Mapping[str, Json]:
        state: dict[str, Json] = {}
        for role in self.roles:
            state |= self._whole(role).read(p)
        return state

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, self.document)

    def write(self, p: Aws, key: str, value: Json) -> None:
        self._whole("").write(p, key, value)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        blast = []
        for role in self.roles:
            must_fit(p, role, self._whole("").policy_name, self.document)
            hours = sessions(p, role).longest.total_seconds() / 3600
            blast.append(
                f"sessions of {self.host.instance_id} with {role} that were issued before "
                f"{self.issued_before} stay denied; they last {hours:g} h at most"
            )
        return Foreseen(blast=tuple(blast))

    def _whole(self, role: str) -> DenyInstanceSessions:
        return DenyInstanceSessions(self.host, self.name, self.keep_ssm, role)


@dataclass(frozen=True, slots=True)
class Sessions:
    """What bounds a role's sessions: AWS's own time now, and how long one lasts at most."""

    now: datetime
    longest: timedelta


def sessions(p: Aws, role: str) -> Sessions:
    """Return what bounds the sessions that a host gets of the role.

    Raises TargetGoneError when there is no such role.
    """
    try:
        answer = p.iam.get_role(RoleName=role)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        raise TargetGoneError(f"role {role} does not exist (any more).") from error
    allowed = timedelta(seconds=answer["Role"].get("MaxSessionDuration", 3600))
    return Sessions(answered_at("GetRole", answer), max(INSTANCE_LIFE, allowed))


def cut_off(now: datetime) -> str:
    """Return the time before which every session has been issued by `now`, as `issued_before`."""
    return (now + MARGIN).strftime("%Y-%m-%dT%H:%M:%SZ")
