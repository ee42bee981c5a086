"""`stanch doctor`: is everything in place, and what to do where it is not."""

import sys
from dataclasses import asdict

from playbooks.desk.cli.surroundings import Json, out, printable, show_json
from playbooks.desk.doctor.checks import checks
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.running import run
from playbooks.errors import SettingsError
from playbooks.wiring.parts import now
from playbooks.wiring.settings import load

COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


def doctor(json: Json = False) -> None:
    """Check sources, keys, database, clocks, accounts, permissions and what is stuck.

    Leaves with exit status 1 when something is bad; a warning does not fail. Changes nothing.
    """
    settings = load()
    if not (settings.home / "keys").is_dir():
        raise SettingsError(
            f"there is no Stanch in {settings.home}. If it is elsewhere, go to the folder "
            "of its stanch.toml or set STANCH_CONFIG; else run `stanch init` first."
        )
    found = run(checks(Place(settings, now)))
    worst = [one for one in found if one.level == "bad"]
    if json:
        show_json({"well": not worst, "findings": [asdict(one) for one in found]})
    else:
        console = out()
        for one in found:
            what = f"{one.what.rstrip('.')}." if one.do else one.what
            told = f"{one.check}: {what} {one.do}".rstrip()
            pad = " " * (5 - len(one.level))
            console.print(f"[{COLOURS[one.level]}]{one.level}[/]{pad}{printable(told)}")
    if worst:
        sys.exit(1)
