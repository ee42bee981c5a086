"""`stanch duties list` and `explain`: what the rules are, and how many of them give dates."""

from collections import Counter
from typing import Annotated, Any

import typer

from playbooks.desk.cli.surroundings import Json, out, printable, show_json
from playbooks.duties.contents import items
from playbooks.duties.duty import DISCLAIMER
from playbooks.duties.errors import RuleError
from playbooks.duties.reading import holding, shipped
from playbooks.duties.rule import Regime, Stage
from playbooks.duties.survey import CLASSES, classed, length_said


def list_(
    regime: Annotated[str, typer.Option(help="Only regimes whose id starts so.")] = "",
    json: Json = False,
) -> None:
    """List the duties of all rules: computed, targeted (no date in the law) and undetermined."""
    rows = [(r, s) for r in shipped().regimes() if r.id.startswith(regime) for s in r.stages]
    surveyed = Counter(classed(s) for _, s in rows if not s.added)
    added = sum(s.added for _, s in rows)
    if json:
        counts: dict[str, Any] = {name: surveyed[name] for name in CLASSES}
        counts |= {"sum": surveyed.total(), "added": added}
        each = [_row(r, s) for r, s in rows]
        show_json({"counts": counts, "stages": each, "notice": DISCLAIMER})
        return
    console = out()
    for r, s in rows:
        row = {name: printable(value) for name, value in _row(r, s).items()}
        console.print(
            f"[bold]{row['duty']}[/]  {row['class']}: {row['within']}, from {row['from']}; "
            f"to {row['to']}; {row['status']}, {row['confidence']}"
        )
    said = ", ".join(f"{surveyed[name]} {name}" for name in CLASSES)
    console.print(f"{said}: {surveyed.total()} stages; {added} more were added by later checks")
    console.print(f"[bold]{DISCLAIMER}[/]")


def explain(
    duty: Annotated[str, typer.Argument(help="REGIME or REGIME/STAGE.")], json: Json = False
) -> None:
    """Tell what a rule says: whom it binds, when, with what contents, and what that rests on."""
    id_, _, stage = duty.partition("/")
    regime = holding(id_).regime(id_)
    stages = [s for s in regime.stages if not stage or s.id == stage]
    if not stages:
        there = ", ".join(s.id for s in regime.stages)
        raise RuleError(f"{id_} has no stage {stage}; it has: {there}")
    if json:
        show_json({"regime": _regime(regime), "stages": [_stage(s) for s in stages]})
        return
    console = out()
    for name, value in _regime(regime).items():
        if value:
            console.print(f"[bold]{name}[/]: {printable(_text(value))}")
    for s in stages:
        console.print(f"\n[bold]{regime.id}/{s.id}[/]")
        for name, value in _stage(s).items():
            if value:
                console.print(f"  {name}: {printable(_text(value))}")


def _row(regime: Regime, stage: Stage) -> dict[str, str]:
    return {
        "duty": f"{regime.id}/{stage.id}",
        "to": stage.to,
        "from": stage.anchor,
        "within": length_said(stage.deadline),
        "class": classed(stage),
        "status": regime.status,
        "confidence": stage.confidence or regime.confidence,
    }


def _regime(regime: Regime) -> dict[str, Any]:
    return {
        "id": regime.id,
        "name": regime.name,
        "citation": regime.citation,
        "url": regime.url,
        "status": regime.status,
        "since": regime.since and regime.since.isoformat(),
        "until": regime.until and regime.until.isoformat(),
        "binds": regime.binds,
        "event": regime.event,
        "threshold": regime.threshold,
        "law_enforcement": regime.law_enforcement and regime.law_enforcement.says,
        "records": regime.records,
        "penalties": regime.penalties,
        "credit_monitoring": regime.credit_monitoring,
        "substitute_notice": regime.substitute_notice,
        "note": regime.note,
        "confidence": regime.confidence,
        "sources": list(regime.sources),
        "checks": [f"{c.field}: {c.verdict}: {c.says} ({c.source})" for c in regime.checks],
        "notice": DISCLAIMER,
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "stage": stage.id,
        "recipient": stage.recipient,
        "from": ", ".join((stage.anchor, *stage.or_anchors)),
        "within": length_said(stage.deadline),
        "completion": stage.completion,
        "channel": stage.channel,
        "contents": [items()[name] for name in stage.contents],
        "prohibited": [items()[name] for name in stage.prohibited],
        "before": list(stage.before),
        "combines": list(stage.combines),
        "exemptions": list(stage.exemptions),
        "extension": stage.extension,
        "late": stage.late,
        "phased": stage.phased,
        "prior": [f"until {p.until}: {p.says}" for p in stage.prior],
        "note": stage.note,
        "confidence": stage.confidence,
        "added": stage.added,
    }


def _text(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
