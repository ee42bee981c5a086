"""What the team has decided about access reviews: `[review]` in stanch.toml."""

from pydantic import BaseModel, ConfigDict, Field


class Review(BaseModel):
    """How reviews count, how long people have, and who is who.

    `owner_tag` is the tag whose value names an owner; `identities` says by which other names the
    people under [people] are known in owners, users and assignments: nobody decides on their own.
    After `answer_days` undecided rows are escalated, and again after each `escalate_days`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner_tag: str = Field(default="owner", min_length=1, max_length=128)
    unused_days: float = Field(default=90.0, ge=1.0)
    key_days: float = Field(default=90.0, ge=1.0)
    answer_days: float = Field(default=14.0, gt=0)
    escalate_days: float = Field(default=7.0, gt=0)
    identities: dict[str, tuple[str, ...]] = {}
