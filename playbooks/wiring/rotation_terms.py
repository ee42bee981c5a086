"""What the team has said about its credentials: `[rotation]` in stanch.toml."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal["access_key", "secret", "database", "vault_secret", "vault_static_role"]


class Credential(BaseModel):
    """One credential: what it is, where its value is kept, who reads it there, what it can change.

    `target` is place/region/id: account/aws-global/user/NAME, account/region/secret/NAME,
    account/region/database/NAME, or vault/vault/MOUNT/PATH. `stored` is where consumers read an
    access key or a master password. `changes` names other credentials that its holder could
    change, or read. `fields` are what is new in the stored value; `login` is a program, with its
    arguments, that reads the stored value as JSON from standard input and leaves with 0 if it
    lets it in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    target: str = Field(pattern=r"^[^/]+/[^/]+/.+$")
    stored: str = Field(default="", pattern=r"^([^/]+/[^/]+/.+)?$")
    consumers: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ("password",)
    login: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _somewhere(self) -> "Credential":
        if not self.stored and self.kind in ("access_key", "database"):
            raise ValueError("an access key or a database needs `stored`: where its value is kept")
        return self


class Rotation(BaseModel):
    """The team's credentials by name, and how patient a rotation is.

    Use is looked at every `look_minutes`. The old one counts as left once it was not used for
    `quiet_minutes`, of which AWS's record is up to 15 behind; it is kept, turned off, for
    `keep_hours` until its deletion is asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    look_minutes: float = Field(default=15.0, ge=5.0)
    quiet_minutes: float = Field(default=60.0, ge=30.0)
    keep_hours: float = Field(default=24.0, ge=1.0)
    credentials: dict[str, Credential] = {}

    @field_validator("credentials")
    @classmethod
    def _known(cls, named: dict[str, Credential]) -> dict[str, Credential]:
        for name, credential in named.items():
            for other in credential.changes:
                if other not in named:
                    raise ValueError(f"{name} changes {other!r}, which is not among them")
        return named
