"""Let no certificate of a certification authority become a role any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.errors import TargetGoneError
from actions.journal import Json, State
from actions.permission import Permission

_ANCHOR = "arn:{partition}:rolesanywhere:{region}:{account}:trust-anchor/*"


@dataclass(frozen=True)
class DisableTrustAnchor(Lens[Aws]):
    """Disable the trust anchor of IAM Roles Anywhere with the id `anchor` (a UUID).

    State: `enabled` is a boolean. Sessions that were vended go on until they run out (IAM Roles
    Anywhere User Guide, "Trust model"): deny them at their roles.
    """

    account: str
    region: str
    anchor: str

    takes: ClassVar[Takes] = "service"
    permissions: ClassVar = (
        Permission("rolesanywhere:GetTrustAnchor", _ANCHOR),
        Permission("rolesanywhere:DisableTrustAnchor", _ANCHOR),
        Permission("rolesanywhere:EnableTrustAnchor", _ANCHOR),
    )

    @property
    def target(self) -> str:
        return f"{self.account}/{self.region}/trust-anchor/{self.anchor}"

    def read(self, p: Aws) -> Mapping[str, Json]:
        try:
            found = p.rolesanywhere.get_trust_anchor(trustAnchorId=self.anchor)["trustAnchor"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise TargetGoneError(
                f"trust anchor {self.anchor} does not exist (any more) in {self.region}. Look at "
                "who deleted it (CloudTrail)."
            ) from error
        return {"enabled": bool(found.get("enabled"))}

    def wanted(self, before: State) -> State:
        return {"enabled": False}

    def write(self, p: Aws, key: str, value: Json) -> None:
        if value:
            p.rolesanywhere.enable_trust_anchor(trustAnchorId=self.anchor)
        else:
            p.rolesanywhere.disable_trust_anchor(trustAnchorId=self.anchor)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        return Foreseen(
            blast=(
                f"nobody with a certificate under trust anchor {self.anchor} gets a session; "
                "sessions that were vended go on",
            )
        )
