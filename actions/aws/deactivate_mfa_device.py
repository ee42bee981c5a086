"""Take away an MFA device that was added to a user after the attack began."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from actions.action import Foreseen, Takes
from actions.aws.clients import Aws
from actions.aws.deny_role_sessions import utc
from actions.aws.iam_target import gone_already, must_be_a, present
from actions.aws.principal import Principal
from actions.errors import NothingToDoError, UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"


@dataclass(frozen=True)
class DeactivateMfaDevice(OneWay[Aws]):
    """Deactivate the MFA device `serial` of the user, if it was enabled at `since` or later.

    `since` is the attack's first sign, RFC 3339 in UTC: devices of before are the user's own, and
    stay. The result is {"deactivated": serial}. It can be enabled again only by whoever holds it
    (IAM API Reference, "EnableMFADevice").
    """

    principal: Principal
    serial: str
    since: str

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:ListMFADevices", _USER),
        Permission("iam:DeactivateMFADevice", _USER),
    )

    def __post_init__(self) -> None:
        must_be_a("user", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    def facts(self, p: Aws) -> Result:
        enabled = self._enabled(p)
        return {"enabled": enabled and enabled.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        name, enabled = self.principal.name, before["enabled"]
        if enabled is None:
            raise NothingToDoError(f"user {name} has no MFA device {self.serial} (any more).")
        if utc(enabled) < utc(self.since):
            raise UnfitError(
                f"MFA device {self.serial} of {name} was enabled {enabled}, before the first sign "
                f"at {self.since}: it is the user's own and stays. Without it nobody is safer."
            )
        return Foreseen(lost=(f"MFA device {self.serial} of {name}, enabled {enabled}",))

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        with gone_already():
            p.iam.deactivate_mfa_device(UserName=self.principal.name, SerialNumber=self.serial)

    def find(self, p: Aws, mark: str) -> Result | None:
        return None if self._enabled(p) else {"deactivated": self.serial}

    def _enabled(self, p: Aws) -> datetime | None:
        with present(self.principal):
            pages = p.iam.get_paginator("list_mfa_devices").paginate(UserName=self.principal.name)
            devices: list[Any] = [device for page in pages for device in page["MFADevices"]]
        found = [d["EnableDate"] for d in devices if d["SerialNumber"] == self.serial]
        return found[0].astimezone(UTC) if found else None
