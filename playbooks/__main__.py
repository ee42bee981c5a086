"""The `stanch` command."""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module

import typer

from actions.errors import ActionError
from evidence.errors import EvidenceError
from playbooks.desk.cli.failing import failing
from playbooks.errors import PlaybookError
from playbooks.intake.errors import IntakeError
from playbooks.wiring import logs

# Where each command is, and what it is called there. One that was asked for is imported alone: who
# waits for an answer does not wait for the rest.
COMMANDS: Mapping[str, str] = {
    "init": "desk.cli.init.init",
    "migrate": "desk.cli.migrate.migrate",
    "person": "desk.cli.person.person",
    "alert": "desk.cli.alert.alert",
    "respond": "desk.cli.respond.respond",
    "serve": "desk.cli.serve.serve",
    "worker": "desk.cli.worker.worker",
    "open": "desk.cli.open.open_incident",
    "approve": "desk.cli.approve.approve",
    "resume": "desk.cli.resume.resume",
    "show": "desk.cli.show.show",
    "rollback": "desk.cli.rollback.rollback",
    "release": "desk.cli.release.release",
    "freeze": "desk.cli.freeze.freeze",
    "unfreeze": "desk.cli.unfreeze.unfreeze",
    "keep": "desk.cli.keep.keep",
    "redact": "desk.cli.redact.redact",
    "erase": "desk.cli.erase.erase",
    "export": "desk.cli.export.export",
    "publish": "desk.cli.publish.publish",
    "trust": "desk.cli.trust.trust",
    "permissions": "desk.cli.permissions.permissions",
    "collection": "desk.cli.collection.collection",
    "doctor": "desk.cli.doctor.doctor",
    "custody": "desk.cli.custody.app",
    "key": "desk.cli.key.app",
    "timestamps": "desk.cli.timestamps.app",
    "review": "desk.cli.review.app",
    "duties": "desk.cli.duties.app",
    "latch": "desk.cli.latch.app",
    "vault": "desk.cli.vault.app",
    "drill": "drills.command.drill",
}


def built(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with these commands, imported."""
    app = typer.Typer(
        name="stanch",
        help="Answers security breaches: contains, keeps evidence that proves itself, and undoes.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    # With it a single command has its name before its arguments, too.
    app.callback()(lambda: None)
    for name in names:
        module, _, attribute = COMMANDS[name].rpartition(".")
        command = getattr(import_module(f"playbooks.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, no_args_is_help=True)
        else:
            app.command(name)(command)
    return app


def main() -> None:
    """Run the command line."""
    # For people; the commands that stay say what they do as JSON.
    logs.set_up(json=False)
    asked = [name for name in sys.argv[1:2] if name in COMMANDS]
    with failing(PlaybookError, IntakeError, ActionError, EvidenceError, OSError):
        built(asked or COMMANDS)()


if __name__ == "__main__":
    main()
