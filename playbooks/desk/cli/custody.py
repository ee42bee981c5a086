"""`stanch custody`: who holds the evidence of a case, what holds it, and when it may go."""

import typer

from playbooks.desk.cli import (
    custody_check,
    custody_hand,
    custody_hold,
    custody_keep,
    custody_read,
    custody_show,
    custody_sign,
)

app = typer.Typer(help="Custody of evidence: handovers, legal holds, retention, disposal, checks.")
app.command()(custody_show.show)
app.command()(custody_hand.transfer)
app.command()(custody_hold.hold)
app.command()(custody_hold.release_hold)
app.command()(custody_keep.retain)
app.command()(custody_keep.dispose)
app.command()(custody_sign.sign)
app.command()(custody_read.read)
app.command()(custody_check.check)
