"""The part of `report.html` that tells custody: who collected, holds, handed over, disposed of."""

from collections.abc import Iterator
from dataclasses import replace

from evidence import page_html as h
from evidence.case_facts import Facts
from evidence.custody.follow import replay
from evidence.custody.state import LOCKER, NOT_OPEN, Artifact, CaseCustody, Event
from evidence.custody.statement import SIGNERS
from evidence.personal import hidden

_OPERATOR = "the operator's own locker"


def custody(facts: Facts) -> str:
    """Return the section; where custody stands follows from the entries by the rules of custody."""
    state = replay(facts.entries[0].leaf.case, _events(facts))
    return h.section("Custody", *_tables(facts, state))


def _events(facts: Facts) -> Iterator[Event]:
    for entry in facts.entries:
        leaf = entry.leaf
        actor, body = entry.opened or ("", None)
        event = Event(leaf.kind, leaf.case_seq, actor, leaf.record_time, body)
        closed = leaf.kind in SIGNERS and body is not None and hidden(actor, body)
        yield replace(event, body=None, fault=NOT_OPEN) if closed else event


def _tables(facts: Facts, state: CaseCustody) -> Iterator[str]:
    heads = ("Entry", "Artifact", "Collected by", "From", "When", "SHA-256 as stored", "Holder")
    yield h.table(heads, _collected(facts, state))
    artifacts = state.artifacts.values()
    if handed := [row for one in artifacts for row in _handovers(one)]:
        yield "<h3>Handed over</h3>\n"
        yield h.table(("Artifact", "Recorded", "From", "To", "Where", "Why"), handed)
    if state.holds:
        yield "<h3>Legal holds</h3>\n"
        yield h.table(("Hold", "On", "Since", "By", "Why", "Released"), _holds(state))
    if state.problems:
        yield h.paragraphs("Entries about custody that break its rules, and so have no effect:")
        yield h.table(("What is wrong",), ((h.text(one),) for one in state.problems))


def _collected(facts: Facts, state: CaseCustody) -> Iterator[tuple[str, ...]]:
    for entry, actor, body, manifest in facts.deposits():
        source = f"{h.text(manifest.source)}, {h.code(manifest.call)}"
        held = state.artifacts.get(manifest.artifact_id)
        yield (
            str(entry.index),
            h.text(manifest.name),
            f"{h.text(actor)}<br>with {h.text(manifest.tool)} {h.text(manifest.tool_version)}",
            f"{source}<br>of {h.text(body.get('target'))}",
            f"{h.code(manifest.acquired_start)} to {h.code(manifest.acquired_end)}<br>"
            f"recorded {h.code(entry.leaf.record_time)}",
            h.code(manifest.stored_sha256),
            h.gone("unknown") if held is None else "<br>".join(_held(held, state)),
        )


def _held(one: Artifact, state: CaseCustody) -> Iterator[str]:
    if one.disposed is not None:
        by = ", ".join(h.text(name) for name in one.disposed_by)
        yield f"disposed of at {h.code(one.disposed)} by {by}"
        return
    yield _OPERATOR if one.holder == LOCKER else h.text(one.holder)
    if holds := state.holds_on(one.artifact_id):
        yield f"under hold {', '.join(h.text(name) for name in holds)}"
    if (until := state.retained_until(one.artifact_id)) is not None:
        yield f"to be kept until {h.code(until)}"
    if one.last_checked is not None:
        yield f"last checked {h.code(one.last_checked)}: {h.text(one.last_found)}"
    if one.reads:
        yield f"read {one.reads} times, last {h.code(one.last_read)}"


def _handovers(one: Artifact) -> Iterator[tuple[str, ...]]:
    for made in one.transfers:
        giver, taker = (
            _OPERATOR if name == LOCKER else h.text(name) for name in (made.giver, made.taker)
        )
        yield (
            h.text(one.name),
            h.code(made.at),
            giver,
            taker,
            h.text(made.place),
            h.text(made.reason),
        )


def _holds(state: CaseCustody) -> Iterator[tuple[str, ...]]:
    for hold in state.holds.values():
        names = sorted(hold.artifacts or ())
        by = ", ".join(h.text(name) for name in hold.released_by)
        yield (
            h.text(hold.id),
            "<br>".join(h.code(name) for name in names) or "every artifact of the case",
            h.code(hold.since),
            h.text(hold.by),
            h.text(hold.reason),
            "in force" if hold.released is None else f"{h.code(hold.released)} by {by}",
        )
