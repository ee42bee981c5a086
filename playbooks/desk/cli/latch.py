"""`stanch latch`: plan the service control policies that hold a denial in place, and check them."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from actions.aws.clients import Aws
from actions.aws.latch_principal import LatchPrincipal
from actions.engine import Steps
from playbooks.case import store
from playbooks.case.store import Store
from playbooks.desk.cli.surroundings import Json, here, out, printable, show_json
from playbooks.errors import SettingsError
from playbooks.latch import organisation, trying
from playbooks.latch.borrowing import borrowing
from playbooks.latch.holding import compared
from playbooks.latch.organisation import Found
from playbooks.latch.planned import UNBOUND, Planned, planned
from playbooks.latch.probe import Canary, Sighting
from playbooks.wiring.latch_part import Latch
from playbooks.wiring.settings import Settings, load

app = typer.Typer(help="Hold denials in place from above the accounts: plan it, check and try it.")
Birds = list[tuple[str, Canary, Sighting]]


@app.command()
def plan(
    partition: Annotated[str, typer.Option(help="aws, aws-cn or aws-us-gov.")] = "aws",
) -> None:
    """Print the policies to make, where to attach them, and whom the organisation must let write.

    As JSON, from stanch.toml alone: reads nothing, changes nothing. Whoever holds the management
    account makes it so.
    """
    settings = load()
    show_json(_planned(settings, _part(settings), partition).json())


@app.command()
def check(
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Do not try it: latch no canary.")
    ] = False,
    json: Json = False,
) -> None:
    """Read the organisation: is the latch there, as planned, with room, and who may change it?

    Then try it: latch each account's canary role, see its calls denied, unlatch it. Leaves with
    exit status 1 when something is bad.
    """
    part = _part(load())
    settings, parts, db = here()
    admin = parts.aws(part.admin, _regions(settings, part.admin)[0])
    wanted = _planned(settings, part, admin.partition)
    held = _held(part, db, parts.now())
    found, birds, providers = list(_read(settings, part, admin, wanted, held)), Birds(), {}
    for account in settings.accounts.keys() - {part.management}:
        try:
            providers[account] = parts.aws(account, _regions(settings, account)[0])
        except SettingsError as error:
            found.append(Found(f"account {account}", "bad", str(error)))
    regions = {account: _regions(settings, account) for account in providers}
    there = trying.canaries(part, providers, regions, borrowing(settings), parts.now)
    for one in there:
        if isinstance(one, Found):
            found.append(one)
        else:
            birds.append(one)
    if not read_only:
        found += trying.tried(part, admin, birds, _drive)
    bad = any(one.level == "bad" for one in found)
    if json:
        show_json({"well": not bad, "found": [asdict(one) for one in found]})
    else:
        _tell(found)
    if bad:
        sys.exit(1)


def _held(part: Latch, db: Store, now: datetime) -> dict[str, str]:
    """Return whom incidents hold by the latch, as recorded: ARN -> incident."""
    target = LatchPrincipal(part.admin, part.policy or "", ()).target
    holds = db.read(lambda conn: store.holds(conn, target, now))
    done = [hold for hold in holds if hold.intent.phase == "done"]
    return {arn: h.incident for h in done for arn, on in h.intent.plan.wanted.items() if on}


def _read(
    settings: Settings, part: Latch, admin: Aws, wanted: Planned, held: dict[str, str]
) -> Iterator[Found]:
    try:
        yield from organisation.policies(admin.organizations, part, wanted)
        there = organisation.named(admin.organizations, part)
        if there is not None:
            yield from compared(there, held, part.canary)
        yield from organisation.bound(admin.organizations, part, settings.accounts)
        yield from organisation.writers(admin.organizations, part)
    except (ClientError, BotoCoreError) as error:
        ours = admin.translate(error)
        yield Found(
            "organisation",
            "bad",
            f"cannot be read from account {part.admin}: {ours}",
            "Put the delegation that `stanch latch plan` prints, and give Stanch's role there the "
            "same permissions.",
        )


def _regions(settings: Settings, account: str) -> tuple[str, ...]:
    if account not in settings.accounts:
        raise SettingsError(
            f"account {account} of [latch] is not in the settings. "
            f'Add [accounts."{account}"] to stanch.toml.'
        )
    return settings.accounts[account].regions or ("us-east-1",)


def _part(settings: Settings) -> Latch:
    if settings.latch is None:
        raise SettingsError(
            "there is no [latch] in the settings. Where an organisation exists, name its "
            "management account, id and delegated administrator there (docs/operations/latch.md); "
            "without one every denial is race-exposed."
        )
    return settings.latch


def _planned(settings: Settings, part: Latch, partition: str) -> Planned:
    return planned(part, settings.accounts, partition)


def _drive(steps: Steps[Any]) -> Any:
    while True:
        try:
            seconds = next(steps)
        except StopIteration as end:
            return end.value
        time.sleep(seconds)


def _tell(found: list[Found]) -> None:
    console = out()
    for level, colour in (("bad", "red"), ("warn", "yellow"), ("ok", "green")):
        for one in (one for one in found if one.level == level):
            says = f"{one.what.rstrip('.')}. {one.do}" if one.do else one.what
            console.print(f"[{colour}]{level:5}[/]{printable(one.about)}: {printable(says)}")
    for line in UNBOUND:
        console.print(f"never bound: {printable(line)}")
