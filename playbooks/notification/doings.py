"""What people did about each duty, from the log: sent it, decided, signed off, checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from playbooks.case.store.duties import LogRow
from playbooks.duties.moment import Moment, parse
from playbooks.duties.rule import Stage
from playbooks.notification.log import went_out


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's signed decision that a duty is not to be met, of the rule as it then stood."""

    person: str
    at: datetime
    why: str
    rule: str
    number: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What a person said of one item of the checklist."""

    value: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Doing:
    """What was done about one duty. `dropped`: who signed off that it is no longer owed."""

    sent: Moment | None = None
    received: Moment | None = None
    acknowledged: Moment | None = None
    how: str = ""
    by: str = ""
    proof: str = ""
    late: str = ""
    decisions: tuple[Decision, ...] = ()
    dropped: tuple[Decision, ...] = ()
    checks: Mapping[str, Checked] = field(default_factory=dict)

    def completed(self, stage: Stage) -> Moment | None:
        """Return when the law takes the duty for done, or None."""
        if stage.completion == "sent":
            return self.sent
        if stage.completion == "received":
            return self.received or self.acknowledged
        return self.acknowledged


@dataclass(frozen=True, slots=True)
class Doings:
    """What was done by duty, who leads, and the number of the newest word on the facts."""

    duties: Mapping[str, Doing] = field(default_factory=dict)
    lead: str = ""
    learnt: int = 0

    def of(self, duty: str) -> Doing:
        """Return what was done about the duty."""
        return self.duties.get(duty, _NOTHING)


_NOTHING = Doing()


def doings(rows: Iterable[LogRow]) -> Doings:
    """Return what these rows say was done; a later word on the same thing wins."""
    found: dict[str, Doing] = {}
    lead, learnt = "", 0
    for row in rows:
        if row.kind in ("fact", "withdrawn"):
            learnt = row.number
        if row.kind == "withdrawn":
            found = {
                duty: _without(duty, doing, row.body["names"]) for duty, doing in found.items()
            }
        elif row.kind in _READERS:
            key = row.body["duty"] if "duty" in row.body else ""
            found[key] = _READERS[row.kind](found.get(key, _NOTHING), row)
            lead = row.body.get("items", {}).get("lead", lead)
    return Doings(found, lead, learnt)


def _sent(doing: Doing, row: LogRow) -> Doing:
    body = row.body
    made: dict[str, Any] = {n: body[n] for n in ("how", "by", "proof", "late") if n in body}
    made |= {n: parse(body[n]) for n in ("sent", "received", "acknowledged") if n in body}
    return replace(doing, **made)


def _decided(doing: Doing, row: LogRow) -> Doing:
    body = row.body
    made = Decision(row.by, row.at, body["why"], body["rule"], row.number)
    if body["how"] == "no_longer_owed":
        return replace(doing, dropped=(*doing.dropped, made))
    return replace(doing, decisions=(*doing.decisions, made))


def _checked(doing: Doing, row: LogRow) -> Doing:
    more = {name: Checked(value, row.by, row.at) for name, value in row.body["items"].items()}
    return replace(doing, checks={**doing.checks, **more})


def _without(duty: str, doing: Doing, names: list[str]) -> Doing:
    if duty in names:
        doing = replace(doing, decisions=(), dropped=())
    if went_out(duty) in names:
        bare = Doing(decisions=doing.decisions, dropped=doing.dropped, checks=doing.checks)
        return bare
    return doing


_READERS = {"sent": _sent, "not_notifying": _decided, "checklist": _checked}
