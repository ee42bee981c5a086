"""`stanch duties letter`: a notice as Word, PDF or JSON; a draft until it is released."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from playbooks.desk.cli.duties_clock import Rules, loaded_facts
from playbooks.desk.cli.duties_dates import write_new
from playbooks.desk.cli.duties_known import refreshed
from playbooks.desk.cli.surroundings import out, printable
from playbooks.duties import facts_file
from playbooks.duties.derive import Known, by_key, derive
from playbooks.duties.duty import DISCLAIMER, Duty
from playbooks.duties.errors import LetterError
from playbooks.duties.moment import Moment
from playbooks.duties.organisation import Organisation
from playbooks.duties.reading import shipped, with_own
from playbooks.notification.doings import Doing, Doings

if TYPE_CHECKING:
    from playbooks.duties.letters import Letter

_FILL = {"organisation", "contents", "signed_by"}


@dataclass(frozen=True)
class _Filled:
    organisation: Organisation
    contents: Mapping[str, str]
    signed_by: str


Form = Callable[["Letter", Duty, _Filled, bool], bytes]


def letter(
    duty: Annotated[str, typer.Argument(help="REGIME/STAGE.")],
    fill: Annotated[Path, typer.Option(help="YAML: organisation, contents by item, signed_by.")],
    into: Annotated[Path, typer.Option("--out", help="A new .docx, .pdf or .json file.")],
    incident: Annotated[str, typer.Option(help="An incident, INC-0001.")] = "",
    facts: Annotated[Path | None, typer.Option(help="Or a YAML file of facts.")] = None,
    cover: Annotated[bool, typer.Option("--cover", help="With our cover: why, when.")] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Take the draft's mark off, if it is fit.")
    ] = False,
    passed: Annotated[
        list[str] | None, typer.Option("--pass", help="A finding looked at and cleared.")
    ] = None,
    rules: Rules = None,
) -> None:
    """Write a notice. Released, it is refused while the law wants another notice out first."""
    # Templates take a while to import, and no other command needs them.
    from playbooks.duties import letters
    from playbooks.notification.releasing import release as released

    if bool(incident) == (facts is not None):
        raise LetterError("name an --incident, or a file of --facts, and not both")
    form = _form(into)
    duties, done, known = _known(incident, facts, rules)
    if duty not in duties:
        raise LetterError(f"{duty}: there is no such duty; `stanch duties list` has them all")
    filled = _filled(fill)
    made = letters.draft(
        duties[duty],
        filled.organisation,
        filled.contents,
        signed_by=filled.signed_by,
        known=_told(known),
    )
    console = out()
    if release:
        made = released(made, duties, done, passed=passed or ())
    write_new(into, form(made, duties[duty], filled, cover))
    console.print(f"{'released' if release else 'draft'} {printable(str(into))}")
    for item in made.missing:
        console.print(f"  [yellow]to fill[/] {item}")
    for one in made.forbidden:
        console.print(f"  [red]forbidden[/] {printable(one.says)}")
    rests = f"{made.citation}; {made.confidence}; {', '.join(made.sources)}"
    console.print(printable(rests))
    console.print(f"[bold]{DISCLAIMER}[/]")


def _known(
    incident: str, facts: Path | None, rules: Path | None
) -> tuple[Mapping[str, Duty], Doings, Known]:
    if facts is None:
        _, _, found = refreshed(incident)
        return found.duties, found.done, found.known
    book = with_own(shipped(), rules)
    known = facts_file.known(loaded_facts(facts), book)
    went = {name: at for name, at in known.anchors.items() if "/stage:" in name}
    done = {name.replace("/stage:", "/"): _went_out(at) for name, at in went.items()}
    return by_key(derive(book, known)), Doings(done), known


def _went_out(at: Moment) -> Doing:
    # Of a file nothing more is known than that the notice went out.
    return Doing(sent=at, received=at, acknowledged=at)


def _told(known: Known) -> dict[str, str]:
    """Return what of the incident a letter may be forbidden to give away."""
    persons = known.facts.given.get("persons")
    return {"number_affected": str(persons)} if persons is not None else {}


def _filled(path: Path) -> _Filled:
    raw: object = loaded_facts(path)
    if not isinstance(raw, Mapping) or (unknown := set(map(str, raw)) - _FILL):
        more = f", not {', '.join(sorted(unknown))}" if isinstance(raw, Mapping) else ""
        raise LetterError(f"{path}: {', '.join(sorted(_FILL))} were expected{more}")
    names = [f.name for f in dataclasses.fields(Organisation)]
    given = raw.get("organisation") or {}
    if not isinstance(given, Mapping) or "name" not in given or set(given) - set(names):
        raise LetterError(f"{path}: organisation: a mapping of {', '.join(names)} was expected")
    contents = raw.get("contents") or {}
    if not isinstance(contents, Mapping):
        raise LetterError(f"{path}: contents: a mapping of item and text was expected")
    return _Filled(
        Organisation(**{str(k): str(v) for k, v in given.items()}),
        {str(k): str(v) for k, v in contents.items() if v is not None},
        str(raw.get("signed_by") or ""),
    )


def _form(into: Path) -> Form:
    forms: dict[str, Form] = {".docx": _docx, ".pdf": _pdf, ".json": _json}
    if into.suffix.lower() not in forms:
        raise LetterError(f"--out {into}: a file that ends with {', '.join(forms)} was expected")
    return forms[into.suffix.lower()]


def _docx(made: "Letter", duty: Duty, filled: _Filled, cover: bool) -> bytes:
    # Each of these takes a while to import, and only its own form needs it.
    from playbooks.duties.docx_form import document

    return document(made, with_cover=cover)


def _pdf(made: "Letter", duty: Duty, filled: _Filled, cover: bool) -> bytes:
    from playbooks.duties.pdf_form import document

    return document(made, with_cover=cover)


def _json(made: "Letter", duty: Duty, filled: _Filled, cover: bool) -> bytes:
    """Return the authority's form as data where there is one, else the letter's parts."""
    from playbooks.duties.forms import FORMS

    told: Mapping[str, object]
    if duty.key in FORMS:
        told = FORMS[duty.key](duty, filled.organisation, filled.contents)
    else:
        told = {
            "duty": made.duty,
            "recipient": made.recipient,
            "citation": made.citation,
            "confidence": made.confidence,
            "sources": list(made.sources),
            "notice": dataclasses.asdict(made.notice),
            **({"cover": dataclasses.asdict(made.cover)} if cover else {}),
            "missing": list(made.missing),
            "disclaimer": DISCLAIMER,
        }
    return (json.dumps(told, indent=2) + "\n").encode("ascii")
