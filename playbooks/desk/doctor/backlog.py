"""Incidents, work and questions that should have moved on, and freezes that hold them back."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from playbooks.case import store
from playbooks.case.gate import said
from playbooks.case.severity import RESPONSE
from playbooks.case.store.overdue import Overdue, overdue
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place, lasted

SOON = timedelta(hours=1)
# More lines than these nobody reads; the rest is a number.
MOST = 10


def backlog(place: Place) -> Iterator[Finding]:
    """Say what is stuck, frozen, late or about to lapse."""
    found = place.store().read(lambda conn: overdue(conn, store.clock(conn, place.now)))
    people = frozenset(place.settings.people)
    for check, lines in (
        ("steps", _half_way(found)),
        ("work", _stuck(found)),
        ("leases", _dead(found)),
        ("freezes", _frozen(found)),
        ("questions", _lapsing(found)),
        ("deadlines", _late(found, people)),
    ):
        yield from _few(check, list(lines))


def _few(check: str, lines: list[Finding]) -> Iterable[Finding]:
    if not lines:
        return [ok(check, "none waits longer than it should" if check != "freezes" else "none")]
    # The bad ones are read before the rest.
    lines.sort(key=lambda one: one.level)
    more = len(lines) - MOST
    rest = warn(check, f"and {more} more", "`stanch doctor --json` has them all once these end.")
    return lines[:MOST] + ([rest] if more > 0 else [])


def _half_way(found: Overdue) -> Iterator[Finding]:
    for one in found.half_way:
        yield bad(
            "steps",
            f"{one.incident}: {one.step} is {one.phase} since {lasted(found.at - one.since)}",
            f"`stanch resume {one.incident}` finishes it, or says what stands in the way.",
        )


def _stuck(found: Overdue) -> Iterator[Finding]:
    for one in found.stuck:
        yield bad(
            "work",
            f"{one.incident} broke off {one.tries} times ({one.why}): {one.error or 'unknown'}",
            f"`stanch show {one.incident}`, mend the cause, then `stanch resume {one.incident}`; "
            "it is still tried every ten minutes.",
        )
    for one in found.untaken:
        yield warn(
            "work",
            f"{one.incident} ({one.why}) is due since {lasted(found.at - one.due)}",
            "Is `stanch serve` or `stanch worker` running? `stanch resume` does it by hand.",
        )


def _dead(found: Overdue) -> Iterator[Finding]:
    for one in found.dead:
        yield warn(
            "leases",
            f"{one.incident}: {one.holder} fell silent {lasted(found.at - one.until)} ago",
            "A responder takes it over within seconds: is one running?",
        )


def _frozen(found: Overdue) -> Iterator[Finding]:
    for one in found.freezes:
        yield warn("freezes", said(one), "Nothing is contained there meanwhile.")


def _lapsing(found: Overdue) -> Iterator[Finding]:
    for one in found.questions:
        left = one.expires - found.at
        if left <= SOON:
            yield warn(
                "questions",
                f"{one.id} of {one.incident} lapses in {lasted(left)}",
                f"`stanch show {one.incident}`, then `stanch approve {one.id} --key KEY`.",
            )


def _late(found: Overdue, people: frozenset[str]) -> Iterator[Finding]:
    """Yield incidents past their times. A person has taken one by opening or answering in it."""
    for one in found.incidents:
        times, age = RESPONSE[one.severity], found.at - one.opened
        told = f"{one.id} ({one.severity.value}) is {one.status} after {lasted(age)}"
        if age > times.contain and not one.status.startswith("contained"):
            yield bad(
                "deadlines",
                f"{told}; it was to be contained within {lasted(times.contain)}",
                f"`stanch show {one.id}` says what is open.",
            )
        elif age > times.acknowledge and not (one.requester in people or one.id in found.answered):
            yield warn(
                "deadlines",
                f"{told}; a person was to take it within {lasted(times.acknowledge)}",
                f"`stanch show {one.id}`; then answer its question, or end it.",
            )
