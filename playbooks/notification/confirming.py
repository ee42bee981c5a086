"""Counsel confirms a rule: a person signs its digest, and a rule that changes is unconfirmed."""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from evidence import canonical
from playbooks.case.store.duties import LogRow
from playbooks.duties.reading import Rulebook
from playbooks.duties.rule import Regime, Stage


@dataclasses.dataclass(frozen=True, slots=True)
class Confirmed:
    """What was confirmed: the duties whose rule still reads so, and those whose rule changed."""

    duties: frozenset[str] = frozenset()
    changed: Mapping[str, LogRow] = dataclasses.field(default_factory=dict)
    by: Mapping[str, LogRow] = dataclasses.field(default_factory=dict)


def rule_digest(regime: Regime, stage: Stage) -> str:
    """Return SHA-256, in hex, over a stage and its regime without the other stages."""
    said = {"regime": _plain(regime), "stage": _plain(stage)}
    del said["regime"]["stages"]
    return hashlib.sha256(canonical.canonical(said)).hexdigest()


def confirmed(rows: Iterable[LogRow], book: Rulebook) -> Confirmed:
    """Return what the deployment's log confirms of this book's rules; the newest word counts."""
    newest: dict[str, LogRow] = {}
    for row in rows:
        if row.kind == "confirmed":
            newest[row.body["duty"]] = row
        elif row.kind == "withdrawn":
            for name in row.body["names"]:
                newest.pop(name, None)
    now = {duty: _now(duty, book) for duty in newest}
    same = {duty for duty, row in newest.items() if row.body["rule"] == now[duty]}
    changed = {duty: row for duty, row in newest.items() if duty not in same}
    return Confirmed(frozenset(same), changed, newest)


def _now(duty: str, book: Rulebook) -> str:
    """Return the digest of the rule as it now reads; nothing where it is gone."""
    id, _, stage_id = duty.partition("/")
    home = book.homes.get(id)
    regime = next((r for r in home.regimes if r.id == id), None) if home else None
    stage = regime.stage(stage_id) if regime else None
    return rule_digest(regime, stage) if regime and stage else ""


def _plain(value: Any) -> Any:
    """Return the value as JSON; a predicate names its kind, for two kinds have the same fields."""
    if dataclasses.is_dataclass(value):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"is": type(value).__name__} | fields
    if isinstance(value, frozenset | set):
        return sorted((_plain(v) for v in value), key=str)
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value.isoformat() if isinstance(value, date) else value
