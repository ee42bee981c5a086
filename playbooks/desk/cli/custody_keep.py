"""`stanch custody retain` and `dispose`: until when evidence is kept, and its end."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from evidence.custody.disposal import refuse_unerasable
from evidence.custody.follow import what_stays
from evidence.custody.record import view
from evidence.custody.signing import state
from evidence.custody.statement import DISPOSED, RETAIN
from evidence.errors import CustodyError
from evidence.leaf import stamp
from playbooks.desk.cli.custody_hold import Output, Reason
from playbooks.desk.cli.custody_paper import Paper, pass_on, pseudonym, signed_by
from playbooks.desk.cli.surroundings import Key, here
from playbooks.wiring import people


def retain(
    incident: str,
    until: Annotated[str, typer.Option(help="A date (to its end in UTC), or a time with a zone.")],
    key: Key,
    reason: Reason,
    artifact: Annotated[
        list[str] | None, typer.Option(help="An artifact's id; the whole case when left out.")
    ] = None,
) -> None:
    """Keep artifacts, or the whole case, until a time; it can be extended, never cut short."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    named = sorted(set(artifact)) if artifact else None
    more = {"until": stamp(end(until)), "artifacts": named}
    said = state(RETAIN, pseudonym(db, incident), parts.now(), reason, **more)
    pass_on(db, parts, signed_by(Paper(incident, said), person, secret, parts), person, None)


def dispose(
    incident: str, artifacts: list[str], key: Key, reason: Reason, output: Output = None
) -> None:
    """Sign that sealed artifacts are erased; it is done when another person has signed it too.

    Their keys are destroyed. Their hashes, manifests and entries stay, and so do all proofs.
    """
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    case = pseudonym(db, incident)
    found = db.read(lambda conn: view(conn, incident))
    kept = []
    for one in sorted(set(artifacts)):
        if one not in found.artifacts:
            raise CustodyError(f"artifact {one} is none of this case; see `stanch custody show`")
        refuse_unerasable(found, found.artifacts[one], parts.locker)
        kept.append(what_stays(found.artifacts[one]))
    said = state(DISPOSED, case, parts.now(), reason, kept=kept)
    pass_on(db, parts, signed_by(Paper(incident, said), person, secret, parts), person, output)


def end(text: str) -> datetime:
    """Return the moment until which something is kept. Raise CustodyError for text that is none."""
    try:
        if len(text) == len("2027-01-31"):
            day = date.fromisoformat(text) + timedelta(days=1)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CustodyError(f"{text!r} is no time; expected 2027-01-31 or 2027-01-31T12:00:00Z")
    return moment
