"""Single values of an entry as commitments, so that one can be withheld or erased on its own.

A personal value stands in the body that the leaf commits to as {"commitment": hex}, which is
HMAC-SHA256(salt, canonical JSON of the value) under 32 random bytes of its own: the pattern of
SD-JWT (RFC 9901, section 4.2). Its opening (salt and value) lies apart. Who has no opening learns
nothing, also of a value that could be guessed, and every proof holds without it. A place is a JSON
pointer (RFC 6901) into the body, or `actor`, whose commitment is canonical JSON as text.
Standard library only, for the verifier reads it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evidence.errors import CanonicalError, LedgerError
from evidence.strict_json import canonical_form, parse_canonical

ACTOR = "actor"
# How a commitment begins in canonical JSON; within a string its quotes would be escaped.
MARK = b'{"commitment":"'

_HEX = re.compile(r"[0-9a-f]{64}")
# RFC 6901, section 4: no leading zeros.
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class OpenValue:
    """A value with its opening: where it stands, its 32-byte salt, and its canonical JSON."""

    place: str
    salt: bytes
    value: bytes

    @property
    def commitment(self) -> str:
        """What stands in its place, in hex."""
        return value_commitment(self.salt, self.value)


def value_commitment(salt: bytes, value: bytes) -> str:
    """Return the commitment to a value's canonical JSON, in hex."""
    return hmac.digest(salt, value, hashlib.sha256).hex()


def committed(
    seed: bytes, actor: str, body: dict[str, Any], places: Iterable[str]
) -> tuple[bytes, str, dict[str, Any], list[OpenValue]]:
    """Return the entry's salt, the actor and body to commit to, and the openings of what is hidden.

    `seed` is 32 random bytes that are kept nowhere. Every salt is derived from it, so that none
    tells another: the entry's is disclosed wherever the entry is, also when a value is not.
    """
    values, made = [], body
    for place in sorted(set(places)):
        salt = hmac.digest(seed, b"value\x00" + place.encode(), hashlib.sha256)
        found = actor if place == ACTOR else at(body, place)
        one = OpenValue(place, salt, canonical_form(found))
        values.append(one)
        if place == ACTOR:
            actor = canonical_form({"commitment": one.commitment}).decode()
        else:
            made = _put(made, place.split("/")[1:], {"commitment": one.commitment})
    if not values:
        return seed, actor, body, []
    return hmac.digest(seed, b"entry", hashlib.sha256), actor, made, values


def restored(
    actor: str, body: dict[str, Any], values: Iterable[OpenValue]
) -> tuple[str, dict[str, Any]]:
    """Return actor and body with every open value in its place; the others stay commitments.

    Raises:
        LedgerError: when a value is not what is committed to in its place.
    """
    for one in values:
        if _commitment(parsed(actor) if one.place == ACTOR else at(body, one.place)) != (
            one.commitment
        ):
            raise LedgerError(f"the value of {one.place} is not what its entry commits to")
        value = parsed(one.value.decode())
        if one.place == ACTOR:
            if not isinstance(value, str):
                raise LedgerError("the value of the actor is no text")
            actor = value
        else:
            body = _put(body, one.place.split("/")[1:], value)
    return actor, body


def hidden(actor: str, body: Mapping[str, Any]) -> dict[str, str]:
    """Return place -> commitment, in hex, of every value that is not open."""
    found = {}
    if (one := _commitment(parsed(actor))) is not None:
        found[ACTOR] = one
    return found | dict(_hidden(body, ""))


def at(value: Any, pointer: str) -> Any:
    """Return what a JSON pointer names, None where there is nothing."""
    for token in pointer.split("/")[1:]:
        name = _name(token)
        if isinstance(value, Mapping) and token_of(name) == token:
            value = value.get(name)
        elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            return None
    return value


def token_of(name: str) -> str:
    """Return a member's name as it stands in a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def parsed(text: str) -> Any:
    """Return what canonical JSON says, None for text that is none."""
    try:
        return parse_canonical(text.encode())
    except (CanonicalError, UnicodeEncodeError):
        return None


def _hidden(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if (one := _commitment(value)) is not None:
        yield pointer, one
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _hidden(inner, f"{pointer}/{token_of(name)}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _hidden(inner, f"{pointer}/{number}")


def _commitment(value: Any) -> str | None:
    if not isinstance(value, Mapping) or value.keys() != {"commitment"}:
        return None
    found = value["commitment"]
    return found if isinstance(found, str) and _HEX.fullmatch(found) else None


def _name(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _put(value: Any, tokens: list[str], new: Any) -> Any:
    """Return a copy of a value with `new` where the tokens lead; what is not changed is shared."""
    if not tokens:
        return new
    name = _name(tokens[0])
    if isinstance(value, Mapping):
        return {**value, name: _put(value[name], tokens[1:], new)}
    number = int(name)
    return [*value[:number], _put(value[number], tokens[1:], new), *value[number + 1 :]]
