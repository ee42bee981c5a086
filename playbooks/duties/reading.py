"""Reads the rule files: schema, names and cross references; what is wrong does not load."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from playbooks.duties.anchor_names import AnchorName, anchor_names
from playbooks.duties.condition import condition
from playbooks.duties.contents import items
from playbooks.duties.errors import MomentError, RuleError
from playbooks.duties.moment import zone as zone_of
from playbooks.duties.rule import Deadline, Jurisdiction, Regime, Stage
from playbooks.duties.vocabulary import Vocabulary, vocabulary
from playbooks.duties.working_days import Calendar, calendar
from playbooks.duties.yaml_given import yaml_given

RULES = Path(__file__).parent / "rules"

# Ids stand in addresses, file names and on terminals.
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}", re.ASCII)
# A length that is longer is a slip, and would lead beyond the calendar.
_LONGEST = 10_000
# What a deadline of each kind must have; everything else but variants must be absent.
_HAS: dict[str, set[str]] = {
    "fixed": {"value", "unit"},
    "qualitative": {"standard", "target"},
    "qualitative_with_outer_limit": {"standard", "value", "unit"},
    "relative": {"to", "order"},
    "end_of_period": set(),
    "earliest_of": {"of"},
    "matrix": {"variants"},
    "user_supplied": {"target"},
}
_MAY: dict[str, set[str]] = {
    "relative": {"value", "unit", "standard"},
    "end_of_period": {"days_after", "month", "day"},
    "earliest_of": {"standard"},
    "user_supplied": {"standard"},
    "fixed": {"standard", "month", "day"},
}


@dataclass(frozen=True)
class Rulebook:
    """All regimes by id, each with the file that it stands in."""

    jurisdictions: tuple[Jurisdiction, ...]

    @functools.cached_property
    def homes(self) -> Mapping[str, Jurisdiction]:
        """Return the jurisdiction of each regime id."""
        return {r.id: j for j in self.jurisdictions for r in j.regimes}

    def regimes(self) -> Iterator[Regime]:
        """Yield each regime."""
        return (r for j in self.jurisdictions for r in j.regimes)

    def regime(self, id: str) -> Regime:
        """Return the regime. Raises RuleError that names those near it."""
        return _named(id, {r.id: r for r in self.regimes()})


def rulebook(folder: Path = RULES) -> Rulebook:
    """Return every rule file of the folder. Raises RuleError: one bad file, and none is used."""
    found = tuple(read(path) for path in sorted(folder.glob("*.y*ml")))
    seen: dict[str, str] = {}
    for each in found:
        for regime in each.regimes:
            if regime.id in seen:
                raise RuleError(f"{each.jurisdiction}: {regime.id} stands in {seen[regime.id]} too")
            seen[regime.id] = each.jurisdiction
    return Rulebook(found)


def with_own(book: Rulebook, folder: Path | None) -> Rulebook:
    """Return the rules with those of a folder of one's own: contracts, insurers, internal rules.

    Raises RuleError where one of them has an error, or an id that is taken.
    """
    if folder is None:
        return book
    own = rulebook(folder)
    if not own.jurisdictions:
        raise RuleError(f"{folder}: there is no rule file (*.yaml) in it")
    if taken := sorted(set(own.homes) & set(book.homes)):
        raise RuleError(f"{folder}: {', '.join(taken)}: the id is taken; give it another one")
    return Rulebook((*book.jurisdictions, *own.jurisdictions))


def holding(regime: str, folder: Path = RULES) -> Rulebook:
    """Return the one rule file that holds the regime, or all where its name does not tell.

    A file is named for its jurisdiction, which most ids begin with; reading all takes half a
    second, which one clock need not wait for.
    """
    words = regime.split("-") if _ID.fullmatch(regime) else ()
    for count in range(len(words), 0, -1):
        path = folder / f"{'-'.join(words[:count])}.yaml"
        found = read(path) if path.exists() else None
        if found and any(r.id == regime for r in found.regimes):
            return Rulebook((found,))
    return rulebook(folder)


@functools.cache
def shipped() -> Rulebook:
    """Return the rules that Stanch ships with."""
    return rulebook()


@functools.cache
def read(path: Path) -> Jurisdiction:
    """Return what one rule file says. Raises RuleError that names file, regime and field."""
    where = path.name
    raw = yaml_given(path, RuleError)
    if not isinstance(raw, dict) or not isinstance(raw.get("regimes"), list):
        raise RuleError(f"{where}: a mapping with `regimes` was expected")
    regimes = [_conditions(r, vocabulary(), f"{where}: {_id(r)}") for r in raw["regimes"]]
    try:
        found = _ADAPTER.validate_python({**raw, "regimes": regimes})
    except ValidationError as error:
        raise RuleError(_first(error, regimes, where)) from None
    _zone(found.zone, where)
    _calendars(found, where)
    for regime in found.regimes:
        _fit(regime, where)
    return found


_ADAPTER = TypeAdapter(Jurisdiction)


def _named(id: str, there: Mapping[str, Regime]) -> Regime:
    import difflib

    if id in there:
        return there[id]
    near = ", ".join(difflib.get_close_matches(id, there, 5)) or "see `stanch duties list`"
    raise RuleError(f"{id}: there is no such regime; near it: {near}")


def _id(raw: object) -> str:
    return str(raw.get("id", "a regime without id")) if isinstance(raw, Mapping) else "a regime"


def _conditions(raw: object, words: Vocabulary, where: str) -> object:
    """Return the regime with its written predicates made into predicates."""
    if not isinstance(raw, Mapping):
        raise RuleError(f"{where}: a mapping was expected")
    if "applies" not in raw:
        raise RuleError(
            f"{where}: no `applies`: a regime that binds everybody always does not load"
        )
    made = {**raw, "applies": condition(raw["applies"], words, f"{where}.applies")}
    stages = raw.get("stages") or ()
    made["stages"] = [_stage_conditions(s, words, where) for s in stages]
    return made


def _stage_conditions(raw: object, words: Vocabulary, where: str) -> object:
    if not isinstance(raw, Mapping):
        raise RuleError(f"{where}: a stage is a mapping, not {raw!r}")
    at = f"{where}.{raw.get('id', '?')}"
    made = dict(raw)
    if "when" in raw:
        made["when"] = condition(raw["when"], words, f"{at}.when")
    deadline = raw.get("deadline")
    if isinstance(deadline, Mapping):
        made["deadline"] = _deadline_conditions(deadline, words, f"{at}.deadline")
    made["prior"] = [
        {**p, "deadline": _deadline_conditions(p["deadline"], words, f"{at}.prior[{i}]")}
        if isinstance(p, Mapping) and isinstance(p.get("deadline"), Mapping)
        else p
        for i, p in enumerate(raw.get("prior") or ())
    ]
    return made


def _deadline_conditions(raw: Mapping[str, object], words: Vocabulary, at: str) -> object:
    made = dict(raw)
    if "relief" in raw:
        made["relief"] = condition(raw["relief"], words, f"{at}.relief")
    variants = raw.get("variants")
    if isinstance(variants, list):
        made["variants"] = [
            {**v, "when": condition(v.get("when"), words, f"{at}.variants[{i}].when")}
            for i, v in enumerate(variants)
            if isinstance(v, Mapping)
        ]
    return made


def _first(error: ValidationError, regimes: list[object], where: str) -> str:
    first = error.errors()[0]
    at: list[str] = []
    here: object = regimes
    for step in first["loc"]:
        if step == "regimes":
            continue
        named = here[step] if isinstance(here, list) and isinstance(step, int) else None
        at.append(_id(named) if isinstance(named, Mapping) and "id" in named else str(step))
        here = named if named is not None else here.get(step) if isinstance(here, Mapping) else None
    return f"{where}: {'.'.join(at) or 'the file'}: {first['msg']} (it says {first['input']!r:.80})"


def _zone(zone: str, where: str) -> None:
    try:
        zone_of(zone)
    except MomentError as error:
        raise RuleError(f"{where}: {error}") from None


def _calendars(found: Jurisdiction, where: str) -> None:
    names = {found.calendar, *(r.calendar for r in found.regimes)}
    names |= {s.calendar for r in found.regimes for s in r.stages}
    for name in names - {None}:
        try:
            _: Calendar = calendar(str(name))
        except RuleError as error:
            raise RuleError(f"{where}: {error}") from None


def _fit(regime: Regime, where: str) -> None:
    """Check what a schema cannot: that names stand for something and a kind has what it needs."""
    ids = [stage.id for stage in regime.stages]
    for id_ in (regime.id, *ids):
        if not _ID.fullmatch(id_):
            raise RuleError(f"{where}: {id_}: an id has a-z, 0-9, dot, dash and underscore only")
    sure = {stage.confidence for stage in regime.stages if not stage.sources} | {regime.confidence}
    if "verified-in-source" in sure and not regime.sources:
        raise RuleError(f"{where}: {regime.id}: verified-in-source, but it names no sources")
    if not ids or len(set(ids)) != len(ids):
        raise RuleError(f"{where}: {regime.id}: stages need ids, each once: {ids}")
    _anchor(regime.starts, ids, f"{where}: {regime.id}.starts")
    for stage in regime.stages:
        _fit_stage(stage, ids, f"{where}: {regime.id}.{stage.id}")


def _fit_stage(stage: Stage, ids: list[str], at: str) -> None:
    for anchor in (stage.anchor, *stage.or_anchors):
        _anchor(anchor, ids, f"{at}.anchor")
    _fit_deadline(stage.deadline, ids, at)
    for prior in stage.prior:
        if prior.deadline is not None:
            _fit_deadline(prior.deadline, ids, f"{at}.prior")
    for other in (*stage.before, *(c for c in stage.combines if "/" not in c)):
        if other not in ids:
            raise RuleError(f"{at}: names the stage {other}, which is not among {ids}")
    for item in (*stage.contents, *stage.prohibited):
        if item not in items():
            raise RuleError(f"{at}.contents: {item} is not explained in contents/*.yaml")


def _fit_deadline(deadline: Deadline, ids: list[str], at: str) -> None:
    has = {n for n in Deadline.__dataclass_fields__ if getattr(deadline, n) not in (None, ())}
    has -= {"kind"}
    needs, may = _HAS[deadline.kind], _MAY.get(deadline.kind, set()) | {"variants", "relief"}
    if missing := needs - has:
        raise RuleError(f"{at}.deadline: {deadline.kind} needs {', '.join(sorted(missing))}")
    if extra := has - needs - may:
        raise RuleError(f"{at}.deadline: {deadline.kind} has no {', '.join(sorted(extra))}")
    if deadline.kind == "end_of_period" and not (
        deadline.days_after is not None or (deadline.month and deadline.day)
    ):
        raise RuleError(f"{at}.deadline: end_of_period needs days_after, or month and day")
    if deadline.month and deadline.day:
        try:
            date(2001, deadline.month, deadline.day)
        except ValueError:
            raise RuleError(f"{at}.deadline: not every year has that month and day") from None
    lengths = [deadline.value, deadline.days_after, *(v.value for v in deadline.variants)]
    lengths += [limb.value for limb in deadline.of]
    lengths += [deadline.target.value] if deadline.target else []
    if wrong := [n for n in lengths if n is not None and not 0 <= n <= _LONGEST]:
        raise RuleError(f"{at}.deadline: {wrong[0]} lies outside 0 to {_LONGEST:,}")
    if deadline.to is not None and deadline.to not in ids:
        raise RuleError(f"{at}.deadline.to: {deadline.to} is not among {ids}")
    for limb in deadline.of:
        _anchor(limb.anchor, ids, f"{at}.deadline.of")


def _anchor(name: str, ids: list[str], at: str) -> None:
    known: Mapping[str, AnchorName] = anchor_names()
    stage = name.removeprefix("stage:").partition("(")[0]
    if name in known or (name.startswith("stage:") and stage in ids):
        return
    raise RuleError(
        f"{at}: {name} is neither an anchor of anchors.yaml nor `stage:` of this regime"
    )
