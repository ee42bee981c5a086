"""Reads what is known of an incident from a file, as of any time."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from playbooks.duties import facts as facts_of
from playbooks.duties.anchor_names import anchor_names
from playbooks.duties.derive import Known
from playbooks.duties.errors import AnchorError, FactError
from playbooks.duties.holding_up import Hold
from playbooks.duties.moment import Moment, parse
from playbooks.duties.reading import Rulebook
from playbooks.duties.starts import checked, short

KEYS = {"incident", "facts", "anchors", "shadows", "holds", "changes"}
SHADOWS = {"acknowledged", "first_sign"}
_CHANGE = {"at", "by", "why", "facts", "anchors", "shadows", "holds", "withdrawn"}
_HOLD = {"authority", "since", "until", "written", "document", "regimes"}


def known(raw: object, book: Rulebook, as_of: Moment | None = None) -> Known:
    """Return what is known, with every change that was recorded by then (all, where no time).

    Raises FactError, AnchorError or MomentError; the message says where and what was expected.
    """
    top = _mapping(raw, "the file", KEYS)
    facts, anchors = dict(_part(top, "facts")), dict(_part(top, "anchors"))
    shadows, holds = dict(_part(top, "shadows")), list(top.get("holds") or ())
    for i, change in enumerate(top.get("changes") or ()):
        where = f"changes[{i}]"
        each = _mapping(change, where, _CHANGE)
        at = _moment(each.get("at"), f"{where}.at")
        if as_of is not None and at.first > as_of.last:
            continue
        for name in each.get("withdrawn") or ():
            facts.pop(name, None)
            anchors.pop(name, None)
        facts |= _part(each, "facts")
        anchors |= _part(each, "anchors")
        shadows |= _part(each, "shadows")
        holds += each.get("holds") or ()
    return Known(
        facts_of.read(facts),
        named(anchors, book),
        _shadows(shadows),
        tuple(_hold(h, f"holds[{i}]") for i, h in enumerate(holds)),
    )


def named(raw: Mapping[str, object], book: Rulebook) -> dict[str, Moment]:
    """Return the anchors with their moments. Raises AnchorError for a name that nothing knows."""
    found: dict[str, Moment] = {}
    for name, value in raw.items():
        regime, slash, own = name.rpartition("/")
        moment = _moment(value, name)
        if slash:
            rule = book.regime(regime)
            found |= {f"{regime}/{n}": m for n, m in checked(rule, {own: moment}).items()}
        elif short(name) in anchor_names() and not name.startswith("stage:"):
            found[short(name)] = moment
        else:
            raise AnchorError(
                f"{name} is no anchor. An event of anchors.yaml such as awareness or discovery was "
                "expected, or REGIME/stage:ID for when a duty's notice went out"
            )
    return found


def _shadows(raw: Mapping[str, object]) -> dict[str, Moment]:
    if unknown := set(raw) - SHADOWS:
        raise AnchorError(f"shadows: {sorted(unknown)}: only {sorted(SHADOWS)} stand in for events")
    return {name: _moment(value, name) for name, value in raw.items()}


def _hold(raw: object, where: str) -> Hold:
    each = _mapping(raw, where, _HOLD)
    if missing := {"authority", "since", "document"} - set(each):
        raise FactError(f"{where}: {', '.join(sorted(missing))} missing: who asked, when, on what")
    if not isinstance(each.get("written"), bool):
        raise FactError(f"{where}.written: true or false was expected: is there a document?")
    until = each.get("until")
    return Hold(
        str(each["authority"]),
        _moment(each["since"], f"{where}.since"),
        each["written"],
        str(each["document"]),
        _moment(until, f"{where}.until") if until else None,
        tuple(map(str, each.get("regimes") or ())),
    )


def _moment(value: object, where: str) -> Moment:
    """Return the moment; YAML may have made a date or a time of the text already."""
    if isinstance(value, datetime | date):
        value = value.isoformat()
    if not isinstance(value, str):
        raise FactError(f"{where}: a time with its zone was expected, not {value!r}")
    return parse(value)


def _part(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = raw.get(name) or {}
    if not isinstance(part, Mapping):
        raise FactError(f"{name}: a mapping was expected, not {part!r}")
    return part


def _mapping(raw: object, where: str, keys: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise FactError(f"{where}: a mapping of {', '.join(sorted(keys))} was expected")
    if unknown := set(map(str, raw)) - set(keys):
        raise FactError(f"{where}: {', '.join(sorted(unknown))}: only {', '.join(sorted(keys))}")
    return raw
