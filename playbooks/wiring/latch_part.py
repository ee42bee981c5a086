"""The settings' part on the latch: `[latch]` in stanch.toml."""

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator

from actions.aws.latch import ROOM

ACCOUNT = r"\d{12}"
POLICY = r"p-[0-9a-zA-Z_]{8,128}"
ROLE = r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+"


class Latch(BaseModel):
    """Where the latch is, and who may still touch what is Stanch's.

    `admin` is the delegated administrator's account, `management` the organisation's management
    account, which nothing binds; `organization` is its id (o-...). `policy` and `shield` are the
    ids (p-...) of the two policies that `stanch latch plan` prints, once they are made. `canary` is
    the role, of this name in every account, that shows whether a deny is in effect. `responders`
    are the roles that the shield lets through: ARNs, or names that begin with `stanch-` and stand
    for every account; without them, the roles in `[accounts]`. `characters` is the quota of a
    service control policy, if yours is another. `no_federation` has the shield forbid
    GetFederationToken, whose sessions no latch binds: set it unless something of yours calls it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    admin: str = Field(pattern=f"^{ACCOUNT}$")
    management: str = Field(pattern=f"^{ACCOUNT}$")
    organization: str = Field(pattern=r"^o-[a-z0-9]{10,32}$")
    policy: str | None = Field(default=None, pattern=f"^{POLICY}$")
    shield: str | None = Field(default=None, pattern=f"^{POLICY}$")
    canary: str = Field(default="stanch-canary", pattern=r"^stanch-[\w+=,.@-]{1,57}$")
    responders: tuple[str, ...] = ()
    no_federation: bool = False
    characters: int = Field(default=ROOM, ge=1024, le=100_000)

    @field_validator("responders")
    @classmethod
    def _nobody_else_can_take_the_name(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        for role in roles:
            if not re.fullmatch(rf"{ROLE}|stanch-[\w+=,.@-]+", role):
                # By any other bare name, whoever makes such a role in some account is let through.
                raise ValueError(f"{role!r} must be a role's ARN, or a name that begins stanch-")
        return roles
