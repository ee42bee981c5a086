"""`stanch open`: open an incident by hand."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from playbooks.desk.cli.respond import Patience, WithoutPrefect, rehearsed, show_plan
from playbooks.desk.cli.surroundings import Json, Key, here
from playbooks.desk.cli.told import tell_ending
from playbooks.errors import SettingsError
from playbooks.respond.opening import open_by_hand
from playbooks.respond.run import PATIENCE, run
from playbooks.respond.scratch import scratch
from playbooks.wiring import people


def open_incident(
    play: Annotated[str, typer.Option(help="The play to run, such as compromised-instance.")],
    target: Annotated[
        str, typer.Option(help="i-..., user/NAME, role/NAME, AKIA..., or a Vault's name.")
    ],
    reason: Annotated[str, typer.Option(help="Why; it stands in the ledger.")],
    key: Key,
    account: Annotated[str, typer.Option(help="The account, 12 digits.")] = "",
    region: Annotated[str, typer.Option(help="The region, for what has one.")] = "",
    since: Annotated[
        str, typer.Option(help="The first sign, such as 2026-01-31T23:59:59Z, where known.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    json: Json = False,
    without_prefect: WithoutPrefect = False,
    prefect_patience: Patience = PATIENCE,
) -> None:
    """Open an incident and enter its play: your word stands in for a finding."""
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    aim = {"account": account, "region": region, "id": target}
    first = _moment(since)
    if dry_run:
        with scratch(parts) as (apart, empty):
            found = open_by_hand(apart, empty, play, aim, reason, person, first)
            show_plan(found, asyncio.run(rehearsed(apart, empty, found.id)), as_json=json)
        return
    incident = open_by_hand(parts, db, play, aim, reason, person, first)
    ending = run(parts, db, incident.id, prefect=not without_prefect, patience=prefect_patience)
    tell_ending(db, incident.id, ending, as_json=json)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise SettingsError(
            f"{text!r} is no time. Give --since as 2026-01-31T23:59:59Z."
        ) from error
