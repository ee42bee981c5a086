"""Replays the log: what was known at any time, as the engine takes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from playbooks.case.incident import Incident
from playbooks.case.store.duties import LogRow
from playbooks.duties import facts_file
from playbooks.duties.derive import Known
from playbooks.duties.errors import DutiesError
from playbooks.duties.moment import Moment, instant
from playbooks.duties.reading import Rulebook
from playbooks.duties.starts import Anchors
from playbooks.duties.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was known, and what the present rules cannot read any more: it is told, not lost."""

    known: Known
    unread: tuple[str, ...] = ()


def by(rows: Iterable[LogRow], as_of: Moment | None) -> list[LogRow]:
    """Return what was recorded by then; all, where no time is given."""
    return [row for row in rows if as_of is None or row.at <= as_of.last]


def shadows(incident: Incident) -> Anchors:
    """Return what the incident shows of itself: its first sign, and when it was taken up."""
    seen = incident.alert.get("finding_info", {}).get("first_seen_time_dt")
    first = datetime.fromisoformat(seen) if seen else incident.opened
    return {"first_sign": instant(first, "UTC"), "acknowledged": instant(incident.opened, "UTC")}


def known(
    rows: Iterable[LogRow], stand_ins: Anchors, confirmed: frozenset[str], book: Rulebook
) -> Replayed:
    """Return what these rows together say. A later one wins; the earlier stays in the log.

    Raises FactError where facts contradict each other.
    """
    facts: dict[str, str] = {}
    anchors: dict[str, str] = {}
    holds: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        body = row.body
        match row.kind:
            case "fact":
                facts |= body["facts"]
            case "anchor":
                anchors |= body["anchors"]
            case "hold":
                # The same document again says when the hold ended.
                holds[body["document"]] = body
            case "sent" if "sent" in body:
                anchors[went_out(body["duty"])] = body["sent"]
            case "withdrawn":
                for name in body["names"]:
                    for each in (facts, anchors, holds):
                        each.pop(name, None)
    unread = [n for n in facts if not _read(n)]
    unread += [n for n, value in anchors.items() if not _named(n, value, book)]
    raw = {
        "facts": {n: v for n, v in facts.items() if n not in unread},
        "anchors": {n: v for n, v in anchors.items() if n not in unread},
        "holds": [{k: v for k, v in h.items() if k in _HOLD} for h in holds.values()],
    }
    found = facts_file.known(raw, book)
    made = replace(found, shadows=stand_ins, confirmed=confirmed)
    return Replayed(made, tuple(unread))


_HOLD = ("authority", "since", "until", "written", "document", "regimes")


def went_out(duty: str) -> str:
    """Return the name of the anchor that a duty's notice makes when it goes out."""
    regime, _, stage = duty.partition("/")
    return f"{regime}/stage:{stage}"


def _read(name: str) -> bool:
    try:
        return bool(vocabulary().find(name))
    except DutiesError:
        return False


def _named(name: str, value: str, book: Rulebook) -> bool:
    try:
        return bool(facts_file.named({name: value}, book))
    except DutiesError:
        return False
