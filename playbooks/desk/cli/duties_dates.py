"""`stanch duties calendar`: the dates of an incident, or of a file of facts, as iCalendar."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from playbooks.desk.cli.duties_clock import Rules, loaded_facts
from playbooks.desk.cli.duties_known import refreshed
from playbooks.desk.cli.surroundings import out, printable
from playbooks.duties import facts_file
from playbooks.duties.changes import date_of, owed
from playbooks.duties.derive import derive
from playbooks.duties.duty import DISCLAIMER, Duty
from playbooks.duties.reading import shipped, with_own
from playbooks.notification.standing import CLOSED, NO_LONGER_OWED
from playbooks.wiring.parts import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playbooks.duties.feed import Entry


def calendar(
    source: Annotated[str, typer.Argument(help="An incident, INC-0001, or a YAML file of facts.")],
    into: Annotated[Path, typer.Option("--out", help="A new file, such as duties.ics.")],
    possible: Annotated[
        bool, typer.Option("--possible", help="Also what only may be owed.")
    ] = False,
    rules: Rules = None,
) -> None:
    """Write the open duties' dates as a calendar: the date to act on, and the last lawful one."""
    # Takes a while to import, and no other command needs it.
    from playbooks.duties.feed import feed

    path = Path(source)
    if path.suffix.lower() in (".yaml", ".yml"):
        book = with_own(shipped(), rules)
        known = facts_file.known(loaded_facts(path), book)
        name, at = path.stem, now()
        duties: Iterable[Duty] = [d for d in derive(book, known) if owed(d)]
    else:
        parts, _, found = refreshed(source)
        name, at = source, parts.now()
        ended = (CLOSED, NO_LONGER_OWED)
        duties = [d for d in found.listed() if found.standing(d.key).state not in ended]
    entries = [e for d in duties if possible or d.applies.truth for e in _entries(name, d)]
    write_new(into, feed(entries, at))
    out().print(f"{len(entries)} dates in {printable(str(into))}")
    out().print(f"[bold]{DISCLAIMER}[/]")


def write_new(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read. Raises FileExistsError where it is there."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _entries(name: str, duty: Duty) -> "Iterator[Entry]":
    from playbooks.duties.feed import Entry

    date, latest = date_of(duty), duty.clock.legal_latest
    open_ = "" if duty.applies.truth else " (may be owed)"
    if duty.clock.state == "not_started":
        open_ += f" (if {', '.join(duty.clock.missing)} were so)"
    title = f"{name} {duty.key} to {duty.stage.recipient}{open_}"
    rests = f"{duty.regime.citation}; {duty.confidence}; {', '.join(duty.sources)}"
    said = "\n".join((*duty.clock.derivation, rests))
    if date:
        yield Entry(f"{name}/{duty.key}/act@stanch", title, date, said, True, duty.regime.url)
    if latest and latest != date:
        last = f"{title}: last lawful moment"
        yield Entry(f"{name}/{duty.key}/latest@stanch", last, latest, said, False, duty.regime.url)
