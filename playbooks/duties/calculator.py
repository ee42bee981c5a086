"""One clock from a regime, a stage, anchors and facts, as a calculator would take them."""

from collections.abc import Mapping
from dataclasses import replace

from playbooks.duties.derive import Known, of
from playbooks.duties.duty import Duty
from playbooks.duties.errors import RuleError
from playbooks.duties.facts import read
from playbooks.duties.moment import parse
from playbooks.duties.reading import Rulebook
from playbooks.duties.starts import checked


def calculate(
    book: Rulebook, regime: str, stage: str, anchors: Mapping[str, str], facts: Mapping[str, str]
) -> Duty:
    """Return the duty of one stage, taking people to be only where they were counted.

    Raises RuleError for an unknown regime or stage, AnchorError, MomentError and FactError.
    """
    rule, home = book.regime(regime), book.homes[regime]
    if rule.stage(stage) is None:
        there = ", ".join(s.id for s in rule.stages)
        raise RuleError(f"{regime} has no stage {stage}; it has: {there}")
    known = replace(read(facts), closed=True)
    moments = checked(rule, {name: parse(text) for name, text in anchors.items()})
    own = {f"{regime}/{name}": moment for name, moment in moments.items()}
    duties = of(home, rule, Known(known, own))
    return next(d for d in duties if d.stage.id == stage)
