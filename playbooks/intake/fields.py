"""Pick fields out of a finding, whichever of AWS's two spellings it uses."""

from typing import TypeVar

from playbooks.intake.errors import FieldError
from playbooks.intake.strict_json import Json

_Shape = TypeVar("_Shape", bool, int, str, list[Json], dict[str, Json])
_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def pick(thing: Json, path: str) -> Json:
    """Return what lies under `path`, dotted and in camelCase, or None when it is not there.

    Each step accepts camelCase (EventBridge, the wire) and PascalCase (SDK and CLI), so mixed
    documents are read too. Raises FieldError when a step is no object, or is there in both
    spellings, since two readers would then see two findings.
    """
    for name in path.split("."):
        if thing is None:
            return None
        if not isinstance(thing, dict):
            raise FieldError(
                f"The finding's {path}: an object was expected above {name}, a"
                f" {type(thing).__name__} was found. Send the finding as GuardDuty gave it."
            )
        pascal = name[0].upper() + name[1:]
        if name in thing and pascal in thing:
            raise FieldError(
                f"The finding has both {name} and {pascal}; one spelling was expected."
                " Send the finding as GuardDuty gave it."
            )
        thing = thing.get(name, thing.get(pascal))
    return thing


def shaped(thing: Json, path: str, shape: type[_Shape]) -> _Shape | None:
    """Return `pick(thing, path)` when it has `shape`, None when absent; raises FieldError."""
    found = pick(thing, path)
    if found is None:
        return None
    if type(found) is not shape:  # isinstance would let True pass for 1
        raise FieldError(
            f"The finding's {path} is {ascii(found)[:60]}; {_NAMES[shape]} was expected."
            " Send the finding as GuardDuty gave it."
        )
    return found


def required(thing: Json, path: str) -> str:
    """Return the text under `path`; raises FieldError when it is absent or empty."""
    found = shaped(thing, path, str)
    if not found:
        raise FieldError(
            f"The finding has no {path}, so it cannot be told apart from others."
            " Send the whole finding as GuardDuty gave it."
        )
    return found
