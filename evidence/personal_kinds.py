"""Which values of which kinds of entries are personal: who acted, who was told, whom it is about.

Each pattern is `actor`, a JSON pointer whose `*` stands for every element, or `LOOKS`: every text
of the body that is, or names, an e-mail address, an IP address, or the ARN of a user or of a
session. Member names are never hidden, nor are names within other texts. Kinds that are not here
hold none as a rule, or hold what the ledger itself is checked by.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from evidence.personal import ACTOR, token_of

LOOKS = "**"
# Who is nobody: the deployment itself.
MACHINES = frozenset({"stanch", "settings"})

# A person does these, or may have done them.
_ACTED = (
    "access.read",
    "action.undone",
    "approval.lapsed",
    "case.allowed",
    "freeze.lifted",
    "freeze.set",
    "hold.released",
    "key.added",
    "point.needless",
    "release.lifted",
    "relogin.proven",
    "review.applied",
    "review.opened",
    "review.reported",
    "review.started",
    "rotation.noted",
    "severity.raised",
)
_DUTIES = tuple(
    f"duty.{name}"
    for name in ("fact", "anchor", "withdrawn", "hold", "sent", "decided", "checked", "confirmed")
)
# What was signed of custody can be withheld, but is not erased (`evidence.erasing`). Disposal,
# redaction and erasure are not here: what they allow to be missing hangs on who signed for it.
_SIGNED = (ACTOR, "/signatures")
PERSONAL: Mapping[str, tuple[str, ...]] = (
    {
        "custody.brought": _SIGNED,
        "custody.transfer": (*_SIGNED, "/statement/from", "/statement/to"),
        "hold.set": _SIGNED,
        "hold.release": _SIGNED,
        "retention.extend": _SIGNED,
        "notification": ("/told",),
        "approval.asked": (ACTOR, LOOKS),
        "approval.answered": (ACTOR, "/approver", "/proof"),
        "review.decided": (ACTOR, "/decisions/*/row", "/decisions/*/proof"),
        "review.escalated": ("/told",),
        "review.closed": (ACTOR, "/proof"),
        "case.open": (LOOKS,),
        "alert.joined": (LOOKS,),
        "alert.repeated": (LOOKS,),
        "indicator.noted": (LOOKS,),
        "action.intent": (LOOKS,),
    }
    | dict.fromkeys(_ACTED, (ACTOR,))
    | dict.fromkeys(_DUTIES, (ACTOR, "/proof", LOOKS))
)

_ADDRESS = r"\d{1,3}(?:\.\d{1,3}){3}(?:/32)?"
_ADDRESS6 = r"(?=[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:)[0-9A-Fa-f:.]{3,45}(?:/128)?"
_MAIL = r"[^@]*+(?:@[^@]*+)*?(?<=[^\s@<>,;])@[^\s@<>,;]+\.[^\s@<>,;]+.*"
_PERSON = r".*arn:aws[a-z-]*:(?:iam::\d{12}:user/|sts::\d{12}:(?:assumed-role|federated-user)/).*"
_LOOKS = re.compile("|".join((_ADDRESS, _ADDRESS6, _MAIL, _PERSON)), re.DOTALL | re.ASCII)


def plain(kind: str, actor: str) -> bool:
    """Tell, before its body is read, whether an entry has no personal value."""
    patterns = PERSONAL.get(kind, ())
    return not patterns or (patterns == (ACTOR,) and actor in MACHINES)


def personal(kind: str, actor: str, body: Mapping[str, Any]) -> list[str]:
    """Return the places of an entry's personal values, none within another."""
    found: set[str] = set()
    for pattern in PERSONAL.get(kind, ()):
        if pattern == ACTOR:
            found |= set() if actor in MACHINES else {ACTOR}
        elif pattern == LOOKS:
            found |= set(_looking(body))
        else:
            found |= set(_matching(body, pattern.split("/")[1:], ""))
    return sorted(one for one in found if not found.intersection(_above(one)))


def _looking(value: Any) -> Iterator[str]:
    """Yield pointers; each alert waits for it, so they are made for what is found alone."""
    if isinstance(value, str):
        if _LOOKS.fullmatch(value):
            yield ""
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            for rest in _looking(inner):
                yield f"/{token_of(name)}{rest}"
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            for rest in _looking(inner):
                yield f"/{number}{rest}"


def _matching(value: Any, tokens: list[str], pointer: str) -> Iterator[str]:
    if not tokens:
        if value is not None:
            yield pointer
        return
    for token, inner in _inside(value):
        if tokens[0] in ("*", token):
            yield from _matching(inner, tokens[1:], f"{pointer}/{token}")


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((token_of(name), inner) for name, inner in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(number), inner) for number, inner in enumerate(value))


def _above(pointer: str) -> list[str]:
    return [pointer[:place] for place, letter in enumerate(pointer) if letter == "/" and place]
