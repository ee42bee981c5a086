"""`stanch duties`: what the law wants, from whom, by when."""

import typer

from playbooks.desk.cli import (
    duties_clock,
    duties_confirm,
    duties_dates,
    duties_incident,
    duties_letter,
    duties_record,
    duties_rules,
    duties_sending,
)

app = typer.Typer(help="What the law wants, from whom, by when. Not legal advice.")
app.command()(duties_clock.derive)
app.command()(duties_clock.clock)
app.command("list")(duties_rules.list_)
app.command()(duties_rules.explain)
app.command()(duties_incident.show)
app.command("questions")(duties_incident.questions_)
app.command()(duties_record.record)
app.command()(duties_record.hold)
app.command()(duties_record.check)
app.command()(duties_sending.sent)
app.command()(duties_sending.decide)
app.command()(duties_dates.calendar)
app.command()(duties_letter.letter)
app.command()(duties_confirm.confirm)
