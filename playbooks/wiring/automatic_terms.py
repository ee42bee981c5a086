"""What may happen without a person, and up to where: `[automatic]` and `[guard]` in stanch.toml."""

from pydantic import BaseModel, ConfigDict, Field


class Automatic(BaseModel):
    """What may happen without a person: finding types (`*` allowed) from a severity on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    types: tuple[str, ...] = ()
    severity_floor: float = Field(default=7.0, ge=1.0, le=10.0)


class Guard(BaseModel):
    """Stanch's own ids, protected ids, and how many targets may be acted on by itself.

    `ceiling` is for one incident; the others for all incidents together within `window_minutes`:
    from so many targets of an account, a service (the value of the tag `service_tag`) or a scaling
    group something may be taken without a person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    own: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    ceiling: int = Field(default=5, ge=1)
    account_ceiling: int = Field(default=25, ge=1)
    service_ceiling: int = Field(default=10, ge=1)
    group_ceiling: int = Field(default=5, ge=1)
    window_minutes: float = Field(default=60.0, ge=15.0)
    service_tag: str = Field(default="service", min_length=1, max_length=128)
