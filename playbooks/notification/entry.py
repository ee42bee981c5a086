"""What may be recorded of a notification: its kinds, and what each must say, strictly checked."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, get_args

from playbooks.duties import facts as facts_of
from playbooks.duties import facts_file
from playbooks.duties.moment import Moment, parse
from playbooks.duties.reading import Rulebook
from playbooks.duties.rule import Regime, Stage
from playbooks.duties.vocabulary import vocabulary
from playbooks.notification.entry_kinds import CHECKS, Kind
from playbooks.notification.errors import EntryError

LONGEST: Final = 500
KINDS: Final = get_args(Kind)
_WAYS: Final = ("not_notifying", "no_longer_owed")
_DIGEST: Final = re.compile("[0-9a-f]{64}")
# What each kind says; `?` may be left out. `why` and `evidence` may stand with each.
_SAYS: Final[Mapping[str, str]] = {
    "fact": "facts",
    "anchor": "anchors",
    "withdrawn": "names",
    "hold": "authority since written document until? regimes?",
    "sent": "duty sent? received? acknowledged? how? by? proof? artifact? late?",
    "not_notifying": "duty how rule",
    "checklist": "duty? items",
    "confirmed": "duty rule",
}


def checked(kind: str, body: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    """Return the body in its one form: full names, moments with their zones.

    `now` is aware; what has not happened yet is refused. Raises EntryError, or what the duties say
    of a fact, a moment or an anchor that is none.
    """
    if kind not in KINDS:
        raise EntryError(f"{kind!r} cannot be recorded; expected one of {', '.join(KINDS)}")
    _shaped(kind, body)
    said = {name: value for name, value in body.items() if value not in ("", [], {}, None)}
    for name in ("why", "evidence", "how", "by", "late", "authority", "document", "artifact"):
        if name in said:
            said[name] = text(said[name], name)
    if "why" not in said:
        raise EntryError("say why (--why): it stands in the log for whoever asks later")
    # What no longer is owed may be so because its rule is gone.
    if "duty" in said and said.get("how") != "no_longer_owed":
        stage_of(str(said["duty"]), book)
    more: dict[str, Any] = _READERS[kind](said, book, now)
    return said | more


def stage_of(duty: str, book: Rulebook) -> tuple[Regime, Stage]:
    """Return the regime and the stage. Raises RuleError or EntryError for what is not there."""
    id, slash, stage_id = duty.partition("/")
    regime = book.regime(id)
    stage = regime.stage(stage_id)
    if not slash or stage is None:
        there = ", ".join(f"{id}/{s.id}" for s in regime.stages)
        raise EntryError(f"{duty!r} is no duty; expected REGIME/STAGE, one of {there}")
    return regime, stage


def text(value: object, name: str) -> str:
    """Return text of a person. Raises EntryError for what is none, or could act on a terminal."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
        raise EntryError(f"{name}: 1 to {LONGEST} characters were expected")
    if not value.isprintable():
        raise EntryError(f"{name}: it has characters that cannot be printed; write one line")
    return value.strip()


def past(value: object, name: str, now: datetime) -> Moment:
    """Return the moment of what has happened. Raises MomentError or EntryError."""
    moment = parse(str(value))
    if moment.first > now:
        raise EntryError(
            f"{name}: {moment.said()} lies in the future; record it once it has happened"
        )
    return moment


def _shaped(kind: str, body: Mapping[str, Any]) -> None:
    words = _SAYS[kind].split()
    must = {w for w in words if not w.endswith("?")}
    may = {w.rstrip("?") for w in words} | {"why", "evidence"}
    if (lacking := must - body.keys()) or (more := body.keys() - may):
        wrong = ", ".join(sorted(lacking)) + " missing" if lacking else f"{sorted(more)} too many"
        raise EntryError(f"{kind}: {wrong}; expected {', '.join(sorted(may))}")


def _facts(said: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    given = _texts(said.get("facts"), "facts")
    facts_of.read(given)
    return {"facts": {vocabulary().find(name)[0]: value for name, value in given.items()}}


def _anchors(said: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    given = _texts(said.get("anchors"), "anchors")
    for name in given:
        if name.rpartition("/")[2].startswith("stage:"):
            raise EntryError(f"{name}: a notice that went out is recorded by `stanch duties sent`")
    found = facts_file.named(given, book)
    return {"anchors": {n: past(m.said(), n, now).said() for n, m in found.items()}}


def _withdrawn(said: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    names = said.get("names")
    if not isinstance(names, list) or not names or len(names) > 100:
        raise EntryError("names: 1 to 100 names of what is withdrawn were expected")
    return {"names": [text(name, "names") for name in names]}


def _hold(said: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    if not isinstance(said.get("written"), bool):
        raise EntryError("written: true or false was expected: is there a document?")
    found: dict[str, Any] = {"since": past(said["since"], "since", now).said()}
    if "until" in said:
        found["until"] = parse(str(said["until"])).said()
    for id in said.get("regimes", ()):
        book.regime(str(id))
    return found


def _sent(said: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    names = [name for name in ("sent", "received", "acknowledged") if name in said]
    if not names:
        raise EntryError("say when it was sent (--at), --received or --acknowledged")
    if "proof" in said and not _DIGEST.fullmatch(str(said["proof"])):
        raise EntryError("proof: the SHA-256 of the proof's file was expected, in hex")
    return {name: past(said[name], name, now).said() for name in names}


def _decided(said: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    if said["how"] not in _WAYS:
        raise EntryError(f"how: one of {', '.join(_WAYS)} was expected")
    return _rule(said, book, now)


def _rule(said: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    if not _DIGEST.fullmatch(str(said["rule"])):
        raise EntryError("rule: the SHA-256 of the rule was expected, in hex")
    return {}


def _checklist(said: Mapping[str, Any], book: Rulebook, now: datetime) -> dict[str, Any]:
    items = _texts(said.get("items"), "items")
    if unknown := items.keys() - CHECKS.keys():
        raise EntryError(f"{', '.join(sorted(unknown))}: expected {', '.join(CHECKS)}")
    return {"items": {name: text(value, name) for name, value in items.items()}}


def _texts(given: object, name: str) -> dict[str, str]:
    if not isinstance(given, Mapping) or not given or len(given) > 200:
        raise EntryError(f"{name}: 1 to 200 names, each with its value, were expected")
    return {str(key): text(value, str(key)) for key, value in given.items()}


_READERS: Final[Mapping[str, Any]] = {
    "fact": _facts,
    "anchor": _anchors,
    "withdrawn": _withdrawn,
    "hold": _hold,
    "sent": _sent,
    "not_notifying": _decided,
    "checklist": _checklist,
    "confirmed": _rule,
}
