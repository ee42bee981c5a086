"""The `stanch` command."""

import typer

from actions.errors import ActionError
from evidence.errors import EvidenceError
from playbooks.desk.cli import (
    alert,
    approve,
    custody,
    doctor,
    duties,
    export,
    freeze,
    init,
    keep,
    latch,
    migrate,
    open,
    permissions,
    person,
    redact,
    release,
    respond,
    resume,
    review,
    rollback,
    serve,
    show,
    trust,
    unfreeze,
    vault,
    worker,
)
from playbooks.desk.cli.surroundings import failing
from playbooks.drills.command import drill
from playbooks.errors import PlaybookError
from playbooks.intake.errors import IntakeError
from playbooks.wiring import logs

app = typer.Typer(
    name="stanch",
    help="Answers security breaches: contains, keeps evidence that proves itself, and undoes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(init.init)
app.command()(migrate.migrate)
app.command()(person.person)
app.command()(alert.alert)
app.command()(respond.respond)
app.command()(serve.serve)
app.command()(worker.worker)
app.command("open")(open.open_incident)
app.command()(approve.approve)
app.command()(resume.resume)
app.command()(show.show)
app.command()(rollback.rollback)
app.command()(release.release)
app.command()(freeze.freeze)
app.command()(unfreeze.unfreeze)
app.command()(keep.keep)
app.command()(redact.redact)
app.command()(export.export)
app.command()(trust.trust)
app.command()(permissions.permissions)
app.command()(doctor.doctor)
app.add_typer(custody.app, name="custody", no_args_is_help=True)
app.add_typer(review.app, name="review", no_args_is_help=True)
app.add_typer(duties.app, name="duties", no_args_is_help=True)
app.add_typer(latch.app, name="latch", no_args_is_help=True)
app.add_typer(vault.app, name="vault", no_args_is_help=True)
app.command()(drill)


def main() -> None:
    """Run the command line."""
    # For people; the commands that stay say what they do as JSON.
    logs.set_up(json=False)
    with failing(PlaybookError, IntakeError, ActionError, EvidenceError, OSError):
        app()


if __name__ == "__main__":
    main()
