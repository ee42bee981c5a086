"""An incident's ledger entries as a person reads them: when, what, on what, by whom."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from rich.console import Console

from playbooks.desk.cli import wording
from playbooks.desk.cli.surroundings import printable

# Entries that come in dozens and say nothing one by one; JSON and the bundle have each.
MANY = {"artifact.stored"}


def show(console: Console, told: Mapping[str, Any]) -> None:
    """Print the timeline, a run of artifacts folded into one line."""
    console.print("\n[bold]timeline[/] (UTC, place in the ledger)")
    for entries in _runs(told["timeline"]):
        first, last = entries[0], entries[-1]
        places = [str(e["index"]) if e["index"] is not None else "-" for e in (first, last)]
        place = places[0] if first is last or places[0] == places[1] else "-".join(places)
        what = _what(first, told["target"]) if first is last else f"{len(entries)} entries"
        by = "" if first["actor"] == "stanch" else f"by {printable(first['actor'])}"
        rest = "  ".join(part for part in (what, by) if part)
        line = f"  {wording.clock(first['at'])}  {place:>7}  {printable(first['kind']):18} {rest}"
        console.print(line.rstrip())


def _what(entry: Mapping[str, Any], target: Mapping[str, str]) -> str:
    # A question is known by its number; `stanch show` says above what it asks.
    step = "" if entry["kind"].startswith("approval.") else wording.name(entry["step"], target)
    return "  ".join(part for part in (step, printable(entry["about"])) if part)


def _runs(entries: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for kind, run in groupby(entries, lambda e: e["kind"]):
        if kind in MANY:
            yield list(run)
        else:
            yield from ([e] for e in run)
