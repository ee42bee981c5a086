"""Reads what is known of an incident from a file, as of any time."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from playbooks.duties import facts as facts_of
from playbooks.duties.anchor_names import anchor_names
from playbooks.duties.derive import Known
from playbooks.duties.errors import AnchorError, FactError, MomentError, shown
from playbooks.duties.holding_up import Hold
from playbooks.duties.moment import EXAMPLE, Moment, parse
from playbooks.duties.reading import Rulebook
from playbooks.duties.starts import checked, short

KEYS = {"incident", "facts", "anchors", "shadows", "holds", "changes"}
SHADOWS = {"acknowledged", "first_sign"}
_CHANGE = {"at", "by", "why", "facts", "anchors", "shadows", "holds", "withdrawn"}
_HOLD = {"authority", "since", "until", "written", "document", "regimes"}


def known(raw: object, book: Rulebook, as_of: Moment | None = None) -> Known:
    """Return what is known, with every change that was recorded by then (all, where no time).

    Changes count in the order in which they were recorded, wherever they stand in the file.
    Raises FactError, AnchorError or MomentError; the message says where and what was expected.
    """
    top = _mapping(raw, "the file", KEYS)
    facts, anchors = facts_of.flat(_part(top, "facts")), dict(_part(top, "anchors"))
    shadows, holds = dict(_part(top, "shadows")), _list(top, "holds")
    for at, where, change in _changes(top):
        if as_of is not None and at.first > as_of.last:
            continue
        for name in map(str, _list(change, "withdrawn", f"{where}.")):
            _withdraw(name, (facts, anchors), where)
        facts |= facts_of.flat(_part(change, "facts", f"{where}."))
        anchors |= _part(change, "anchors", f"{where}.")
        shadows |= _part(change, "shadows", f"{where}.")
        holds += _list(change, "holds", f"{where}.")
    return Known(
        facts_of.read(facts),
        named(anchors, book),
        _shadows(shadows),
        tuple(_hold(h, f"holds[{i}]", book) for i, h in enumerate(holds)),
    )


def _changes(top: Mapping[str, Any]) -> list[tuple[Moment, str, Mapping[str, Any]]]:
    found = []
    for i, change in enumerate(_list(top, "changes")):
        where = f"changes[{i}]"
        each = _mapping(change, where, _CHANGE)
        found.append((_moment(each.get("at"), f"{where}.at"), where, each))
    return sorted(found, key=lambda each: each[0].first)


def _withdraw(name: str, known_: Iterable[dict[str, Any]], where: str) -> None:
    # `residents` takes back the counts of all its places.
    full = next(iter(facts_of.flat({name: True})))
    gone = [
        (each, n)
        for each in known_
        for n in each
        if n in (name, full) or n.startswith(f"{full}.") or short(n) == name
    ]
    if not gone:
        raise FactError(f"{where}.withdrawn: {name}: no fact and no anchor of that name was known")
    for each, n in gone:
        del each[n]


def named(raw: Mapping[str, object], book: Rulebook) -> dict[str, Moment]:
    """Return the anchors with their moments. Raises AnchorError for a name that nothing knows."""
    found: dict[str, Moment] = {}
    for name, value in ((str(n), v) for n, v in raw.items()):
        regime, slash, own = name.rpartition("/")
        moment = _moment(value, name)
        if short(name) in found:
            raise AnchorError(f"{name}: {short(name)} is given twice; keep one of them")
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
    if unknown := set(map(str, raw)) - SHADOWS:
        raise AnchorError(f"shadows: {sorted(unknown)}: only {sorted(SHADOWS)} stand in for events")
    return {name: _moment(value, name) for name, value in raw.items()}


def _hold(raw: object, where: str, book: Rulebook) -> Hold:
    each = _mapping(raw, where, _HOLD)
    if missing := {n for n in ("authority", "since", "document") if each.get(n) in (None, "")}:
        raise FactError(f"{where}: {', '.join(sorted(missing))} missing: who asked, when, on what")
    if not isinstance(each.get("written"), bool):
        raise FactError(f"{where}.written: true or false was expected: is there a document?")
    since, until = _moment(each["since"], f"{where}.since"), each.get("until")
    end = None if until is None else _moment(until, f"{where}.until")
    if end is not None and end.last < since.first:
        raise FactError(
            f"{where}: it ended ({end.said()}) before it began ({since.said()}); correct one"
        )
    regimes = tuple(map(str, _list(each, "regimes", f"{where}.")))
    for regime in regimes:
        book.regime(regime)
    return Hold(str(each["authority"]), since, each["written"], str(each["document"]), end, regimes)


def _moment(value: object, where: str) -> Moment:
    """Return the moment; YAML may have made a date or a time of the text already."""
    if isinstance(value, datetime | date):
        value = value.isoformat()
    if not isinstance(value, str):
        what = "leave it out while it is not known" if value is None else f"not {shown(value)}"
        raise FactError(f"{where}: a time with its zone was expected, {what}; {EXAMPLE}")
    try:
        return parse(value)
    except MomentError as error:
        raise MomentError(f"{where}: {error}") from None


def _part(raw: Mapping[str, Any], name: str, where: str = "") -> Mapping[str, Any]:
    part = raw.get(name)
    if part is not None and not isinstance(part, Mapping):
        raise FactError(f"{where}{name}: a mapping (NAME: VALUE) was expected, not {shown(part)}")
    return part or {}


def _list(raw: Mapping[str, Any], name: str, where: str = "") -> list[Any]:
    part = raw.get(name)
    if part is not None and not isinstance(part, list | tuple):
        raise FactError(f"{where}{name}: a list was expected, not {shown(part)}")
    return list(part or ())


def _mapping(raw: object, where: str, keys: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise FactError(f"{where}: a mapping of {', '.join(sorted(keys))} was expected")
    if unknown := set(map(str, raw)) - set(keys):
        said = shown(", ".join(sorted(unknown)))
        raise FactError(f"{where}: {said} is not known; it has only {', '.join(sorted(keys))}")
    return raw
