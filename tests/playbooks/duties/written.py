"""Duties of every shipped stage, and organisations, for the tests of what is written about them."""

import dataclasses
from datetime import UTC, date, datetime

from playbooks.duties.condition import Answer
from playbooks.duties.duty import Alternative, Clock, Duty
from playbooks.duties.letter_layout import required
from playbooks.duties.moment import instant, whole
from playbooks.duties.organisation import Organisation
from playbooks.duties.reading import shipped
from playbooks.duties.rule import Regime, Stage

OURS = Organisation(
    "M\u00fcller & S\u00f6hne <AG>",
    address="Caf\u00e9stra\u00dfe 1, Z\u00fcrich",
    contact="dpo@example.org",
    identifier="5299 EXAMPLE",
    country="CH",
)
DUE = instant(datetime(2026, 11, 23, 15, 30, tzinfo=UTC), "Europe/Berlin")
LATEST = whole(date(2026, 11, 24), "Europe/Berlin")
CLOCK = Clock(
    state="due",
    conservative_due=DUE,
    legal_latest=LATEST,
    counting="elapsed",
    alternatives=(Alternative("eu-1182-71", LATEST, "the hour of the event is not counted"),),
    derivation=("aware on 2026-11-20", "72 hours later: 2026-11-23"),
)


def duty_of(regime: Regime, stage: Stage) -> Duty:
    """Return a duty that is due."""
    return Duty(
        regime,
        stage,
        Answer(True, ("role is controller",)),
        CLOCK,
        binding=True,
        confidence="verified-in-source",
        sources=("https://law.example/1",),
    )


def all_duties() -> list[Duty]:
    """Return a duty for each stage of each shipped rule."""
    return [duty_of(regime, stage) for regime in shipped().regimes() for stage in regime.stages]


def duty(key: str, **changed: object) -> Duty:
    """Return the duty of `regime/stage`, with fields of its stage changed."""
    regime_id, _, stage_id = key.partition("/")
    regime = shipped().regime(regime_id)
    stage = regime.stage(stage_id)
    assert stage is not None
    return duty_of(regime, dataclasses.replace(stage, **changed))  # type: ignore[arg-type]


def everything(of: Duty) -> dict[str, str]:
    """Return a text for each item that the duty's letter must have."""
    return {item: f"What is said about {item.replace('_', ' ')}." for item in required(of)}
