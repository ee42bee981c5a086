"""The settings' part on what is kept for an examination: `[forensics]` in stanch.toml."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ACCOUNT = r"^\d{12}$"
_KEY = r"^arn:aws(-cn|-us-gov)?:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"
_BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"

Buckets = tuple[Annotated[str, Field(pattern=_BUCKET)], ...]
Keys = dict[str, Annotated[str, Field(pattern=_KEY)]]


class Lock(BaseModel):
    """How long copies of disks are locked against deletion, and whether for good.

    In governance mode whoever may unlock still can; in compliance mode nobody can once `cool_off`
    hours have passed, so a person is asked. The lock is on the last copy that is made.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(ge=1, le=36_500)
    mode: Literal["governance", "compliance"] = "governance"
    cool_off: int = Field(default=24, ge=1, le=72)


class Forensics(BaseModel):
    """What is done with copies of disks, and which logs are kept. All of it may be left out.

    `keys` are the KMS keys (ARNs, by region) of the account's own that snapshots are copied under;
    `account` is where they are copied to, one of `[accounts]` with a role of its own, and
    `account_keys` are its keys. `blocks` keeps the hash of every block of a snapshot: that reads
    the whole disk. `trails` are trails (names or ARNs) by account, `organization` the
    organization's id where a trail is one's, and `buckets` those that trails and flow logs lie in.
    `objects` are buckets of which every version of an object is kept that an identity wrote or
    deleted there. `stanch permissions` opens these buckets and no others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: Keys = {}
    account: str | None = Field(default=None, pattern=ACCOUNT)
    account_keys: Keys = {}
    lock: Lock | None = None
    blocks: bool = False
    flow_logs: bool = True
    trails: dict[str, str] = {}
    organization: str = ""
    buckets: Buckets = ()
    objects: Buckets = ()

    @model_validator(mode="after")
    def _a_key_there(self) -> "Forensics":
        if self.account is not None and not self.account_keys:
            raise ValueError("account needs account_keys: a copy there is under a key of its own")
        return self
