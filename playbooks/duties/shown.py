"""Duties as JSON, and the words that every page of them carries."""

from typing import Any

from playbooks.duties.duty import DISCLAIMER, Clock, Duty
from playbooks.duties.moment import Moment
from playbooks.duties.scope import AnchorTask, Question

_TRUTH = {True: "yes", False: "no", None: "unknown"}


def clock_json(clock: Clock) -> dict[str, Any]:
    """Return a clock: instants as ISO 8601 text, days as `{date, zone}`, what is not as null."""
    return {
        "state": clock.state,
        "conservative_due": _json(clock.conservative_due),
        "legal_latest": _json(clock.legal_latest),
        "counting_rule": clock.counting or None,
        "alternatives": [
            {"rule": a.rule, "due": _json(a.due), "says": a.says} for a in clock.alternatives
        ],
        "target": _json(clock.target),
        "not_before": _json(clock.not_before),
        "shadow": _json(clock.shadow),
        "missing_anchors": list(clock.missing),
        "derivation": list(clock.derivation),
    }


def duty_json(duty: Duty) -> dict[str, Any]:
    """Return a duty with its clock, what it rests on, and the disclaimer."""
    shown = clock_json(duty.clock)
    return {
        "regime": duty.regime.id,
        "stage": duty.stage.id,
        "status": shown.pop("state"),
        **shown,
        "applies": _TRUTH[duty.applies.truth],
        "why": list(duty.applies.why),
        "settled_by": list(duty.applies.settles),
        "binding": duty.binding,
        "rule_status": duty.regime.status,
        "recipient": duty.stage.recipient,
        "recipient_type": duty.stage.to,
        "completion": duty.stage.completion,
        "citation": duty.regime.citation,
        "confidence": duty.confidence,
        "sources": list(duty.sources),
        "notice": DISCLAIMER,
    }


def _json(moment: Moment | None) -> str | dict[str, str] | None:
    return moment.json() if moment else None


def question_json(question: Question) -> dict[str, Any]:
    """Return a question of scope."""
    return {
        "fact": question.fact,
        "ask": question.ask,
        "expects": question.expects,
        "duties": question.waiting,
    }


def task_json(task: AnchorTask) -> dict[str, Any]:
    """Return an event to record, with the date that its stand-in gives."""
    return {
        "anchor": task.anchor,
        "means": task.means,
        "priority": "P1",
        "duties": list(task.duties),
        "surely_owed": task.owed,
        "shadow": _json(task.earliest),
    }
