"""`stanch duties`: what the law wants, from whom, by when."""

import typer

from playbooks.desk.cli import duties_clock, duties_rules

app = typer.Typer(help="What the law wants, from whom, by when. Not legal advice.")
app.command()(duties_clock.derive)
app.command()(duties_clock.clock)
app.command("list")(duties_rules.list_)
app.command()(duties_rules.explain)
