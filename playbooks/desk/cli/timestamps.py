"""`stanch timestamps renew`: have every authority stamp now what the others stamped before."""

import typer

from playbooks.case.stamping import stamp
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.errors import SettingsError
from playbooks.wiring import timestamp_terms

app = typer.Typer(help="Timestamps of outside authorities on the ledger.")


@app.callback()
def timestamps() -> None:
    """Timestamps of outside authorities on the ledger."""


@app.command()
def renew() -> None:
    """Have every authority stamp the ledger's head, with the entries that note all tokens so far.

    Then each shows what the others stamped before, should one of them be revoked.
    """
    settings, parts, db = here()
    askable = timestamp_terms.authorities(settings)
    names = [one.pinned.name for one in askable if one.url]
    if len(names) < 2:
        raise SettingsError(
            f"{len(names)} authorities are asked, and one renews what another stamped: two are "
            "needed. Add them under [timestamps] in stanch.toml, each with a url."
        )
    failed = 0
    for outcome in stamp(db, parts, askable, names):
        failed += bool(outcome.failed)
        said = outcome.failed or f"stamped {outcome.size} entries"
        out().print(f"{printable(outcome.authority)}: {printable(said)}")
    if failed:
        raise typer.Exit(1)
