"""Worked deadlines: what a duty is asked with, and what must come out."""

from pathlib import Path
from typing import Any

from playbooks.duties.calculator import calculate
from playbooks.duties.reading import shipped
from playbooks.duties.shown import duty_json
from playbooks.duties.vocabulary import loaded

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of a file of vectors beside this one."""
    found: list[dict[str, Any]] = loaded(HERE / name)
    return found


def told(row: dict[str, Any]) -> dict[str, Any]:
    """Return what the calculator says to the row, as the command line prints it."""
    regime, _, stage = row["duty"].partition("/")
    facts = {name: str(value) for name, value in row.get("facts", {}).items()}
    return duty_json(calculate(shipped(), regime, stage, row["anchors"], facts))


def flat(due: Any) -> Any:
    """Return a day's date, or an instant's text."""
    return due["date"] if isinstance(due, dict) else due
