"""A form as data: its fields, what may answer each, what is to be filled. Nothing is guessed."""

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from playbooks.duties import forbidden
from playbooks.duties.contents import items
from playbooks.duties.duty import Duty
from playbooks.duties.errors import LetterError
from playbooks.duties.letter_layout import barred
from playbooks.duties.letters import is_gap, refuse_unprintable
from playbooks.duties.moment import Moment
from playbooks.duties.organisation import Organisation
from playbooks.duties.vocabulary import loaded

NOTICE = "not legal advice"
SHAPE = (
    "The field names are Stanch's own, shaped after this form; they are not its official schema."
)


@dataclass(frozen=True)
class Field:
    """One field; `items` of contents/*.yaml, or `organisation.name` and the like, may answer it.

    Its own key, `group.name`, answers it before they do. `must`: it is missing if nothing does.
    """

    asks: str
    items: tuple[str, ...] = ()
    must: bool = False


@dataclass(frozen=True)
class Form:
    """A form of an authority: where it is from, its fields by group, its groups by duty."""

    name: str
    after: str
    url: str
    groups: Mapping[str, Mapping[str, Field]]
    stages: Mapping[str, tuple[str, ...]]

    def fields(self, duty: Duty) -> Mapping[str, Field]:
        """Return the duty's fields by `group.name`. Raises LetterError for a duty of another."""
        if duty.key not in self.stages:
            raise LetterError(
                f"{duty.key}: the form {self.name} is for {', '.join(self.stages)}; "
                "write a letter for this duty"
            )
        there = self.stages[duty.key]
        return {f"{g}.{name}": field for g in there for name, field in self.groups[g].items()}


def form(name: str) -> Form:
    """Return the form that stands in the YAML file of that name, beside this one."""
    said = loaded(Path(__file__).parent / f"{name}.yaml")
    groups = {
        group: {
            str(n): Field(f["asks"], tuple(f.get("items", ())), f.get("must", False))
            for n, f in fields.items()
        }
        for group, fields in said["groups"].items()
    }
    stages = {key: tuple(there) for key, there in said["stages"].items()}
    return Form(said["name"], said["after"], said["url"], groups, stages)


def sheet(
    form: Form, duty: Duty, organisation: Organisation, filled: Mapping[str, str]
) -> dict[str, object]:
    """Return the form as JSON values: what is known in its fields, None where it is not.

    `missing` says of each field that must be filled which keys of `filled` may answer it;
    `forbidden` what the rule forbids to say, which is left out; `unused` what no field takes.
    Raises LetterError for a duty that is not reported on the form, and for a key that neither
    the form nor contents/*.yaml knows.
    """
    fields = form.fields(duty)
    _refuse_unknown(filled, fields, form)
    ours = {f"organisation.{name}": text for name, text in asdict(organisation).items()}
    refuse_unprintable({**ours, **filled})
    kept = {i: t for i, t in filled.items() if not is_gap(t)}
    refused = forbidden.found(barred(duty), kept, {})
    given = {**ours, **{i: t for i, t in kept.items() if i not in barred(duty)}}
    answers = {path: _answer(path, field, given) for path, field in fields.items()}
    content: dict[str, dict[str, str | None]] = {}
    for path, (text, _) in answers.items():
        group, _, name = path.partition(".")
        content.setdefault(group, {})[name] = text
    taken = {source for _, source in answers.values()}
    return {
        "draft": True,
        "notice": NOTICE,
        "form": {"name": form.name, "after": form.after, "url": form.url, "shape": SHAPE},
        "rule": {
            "duty": duty.key,
            "name": duty.regime.name,
            "citation": duty.regime.citation,
            "recipient": duty.stage.recipient,
            "binding": duty.binding,
            "confidence": duty.confidence,
            "sources": list(duty.sources),
        },
        "due": {
            "act_on": _said(duty.clock.conservative_due),
            "last_lawful": _said(duty.clock.legal_latest),
        },
        "content": content,
        "missing": [
            {"field": path, "asks": field.asks, "fill": [path, *field.items]}
            for path, field in fields.items()
            if field.must and answers[path][0] is None
        ],
        "forbidden": [each.says for each in refused],
        "unused": [i for i in kept if i in given and i not in taken],
    }


def _answer(path: str, field: Field, given: Mapping[str, str]) -> tuple[str | None, str]:
    """Return what answers the field and by which key, or None."""
    found = next((key for key in (path, *field.items) if given.get(key, "").strip()), "")
    return (given[found], found) if found else (None, "")


def _said(due: Moment | None) -> str | None:
    return due.said() if due else None


def _refuse_unknown(filled: Mapping[str, str], fields: Mapping[str, Field], form: Form) -> None:
    known = {*fields, *items()}
    wrong = [
        f"{key} (near it: {', '.join(difflib.get_close_matches(key, known, 3)) or 'nothing'})"
        for key in filled
        if key not in known
    ]
    if wrong:
        raise LetterError(
            f"{form.name} asks for no {'; '.join(wrong)}: use its fields, or contents/*.yaml"
        )
