"""What a rule says: a regime (law, standard or contract) and its stages, each one duty."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Literal

from playbooks.duties.condition import Condition

Unit = Literal[
    "minute", "clock_hour", "calendar_day", "business_day", "working_day", "calendar_month"
]
Kind = Literal[
    "fixed",
    "qualitative",
    "qualitative_with_outer_limit",
    "relative",
    "end_of_period",
    "earliest_of",
    "matrix",
    "user_supplied",
]
Status = Literal[
    "in_force",
    "in_force_via_national_law",
    "in_force_per_state",
    "in_force_phased",
    "partially_in_force",
    "being_replaced",
    "adopted_not_effective",
    "future",
    "proposed",
    "superseded",
    "repealed",
    "contractual",
    "voluntary",
]
Confidence = Literal["verified-in-source", "secondary-seen", "from-knowledge", "conflicting"]
Recipient = Literal[
    "regulator",
    "individuals",
    "owner_or_controller",
    "consumer_reporting_agencies",
    "other",
    "customers_or_clients",
    "media",
]
Counting = Literal[
    "elapsed",
    "eu-1182-71",
    "dora-art-5",
    "calendar-days",
    "event-day-counts",
    "sec-business-days",
]


class Strict:
    """What a rule file says in one mapping; a key that is not among its fields is an error."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class Amount(Strict):
    """A length of time in its own unit; units are never converted into each other."""

    value: int
    unit: Unit


@dataclass(frozen=True)
class Variant(Strict):
    """Another length where the condition holds; the first that holds wins."""

    when: Condition
    value: int
    unit: Unit


@dataclass(frozen=True)
class Limb(Strict):
    """One of several ends of which the earliest counts.

    One that `caps` counts only while the first limb's anchor lies before its end (DORA Art. 5(2)).
    """

    anchor: str
    value: int
    unit: Unit
    caps: bool = False


@dataclass(frozen=True)
class Deadline(Strict):
    """When a duty is due; which fields it has follows from its kind (see `reading`)."""

    kind: Kind
    value: int | None = None
    unit: Unit | None = None
    standard: str | None = None
    target: Amount | None = None
    variants: tuple[Variant, ...] = ()
    of: tuple[Limb, ...] = ()
    # relative: this stage stands so to another.
    to: str | None = None
    order: Literal["before", "not_later_than", "with", "not_before"] | None = None
    # end_of_period: the end of the day that is so many days after the anchor's (1: the next day),
    # or of a day and month of the year after the anchor's.
    days_after: int | None = None
    # Whose reports may wait for noon of the next working day (Delegated Reg. 2025/301 Art. 5(4)).
    relief: Condition | None = None
    month: int | None = None
    day: int | None = None


@dataclass(frozen=True)
class LawEnforcement(Strict):
    """Whether an authority's request may hold the duty up, and how it resumes."""

    allowed: bool
    says: str
    written_only: bool = False
    oral_max_days: int | None = None
    resumes: Amount | None = None


@dataclass(frozen=True)
class Check(Strict):
    """What a later look at the law's text said of one field."""

    field: str
    verdict: Literal["confirmed", "corrected", "secondary", "unclear"]
    source: str
    says: str


@dataclass(frozen=True)
class Prior(Strict):
    """How a stage stood before: what it was until the day (inclusive), in the same shape."""

    until: date
    says: str
    deadline: Deadline | None = None
    since: date | None = None


@dataclass(frozen=True)
class Stage(Strict):
    """One duty to one recipient."""

    id: str
    recipient: str
    to: Recipient
    anchor: str
    deadline: Deadline
    # Other events that a source names as this duty's start; the earliest that is known counts.
    or_anchors: tuple[str, ...] = ()
    when: Condition | None = None
    counting: Counting | None = None
    calendar: str | None = None
    completion: Literal["sent", "received", "submitted_ack"] = "sent"
    channel: str | None = None
    contents: tuple[str, ...] = ()
    prohibited: tuple[str, ...] = ()
    # Stages of the same regime that must not go out before this one is done.
    before: tuple[str, ...] = ()
    # `regime/stage` or stage whose filing may take this one in.
    combines: tuple[str, ...] = ()
    law_enforcement: LawEnforcement | None = None
    exemptions: tuple[str, ...] = ()
    extension: str | None = None
    late: str | None = None
    phased: str | None = None
    note: str | None = None
    confidence: Confidence | None = None
    sources: tuple[str, ...] = ()
    prior: tuple[Prior, ...] = ()
    # Found by a later check of the law's text; not among the 449 first surveyed.
    added: bool = False


@dataclass(frozen=True)
class Regime(Strict):
    """A law, standard or contract; `starts` is the event that decides which version is in force."""

    id: str
    name: str
    citation: str
    status: Status
    applies: Condition
    binds: str
    event: str
    threshold: str
    starts: str
    stages: tuple[Stage, ...]
    confidence: Confidence
    sources: tuple[str, ...]
    url: str | None = None
    since: date | None = None
    until: date | None = None
    records: str | None = None
    penalties: str | None = None
    law_enforcement: LawEnforcement | None = None
    note: str | None = None
    checks: tuple[Check, ...] = ()
    calendar: str | None = None
    counting: Counting | None = None
    substitute_notice: str | None = None
    # Months of credit monitoring or identity services that the law wants offered, and to whom.
    credit_monitoring: str | None = None

    def stage(self, id: str) -> Stage | None:
        """Return the stage of that id, or None."""
        return next((s for s in self.stages if s.id == id), None)


@dataclass(frozen=True)
class Jurisdiction(Strict):
    """One rule file: a place, its zone, its holidays, how it counts, and its regimes."""

    jurisdiction: str
    place: str
    zone: str
    regimes: tuple[Regime, ...]
    calendar: str | None = None
    counting: Counting | None = None
    disputed: Mapping[str, str] = field(default_factory=dict)
