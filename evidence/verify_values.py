"""Checks values that are committed to apart: open ones fit, hidden ones are accounted for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evidence import bag
from evidence.custody.statement import ERASURE, read_signed
from evidence.errors import BundleError, CustodyError
from evidence.leaf import SALT_BYTES
from evidence.personal import ACTOR, MARK, OpenValue, hidden
from evidence.strict_json import parse_canonical, unhex
from evidence.verify_report import Report
from evidence.withheld import Withheld

if TYPE_CHECKING:
    from evidence.verify_entries import Proven


def read_values(found: Any) -> list[OpenValue]:
    """Return the values of an opening, each of which is still to be compared with its commitment.

    Raises:
        EvidenceError: when they are malformed, not sorted by place, or stand in one another.
    """
    if not isinstance(found, list) or not found:
        raise BundleError("has values that are no list of one at least")
    values = [_read(one) for one in found]
    places = [one.place for one in values]
    if places != sorted(set(places)):
        raise BundleError("has values that are not sorted by place, or two of one place")
    return values


def check_values(proven: Sequence["Proven"], withheld: Withheld, report: Report) -> None:
    """Check that each value that is not open is withheld by this export, or was erased."""
    start, count = len(report.problems), 0
    erased = set[str]().union(*map(_erased, proven))
    for entry in proven:
        if entry.opened is None:
            continue
        places = hidden(*entry.opened)
        count += len(places)
        kind, what = entry.leaf.kind, f"ledger entry {entry.index}"
        held = [place for place in places if withheld.covers(kind, place)]
        gone = [p for p, hex_ in places.items() if p not in held and hex_ in erased]
        for word, some in (("withheld", held), ("erased", gone)):
            if some:
                report.withheld.append(
                    f"{what}: {', '.join(sorted(some))} is {word}; its proof holds"
                )
        if lost := sorted(places.keys() - {*held, *gone}):
            report.incomplete(
                bag.ENTRIES,
                f"{what}: the opening of {', '.join(lost)} is missing, and no entry says that it "
                "was erased",
            )
    report.checked("values that are not open", count, start)


def _read(one: Any) -> OpenValue:
    if not isinstance(one, dict) or one.keys() != {"place", "salt", "value"}:
        raise BundleError("has a value without exactly place, salt and value")
    place, value = one["place"], one["value"]
    if not isinstance(place, str) or not isinstance(value, str):
        raise BundleError("has a value whose place or value is no text")
    if place != ACTOR and not place.startswith("/"):
        raise BundleError("has a value in no place: expected actor, or a JSON pointer")
    salt, data = unhex(one["salt"]), value.encode()
    if len(salt) != SALT_BYTES:
        raise BundleError(f"has a value with a salt of {len(salt)} bytes; expected {SALT_BYTES}")
    if MARK in data:
        raise BundleError("has a value within a value")
    if place == ACTOR and not isinstance(parse_canonical(data), str):
        raise BundleError("has an actor that is no text")
    parse_canonical(data)
    return OpenValue(place, salt, data)


def _erased(entry: "Proven") -> set[str]:
    """Return the commitments that an entry says were erased, as two people signed it."""
    if entry.leaf.kind != ERASURE or entry.opened is None:
        return set()
    try:
        said = read_signed(entry.opened[1]).statement
    except CustodyError:
        return set()
    fits = (said["kind"], said["case"]) == (ERASURE, entry.leaf.case)
    return set(said["values"]) if fits else set()
