"""Finds a play by its name: the stem of a file in this package that `prefect.yaml` lists."""

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

import playbooks
from playbooks.errors import SettingsError

if TYPE_CHECKING:
    from playbooks.case.play import Play


@cache
def names() -> tuple[str, ...]:
    """Return the names of all plays; importing none of them."""
    files = pkgutil.iter_modules(playbooks.__path__)
    return tuple(sorted(m.name for m in files if not m.ispkg and m.name not in _NO_PLAYS))


_NO_PLAYS = {"__main__", "errors", "follow_ups"}


def find(name: str) -> "Play":
    """Return the play's flow. Raise SettingsError with the names there are."""
    stem = name.replace("-", "_")
    if stem not in names():
        known = ", ".join(n.replace("_", "-") for n in names())
        raise SettingsError(f"there is no play {name!r}. There are: {known}.")
    found: Play = getattr(importlib.import_module(f"playbooks.{stem}"), stem)
    return found
