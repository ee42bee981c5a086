"""Finds every action by walking this package: a file with an action in it is all it takes."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_type_hints

import actions
from actions.action import Action, Lens
from actions.errors import UnfitError
from actions.journal import Json
from actions.one_way import OneWay


@cache
def catalogue() -> Mapping[str, type[Action[Any]]]:
    """Return every action by its name, which is the stem of its file."""
    found: dict[str, type[Action[Any]]] = {}
    for info in pkgutil.walk_packages(actions.__path__, "actions."):
        module = importlib.import_module(info.name)
        for kind in vars(module).values():
            if (
                isinstance(kind, type)
                and issubclass(kind, Action)
                and kind.__module__ == info.name
                and kind not in (Action, Lens, OneWay)
            ):
                found[info.name.rpartition(".")[2]] = kind
    return dict(sorted(found.items()))


def revive(name: str, recorded: Mapping[str, Json]) -> Action[Any]:
    """Return the action that `fields_of` recorded. Raise UnfitError for an unknown name."""
    kind = catalogue().get(name)
    if kind is None:
        raise UnfitError(
            f"no action is called {name!r} in this version of Stanch; it was recorded by another. "
            "Run the version that recorded it, or act by hand."
        )
    hints = get_type_hints(kind)
    return kind(**{f.name: _typed(hints[f.name], recorded[f.name]) for f in fields(kind)})


def _typed(hint: Any, value: Json) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return hint(**value)
    return tuple(value) if isinstance(value, list) else value
