"""A Vault, how Stanch logs in there, and where its audit logs are: `[vaults]` in stanch.toml."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from playbooks.wiring.addresses import private

# A bucket and what its keys begin with, with the parts of a time that they have.
EXPORT = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([A-Za-z0-9_=./-]|%[YmdH])*$"


class VaultLogin(BaseModel):
    """A HashiCorp Vault: its address, and how Stanch logs in, on a mount of its own.

    `token` is a reference; else `role_id` and `secret_id` are, for the AppRole mount `mount`. `ca`
    is a file of certificates to trust besides the system's. `prefixes` are the paths under which
    Stanch keeps anything of its own, which are then never acted on. `deliver` says where a new
    secret id goes: MOUNT/ROLE -> the path of the KV secret in which its application looks for it.
    `logs` are copies of its audit devices' files, and `leaked` refers to secrets that are known to
    have leaked: an incident looks for the lines that carried them. `export` is where audit logs go
    in S3, as s3://BUCKET/PREFIX with %Y, %m, %d, %H for the time, and `export_account` whose it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    token: str | None = None
    role_id: str | None = None
    secret_id: str | None = None
    mount: str = "stanch"
    ca: Path | None = None
    prefixes: tuple[str, ...] = ()
    deliver: dict[str, str] = {}
    logs: tuple[Path, ...] = ()
    leaked: tuple[str, ...] = ()
    export: str | None = Field(default=None, pattern=EXPORT)
    export_account: str | None = Field(default=None, pattern=r"^\d{12}$")

    @field_validator("url")
    @classmethod
    def _no_plain_http(cls, url: str) -> str:
        return private(url)

    @field_validator("leaked")
    @classmethod
    def _only_references(cls, leaked: tuple[str, ...]) -> tuple[str, ...]:
        if not all(one.startswith(("env:", "file:")) for one in leaked):
            # One of them may be the secret itself: say nothing of it.
            raise ValueError("must be env:NAME or file:PATH, never the secret itself")
        return leaked

    @model_validator(mode="after")
    def _one_way_in(self) -> "VaultLogin":
        if (self.token is None) == (self.role_id is None or self.secret_id is None):
            raise ValueError("needs either token, or role_id and secret_id (references)")
        if (self.export is None) != (self.export_account is None):
            raise ValueError("export and export_account belong together")
        return self
