"""Where incidents come in: `[sources]`, `[queues]` and `[serve]` in stanch.toml."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from playbooks.wiring.addresses import private


class Sender(BaseModel):
    """A SIEM that signs what it posts: one key, or two while they are changed, by reference.

    `plays` says what its rules mean: rule type -> the play that answers it, its resource being
    the suspect.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[str, ...] = Field(min_length=1, max_length=2)
    plays: dict[str, str] = {}


class Queue(BaseModel):
    """An SQS queue that EventBridge fills, and the account and region that it is in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    account: str
    region: str

    @field_validator("url")
    @classmethod
    def _no_plain_http(cls, url: str) -> str:
        return private(url)


class Serve(BaseModel):
    """Where `stanch serve` listens: a port of loopback, 0 for any free one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(default=8787, ge=0, le=65535)
