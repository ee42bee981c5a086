"""`stanch freeze`: change nothing more, in one account or in all, until it is lifted."""

from typing import Annotated

import typer

from playbooks.case.freezing import freeze as freeze_now
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import EVERYWHERE
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.errors import SettingsError
from playbooks.intake.printable import printable as must_be_printable
from playbooks.wiring import people
from playbooks.wiring.settings import Settings

Account = Annotated[str, typer.Option(help="An account, 12 digits, or a Vault; all when left out.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the ledger.")]


def freeze(key: Key, reason: Reason, account: Account = "") -> None:
    """Stop Stanch from changing anything; evidence and clocks go on, and half-way changes end."""
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    where = place(settings, account)
    must_be_printable("reason", reason, limit=500)
    made = freeze_now(db, Record(person, parts.now, parts.random), where, reason)
    checkpoint(db, parts)
    console = out()
    console.print(f"[bold]frozen[/]: {said(where)}, by {printable(made.by)}.")
    console.print(
        "A call that was on its way may still arrive; `stanch show` says what was done and what "
        f"waits. To go on: stanch unfreeze{f' --account {account}' if account else ''}"
    )


def place(settings: Settings, account: str) -> str:
    """Return what to freeze. Raise SettingsError for an account or a Vault that is not in them."""
    if account and account not in (*settings.accounts, *settings.vaults):
        raise SettingsError(
            f"account {account!r} is not in the settings, so nothing is changed there anyway. "
            "Leave --account out to freeze all."
        )
    return account or EVERYWHERE


def said(place: str) -> str:
    """Return in words what is frozen."""
    return "every account" if place == EVERYWHERE else f"account {place}"
