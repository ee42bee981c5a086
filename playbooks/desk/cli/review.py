"""`stanch review`: who may do what, who decided that they keep it, and what was done about it."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import Review, ReviewRow
from playbooks.desk.cli import review_apply, review_end
from playbooks.desk.cli.surroundings import Json, Key, here, out, printable, show_json, visible
from playbooks.review import csv_form, starting
from playbooks.review.deciding import Choice, from_file
from playbooks.review.errors import DecisionError
from playbooks.review.hearing import hear
from playbooks.review.incident_scope import start_for_incident
from playbooks.wiring import people

app = typer.Typer(help="Review who has access to what: list, decide, carry out, report.")
app.command()(review_apply.apply)
app.command()(review_end.report)
app.command()(review_end.escalate)
app.command()(review_end.close)


@app.command()
def start(
    key: Key,
    account: Annotated[str, typer.Option(help="The account, 12 digits.")] = "",
    vault: Annotated[str, typer.Option(help="A Vault of the settings, by its name.")] = "",
    incident: Annotated[str, typer.Option(help="For this incident only, with --principal.")] = "",
    principal: Annotated[
        str, typer.Option(help="What could it reach? ACCOUNT/aws-global/user/NAME, or role.")
    ] = "",
) -> None:
    """List who may do what in an account or a Vault, or what one principal could reach."""
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    if [bool(account), bool(vault), bool(incident and principal)].count(True) != 1:
        raise DecisionError(
            "name an --account, or a --vault, or an --incident and a --principal, and one alone."
        )
    if vault:
        made = starting.start_in_vault(parts, db, vault, person)
    elif account:
        made = asyncio.run(starting.start(parts, db, account, person))
    else:
        made = start_for_incident(parts, db, incident, principal, person)
    console, what = out(), printable(account or vault or principal)
    console.print(f"[bold]{made.id}[/] {made.facts['rows']} rows of {what}")
    age = made.facts["report age in hours"]
    console.print(f"passwords, MFA and keys are {age} hours old")
    console.print(f"due {made.due:%Y-%m-%d %H:%M} UTC; what is undecided then is escalated")
    console.print(f"now stanch review list {made.id} --csv FILE   (or decide one by one)")


@app.command("list")
def list_(
    review: Annotated[str, typer.Argument()] = "",
    flag: Annotated[str, typer.Option(help="Only rows with this flag, such as admin.")] = "",
    undecided: Annotated[bool, typer.Option("--undecided", help="Only undecided rows.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write a new CSV file.")] = None,
    json: Json = False,
) -> None:
    """List the campaigns, or the rows of one; with --csv as a file to write decisions into."""
    _, _, db = here()
    if not review:
        _campaigns(
            db.read(lambda conn: [(r, stored.tally(conn, r.id)) for r in stored.reviews(conn)]),
            json,
        )
        return
    db.read(lambda conn: stored.review(conn, review))
    rows = [
        row
        for row in db.read(lambda conn: list(stored.review_rows(conn, review)))
        if (not flag or any(f.startswith(flag) for f in row.flags))
        and not (undecided and row.decided)
    ]
    if csv is not None:
        with os.fdopen(
            os.open(csv, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", newline=""
        ) as file:
            file.writelines(csv_form.out(review, rows))
        out().print(
            f"{len(rows)} rows in {printable(str(csv))}; write into its last two columns, then"
        )
        out().print(f"stanch review decide {review} --file FILE --key KEY")
    elif json:
        show_json([csv_form.shown(review, row) | _decision(row) for row in rows])
    else:
        _rows(rows)


@app.command()
def decide(
    review: str,
    row: Annotated[str, typer.Argument(help="The row's id, from `stanch review list`.")] = "",
    decision: Annotated[str, typer.Argument(help="keep, revoke, reduce or rotate.")] = "",
    *,
    key: Key,
    reason: Annotated[str, typer.Option(help="Why; it stands in the ledger.")] = "",
    file: Annotated[Path | None, typer.Option("--file", help="A CSV file with decisions.")] = None,
) -> None:
    """Decide on one row, or on all that a file has decisions for; signed with your own key.

    A file counts as a whole or not at all: who signs it signs all of it.
    """
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    if (file is None) == (not row or not decision):
        raise DecisionError("name a row and a decision, or a --file, and not both.")

    def chosen(rows: Mapping[str, ReviewRow]) -> list[Choice]:
        return from_file(review, _text(file), rows) if file else [Choice(row, decision, reason)]

    with reasons():
        count = hear(parts, db, review, person, secret, chosen)
    left = db.read(lambda conn: stored.tally(conn, review)).get("", 0)
    out().print(f"{count} decisions recorded, signed by {printable(person)}; {left} rows undecided")
    out().print(f"now stanch review apply {review} --key KEY")


@contextmanager
def reasons() -> Iterator[None]:
    """Print every reason for which a decision does not count, one a line; then it fails."""
    try:
        yield
    except DecisionError as error:
        for line in error.lines:
            typer.echo(visible(line), err=True)
        raise


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        data = opened.read(csv_form.MOST_BYTES + 1)
    if len(data) > csv_form.MOST_BYTES:
        raise DecisionError(f"{file} is larger than {csv_form.MOST_BYTES} bytes; split it.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise DecisionError(f"{file} is not UTF-8. Save it as CSV in UTF-8.") from None


def _decision(row: ReviewRow) -> dict[str, str]:
    made = row.decided
    if made is None:
        return {"decision": "", "reason": "", "reviewer": "", "incident": ""}
    said = {"decision": made.decision, "reason": made.reason, "reviewer": made.reviewer}
    return {**said, "incident": row.incident}


def _campaigns(found: list[tuple[Review, dict[str, int]]], as_json: bool) -> None:
    if as_json:
        show_json([{"id": r.id, "status": r.status, "rows": t} for r, t in found])
        return
    if not found:
        out().print("no access reviews.")
    for review, tally in found:
        total, left = sum(tally.values()), tally.get("", 0)
        done = f"{total - left} of {total} decided, due {review.due:%Y-%m-%d}"
        more = f", escalated {review.level} times" if review.level else ""
        out().print(
            f"{review.id}  {review.status:10}  {done}{more}, owner {printable(review.owner)}"
        )


def _rows(rows: list[ReviewRow]) -> None:
    if not rows:
        out().print("no rows.")
    for row in rows:
        used = f"{row.used:%Y-%m-%d}" if row.used else "never seen"
        made = f"{row.decided.decision} by {row.decided.reviewer}" if row.decided else "undecided"
        flags = f"  [yellow]{printable('; '.join(row.flags))}[/]" if row.flags else ""
        who = f"{printable(row.principal)}  {printable(row.privilege)}"
        owner = printable(row.owner or "-")
        out().print(f"{row.id}  {who}  used {used}  owner {owner}  {printable(made)}{flags}")
