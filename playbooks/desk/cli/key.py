"""`stanch key`: have other keys follow the deployment's own, and say which are not believed."""

import typer

from playbooks.desk.cli import key_revoke, key_rotate, key_show

app = typer.Typer(help="The deployment's own keys: changed, revoked by two people, shown.")
app.command()(key_rotate.rotate)
app.command()(key_revoke.revoke)
app.command()(key_revoke.sign)
app.command()(key_show.show)
