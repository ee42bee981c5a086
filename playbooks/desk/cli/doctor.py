"""`stanch doctor`: is everything in place, and what to do where it is not."""

import sys
from dataclasses import asdict

from playbooks.desk.cli.surroundings import Json, out, printable, show_json
from playbooks.desk.doctor.checks import checks
from playbooks.desk.doctor.finding import Finding
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.running import run
from playbooks.errors import SettingsError
from playbooks.wiring.parts import now
from playbooks.wiring.settings import load

# The worst first.
COLOURS = {"bad": "red", "warn": "yellow", "ok": "green"}
NAMES = {"bad": "bad", "warn": "to look at", "ok": "well"}


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
        _tell(found)
    if worst:
        sys.exit(1)


def _tell(found: list[Finding]) -> None:
    """Print what is bad first, one cause on one line, and last how many there are of each."""
    console = out()
    for level, colour in COLOURS.items():
        checks: dict[tuple[str, str], list[str]] = {}
        for one in found:
            if one.level == level:
                checks.setdefault((one.what, one.do), []).append(one.check)
        for (what, do), names in checks.items():
            # What is well is read by who looks for a check; trouble, by who looks for its cause.
            lines = [[name] for name in names] if level == "ok" else [list(dict.fromkeys(names))]
            for line in lines:
                says = f"{what.rstrip('.')}. {do}" if do else what
                console.print(
                    f"[{colour}]{level:5}[/]{printable(', '.join(line))}: {printable(says)}"
                )
    counts = [(sum(one.level == level for one in found), NAMES[level]) for level in COLOURS]
    console.print(", ".join(f"{count} {name}" for count, name in counts if count))
