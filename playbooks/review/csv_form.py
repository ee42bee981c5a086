"""A campaign's rows as a CSV file for a spreadsheet, and the same file with decisions in it. Pure.

RFC 4180, UTF-8. A cell that a spreadsheet would run as a formula gets an apostrophe in front on the
way out (OWASP, "CSV Injection"), and is refused on the way in.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from playbooks.case.store.reviews import ReviewRow
from playbooks.review.errors import DecisionError
from playbooks.review.row import choices_of

# What people write, and what they are only shown.
WRITTEN = ("decision", "reason")
SHOWN = (
    "review",
    "row",
    "principal",
    "privilege",
    "owner",
    "last_used",
    "flags",
    "digest",
    "choices",
)
COLUMNS = (*SHOWN, *WRITTEN)
# Full-width forms too, which some spreadsheets take for the plain ones.
BEGINS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file that came back: its number, and its cells by column."""

    number: int
    cells: dict[str, str]


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet may take the cell for a formula."""
    return cell.startswith(BEGINS) or cell.lstrip().startswith(BEGINS)


def out(review: str, rows: Iterable[ReviewRow]) -> Iterator[str]:
    """Yield the file, line by line."""
    yield _line(COLUMNS)
    for row in rows:
        yield _line([*shown(review, row).values(), *written(row)])


def shown(review: str, row: ReviewRow) -> dict[str, str]:
    """Return the cells of a row that are only shown, in the order of SHOWN."""
    cells = {
        "review": review,
        "row": row.id,
        "principal": row.principal,
        "privilege": row.privilege,
        "owner": row.owner,
        "last_used": row.used.date().isoformat() if row.used else "",
        "flags": "; ".join(row.flags),
        "digest": row.digest,
        "choices": " ".join(choices_of(row.privilege)),
    }
    return {column: harmless(cell) for column, cell in cells.items()}


def written(row: ReviewRow) -> list[str]:
    """Return the cells that people write, as far as they have."""
    made = row.decided
    return [made.decision, harmless(made.reason)] if made else ["", ""]


def harmless(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it."""
    return f"'{cell}" if is_formula(cell) else cell


def lines(text: str) -> Iterator[Line]:
    """Yield the lines of a file that came back. Raise DecisionError where it is not one of ours."""
    # A spreadsheet may put a byte order mark in front.
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        head = next(reader, [])
        if tuple(head) != COLUMNS:
            raise DecisionError(
                f"line 1: the columns are {', '.join(head[:12])!r}, expected "
                f"{', '.join(COLUMNS)}. Export the file anew, and change only the last two columns."
            )
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(COLUMNS):
                raise DecisionError(
                    f"line {reader.line_num}: {len(cells)} cells, expected {len(COLUMNS)}. "
                    "Save it as CSV with commas, as it was exported."
                )
            yield Line(reader.line_num, dict(zip(COLUMNS, cells, strict=True)))
    except csv.Error as error:
        raise DecisionError(
            f"line {reader.line_num}: this is no CSV ({error}). Save it as CSV with commas."
        ) from None


def _line(cells: Iterable[str]) -> str:
    made = io.StringIO(newline="")
    csv.writer(made).writerow(cells)
    return made.getvalue()
