"""Single values that an entry commits to apart: open ones fit, and of the rest somebody tells."""

import copy
import re
from collections.abc import Iterator
from typing import Any

from tests.evidence.second.findings import WrongError, need
from tests.evidence.second.texts import HASH, canonical, dumps, hmac_hex, matches, members

ACTOR = "actor"
WHERE = re.compile(r"actor|(?:/(?:[^/~]|~0|~1)*)+")
INDEX = re.compile(r"0|[1-9][0-9]*")


def told_alone(text: str) -> Any:
    """Return what a text says when it is canonical JSON, else None."""
    try:
        return canonical(text.encode("utf-8"))
    except ValueError:
        return None


def commitment_in(value: Any) -> str | None:
    """Return the commitment that stands in place of a value, None where a value stands."""
    if not isinstance(value, dict) or set(value) != {"commitment"}:
        return None
    found = value["commitment"]
    return found if isinstance(found, str) and HASH.fullmatch(found) else None


def restore(actor: str, body: dict[str, Any], listed: Any) -> tuple[str, dict[str, Any]]:
    """Return actor and body with each open value in its place, compared with its commitment."""
    need(isinstance(listed, list) and bool(listed), "values is no list of one at least")
    for one in listed:
        members(one, place=str, salt=str, value=str)
        matches(WHERE, one["place"])
        matches(HASH, one["salt"])
        need('{"commitment":"' not in one["value"], "a value lies within a value")
    places = [one["place"] for one in listed]
    need(places == sorted(set(places)), "values are not sorted by place, each once")
    made = {"": copy.deepcopy(body)}
    for one in listed:
        value = canonical(one["value"].encode("utf-8"))
        expected = {"commitment": hmac_hex(one["salt"], one["value"].encode("utf-8"))}
        if one["place"] == ACTOR:
            need(isinstance(value, str), "an actor is no text")
            need(actor == dumps(expected).decode(), "the actor's value is not the committed one")
            actor = value
            continue
        holder, name = find(made, one["place"])
        need(holder[name] == expected, "a value is not the committed one")
        holder[name] = value
    return actor, made[""]


def find(root: Any, pointer: str) -> tuple[Any, Any]:
    holder: Any = root
    name: Any = ""
    for token in pointer.split("/")[1:]:
        holder = holder[name]
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(holder, list) and INDEX.fullmatch(token) and int(token) < len(holder):
            name = int(token)
        elif not isinstance(holder, dict) or name not in holder:
            raise WrongError("a value's place is not in the body")
    return holder, name


def hidden(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place and the commitment of each value that is not open."""
    found = commitment_in(value)
    if found is not None:
        yield place, found
    elif isinstance(value, dict):
        for name, inner in value.items():
            token = name.replace("~", "~0").replace("/", "~1")
            yield from hidden(inner, f"{place}/{token}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from hidden(inner, f"{place}/{number}")


def all_hidden(actor: str, body: Any) -> dict[str, str]:
    found = commitment_in(told_alone(actor))
    return dict(hidden(body)) | ({} if found is None else {ACTOR: found})
