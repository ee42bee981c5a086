"""`stanch duties clock` and `derive`: what is due by when, from what is given; no Stanch needed."""

from pathlib import Path
from typing import Annotated

import typer

from playbooks.desk.cli.duties_wording import show_clock, show_derived
from playbooks.desk.cli.surroundings import Json, show_json
from playbooks.duties import facts_file
from playbooks.duties.calculator import calculate
from playbooks.duties.derive import derive as derived
from playbooks.duties.duty import DISCLAIMER
from playbooks.duties.errors import FactError
from playbooks.duties.moment import parse
from playbooks.duties.reading import holding, shipped, with_own
from playbooks.duties.scope import anchor_tasks, questions
from playbooks.duties.shown import duty_json, question_json, task_json
from playbooks.duties.yaml_given import yaml_given

Rules = Annotated[
    Path | None, typer.Option(help="A folder of rule files of your own: contracts, policies.")
]


def clock(
    regime: str,
    stage: str,
    anchor: Annotated[
        list[str] | None,
        typer.Option(help="KIND=TIME, such as awareness=2026-11-20T16:30[Europe/Berlin]."),
    ] = None,
    fact: Annotated[list[str] | None, typer.Option(help="K=V, such as residents.CA=501.")] = None,
    rules: Rules = None,
    json: Json = False,
) -> None:
    """Compute one clock: when a notice is due, by which counting rule, step by step."""
    book = with_own(shipped(), rules) if rules else holding(regime)
    duty = calculate(book, regime, stage, pairs(anchor, "anchor"), pairs(fact, "fact"))
    if json:
        show_json(duty_json(duty))
    else:
        show_clock(duty)


def derive(
    facts: Annotated[Path, typer.Argument(help="A YAML file of facts, anchors and changes.")],
    as_of: Annotated[
        str, typer.Option(help="Only what was recorded by then, such as 2026-11-21T09:00Z.")
    ] = "",
    rules: Rules = None,
    everything: Annotated[bool, typer.Option("--all", help="Show all that may be owed.")] = False,
    json: Json = False,
) -> None:
    """Derive every duty of an incident from a file of facts."""
    at = parse(as_of) if as_of else None
    book = with_own(shipped(), rules)
    known = facts_file.known(loaded_facts(facts), book, at)
    duties = derived(book, known)
    if json:
        show_json(
            {
                "as_of": at.json() if at else None,
                "notice": DISCLAIMER,
                "duties": [duty_json(d) for d in duties],
                "questions": [question_json(q) for q in questions(duties)],
                "anchors_to_record": [task_json(t) for t in anchor_tasks(duties)],
            }
        )
    else:
        show_derived(duties, everything=everything)


def pairs(given: list[str] | None, what: str) -> dict[str, str]:
    """Return K=V options as a mapping. Raises FactError for one that is none, or twice."""
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name or name in found:
            raise FactError(f"--{what} {text}: NAME=VALUE was expected, each name once")
        found[name] = value
    return found


def loaded_facts(path: Path) -> object:
    """Return what the file says. Raises FactError where it is no YAML."""
    found = yaml_given(path, FactError)
    return {} if found is None else found
