"""`stanch alert`: show what a finding means, without any cloud."""

import sys
from pathlib import Path

from playbooks.desk.cli.surroundings import Json, out, printable, show_json
from playbooks.intake.read import read_alert
from playbooks.respond.judging import judge
from playbooks.wiring.parts import now
from playbooks.wiring.settings import load


def alert(file: Path, json: Json = False) -> None:
    """Print a finding's normal form, what it means, and why nothing may happen by itself."""
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    found = read_alert(data, received=now())
    meant, why = judge(found, load())
    if json:
        means = {
            "role": meant.role,
            "why": meant.why,
            "play": meant.play,
            "techniques": list(meant.techniques),
            "automatic": not why,
        }
        show_json({"alert": found.to_json(), "meaning": means, "hindrances": list(why)})
        return
    console = out()
    console.print(f"[bold]{printable(found.title)}[/]")
    console.print(
        f"{printable(found.finding_type)}, severity {found.severity}, "
        f"{printable(found.account)} {printable(found.region)}"
    )
    what = f"{found.resource.kind} {found.resource.uid}: {meant.role} ({meant.why})"
    console.print(printable(what))
    console.print("would act by itself" if not why else "would only propose, because:")
    for reason in why:
        console.print(f"  - {printable(reason)}")
