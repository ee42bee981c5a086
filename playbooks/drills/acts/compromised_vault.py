"""A login to a Vault leaks: its thief ends with nothing, the neighbour never feels it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actions.aws.deny_role_sessions import DenyRoleSessions
from actions.vault.block_login import BlockLogin
from playbooks.drills import breaking, screen, vault_breaking
from playbooks.drills.asking import answered, prove
from playbooks.drills.drill import Drill
from playbooks.drills.range.estate import Estate
from playbooks.drills.range.vault.endpoints import counts
from playbooks.drills.range.world import World
from playbooks.drills.robbed_vault import DELIVERED, NAME, robbed, served
from playbooks.drills.stage import Scenario, Stage, one
from playbooks.drills.vault_thief import VaultThief

INCIDENT, PLAY, TARGET = "INC-0001", "compromised-vault", f"{NAME}/approle/web"
# A token of Stanch's own has to be taken anew meanwhile, and an archive's lease to be given up.
LATER = timedelta(hours=2).total_seconds()


@contextmanager
def _stage(world: World, estate: Estate) -> Iterator[Stage]:
    made = robbed(world)
    stanch, leaked = made.estate.stanch, made.estate.apps[0].secret_id
    with served(made):
        lines = (
            f"[vaults.{NAME}]",
            f'url = "{made.url}"',
            'role_id = "env:STANCH_DRILL_ROLE_ID"',
            'secret_id = "env:STANCH_DRILL_SECRET_ID"',
            'logs = ["audit.log"]',
            'leaked = ["env:STANCH_DRILL_LEAKED"]',
            f"[vaults.{NAME}.deliver]",
            f'"approle/web" = "{DELIVERED}"',
        )
        environment = {
            "STANCH_DRILL_ROLE_ID": stanch.role_id,
            "STANCH_DRILL_SECRET_ID": stanch.secret_id,
            "STANCH_DRILL_LEAKED": leaked,
        }
        thief = VaultThief(made, world)
        yield Stage((PLAY,), lines=lines, environment=environment, things=thief)


def play(drill: Drill, out: Path) -> None:
    """Run the scenario and score every claim."""
    rob(drill)
    cut(drill)
    take(drill)
    look(drill)
    prove(drill, INCIDENT, out)
    hunted(drill, out / "bundle")
    release(drill)
    leaks(drill)


def rob(drill: Drill) -> None:
    """Keep a baseline, let time pass, and let the thief in."""
    thief, score = drill.things, drill.score
    printed = drill.run("vault", "permissions", NAME, "--play", PLAY)
    thief.vault.root.sys.create_or_update_acl_policy("stanch", printed.out)
    kept = drill.run("vault", "baseline", NAME)
    if kept.status:
        drill.seen["release"] = printed.err + kept.err
    score.claim("a baseline is kept with no more than is printed", 0, kept.status)
    thief.take()
    thief.archive(down=True)
    drill.tick(LATER)
    drill.seen["since"] = drill.world.now().isoformat().replace("+00:00", "Z")
    drill.tick(5)
    thief.take()
    thief.dig_in()
    drill.seen["thief before"] = before = thief.can()
    score.claim("the thief gets in by eight ways before", [True] * 8, [*before.values()])
    log = thief.vault.world.audit_lines("file")
    (drill.deployment.folder / "audit.log").write_text("\n".join(log) + "\n")


def cut(drill: Drill) -> None:
    """Open the incident: what is its own is shut at once, and nothing destroyed unasked."""
    thief, score, here = drill.things, drill.score, drill.deployment
    opened = drill.run(
        *("open", "--play", PLAY, "--target", TARGET, "--since", drill.seen["since"]),
        *("--reason", "the secret id lies in a public image"),
        *("--key", str(here.alice), "--without-prefect"),
    )
    score.claim("the incident is opened and answered", 0, opened.status)
    if opened.status:
        drill.seen["opened"] = opened.out + opened.err
    drill.seen["thief at once"] = at_once = thief.can()
    own = ("log in with the stolen secret id", "the token of its login")
    score.claim(
        "its login and its token do nothing at once", [False, False], [at_once[k] for k in own]
    )
    told = drill.run("show", INCIDENT, "--json").json
    drill.seen["questions"] = asked = sorted(q["step"] for q in told.get("questions", []))
    score.claim("what destroys is asked about in two questions", ["ask/left/0", "ask/take"], asked)


def take(drill: Drill) -> None:
    """Say yes as another person, and see that nothing of what the thief had works."""
    thief, score, here = drill.things, drill.score, drill.deployment
    for _ in range(3):
        told = drill.run("show", INCIDENT, "--json").json
        for question in told.get("questions", []):
            if question["state"] == "open" and question["step"] in drill.seen["questions"]:
                drill.run(
                    "approve", question["id"], "--key", str(here.bob), "--reason", "go", "--yes"
                )
        drill.run("resume", INCIDENT, "--without-prefect")
    drill.seen["thief after"] = can = thief.can()
    score.claim("the thief gets in no more, by anything", [], [k for k, v in can.items() if v])
    drill.told = drill.run("show", INCIDENT, "--json").json
    status = "contained, irrevocable leases"
    score.claim("status is honest", status, drill.told.get("status"))


def look(drill: Drill) -> None:
    """Look, with root's eyes, at what was left, at the neighbour, and at what was written down."""
    thief, score, told = drill.things, drill.score, drill.told
    root = thief.vault.root
    left = {
        "policy": "metrics" in root.sys.list_acl_policies()["data"]["keys"],
        "auth mount": "backdoor/" in root.sys.list_auth_methods()["data"],
        "audit device": "second/" not in root.sys.list_enabled_audit_devices()["data"],
    }
    score.claim("what the thief left is gone", [], [k for k, v in left.items() if v])
    score.claim("another application goes on", True, thief.neighbour())
    said = [text for text in told.get("residual", []) if "irrevocable" in text]
    score.claim("leases that cannot be revoked are said", 1, len(said))
    unsure = [s["step"] for s in told.get("steps", []) if s["verdict"] != "verified"]
    score.claim("every step is verified", [], unsure if told.get("steps") else ["none done"])


def hunted(drill: Drill, bundle: Path) -> None:
    """Look into the bundle for the lines of the audit log that carried the leaked secret."""
    files = (bundle / "data" / "artifacts").glob("*") if bundle.is_dir() else ()
    found = [json.loads(f.read_text()) for f in files if b"file audit.log" in f.read_bytes()]
    lines = [line["line"] for one in found for page in one["pages"] for line in [page]]
    drill.seen["lines"] = len(lines)
    # The thief logged in twice with it.
    drill.score.claim("the leaked secret is found in the audit log", True, len(lines) >= 2)


def release(drill: Drill) -> None:
    """Give the login back to its application: the new secret id works, the old ones do not."""
    thief, score = drill.things, drill.score
    done = answered(drill, INCIDENT, "release", "the image is withdrawn")
    score.claim("the release ends well", 0, done.status)
    if done.status:
        drill.seen["release"] = done.out + done.err
    score.claim("the application logs in with its new secret id", True, thief.works_anew())
    drill.seen["thief later"] = can = thief.can()
    score.claim("and the thief still has nothing", [], [k for k, v in can.items() if v])


def leaks(drill: Drill) -> None:
    """Look for the secrets in everything that the deployment wrote."""
    home = drill.deployment.settings.home
    files = [p for p in home.rglob("*") if p.is_file()]
    held = [
        p.name for p in files for s in drill.things.vault.secrets if s.encode() in p.read_bytes()
    ]
    drill.score.claim("no secret lies in what is kept", [], held if files else ["nothing kept"])


def show(console: Console, drill: Drill) -> None:
    """Print what the thief could do, what was done, and how far the simulator is proven."""
    console.rule("[bold]Stanch drill: a leaked login to a Vault")
    screen.show_steps(console, drill.told)
    table = Table(box=None, pad_edge=False)
    for column in ("the thief gets in by", "before", "at once", "after", "after release"):
        table.add_column(column)
    for what, could in drill.seen.get("thief before", {}).items():
        later = [
            drill.seen.get(f"thief {when}", {}).get(what) for when in ("at once", "after", "later")
        ]
        table.add_row(what, *(_can(one) for one in (could, *later)))
    console.print(table)
    screen.show_evidence(console, drill.told, drill.seen)
    console.print(f"audit log {drill.seen.get('lines', 0)} lines carried the leaked secret")
    proven = counts()
    console.print(
        f"simulator {proven['proven']} endpoints proven against a real server, "
        f"{proven['documentation-only']} by the documentation only"
    )
    console.print(f"status    [bold]{escape(str(drill.told.get('status')))}[/]; still open:")
    for text in drill.told.get("residual", []):
        console.print(f"  - {escape(text)}")


def _can(could: Any) -> str:
    return {True: "[red]yes[/]", False: "[green]no[/]"}.get(could, "?")


SABOTAGES = {
    "vault-login": one(
        "the stolen login is not blocked",
        partial(breaking.no_write, BlockLogin),
        "every step is verified",
        "status is honest",
    ),
    "vault-leases": one(
        "leases are not revoked, and said to be",
        vault_breaking.no_revocation,
        "leases that cannot be revoked are said",
        "status is honest",
    ),
    "vault-sessions": one(
        "AWS sessions are not denied",
        partial(breaking.no_write, DenyRoleSessions),
        "the thief gets in no more, by anything",
        "every step is verified",
        "status is honest",
        "and the thief still has nothing",
    ),
    "vault-sweep": one(
        "what the thief left is not looked for",
        vault_breaking.no_sweep,
        "what destroys is asked about in two questions",
        "the thief gets in no more, by anything",
        "what the thief left is gone",
        "and the thief still has nothing",
    ),
    "vault-reach": one(
        "the policies are taken to allow nothing",
        vault_breaking.no_reach,
        "the thief gets in no more, by anything",
        "status is honest",
        "leases that cannot be revoked are said",
        "and the thief still has nothing",
    ),
    "vault-hunt": one(
        "the audit log is not searched",
        vault_breaking.no_hunt,
        "the leaked secret is found in the audit log",
    ),
}

SCENARIO = Scenario(
    name=PLAY,
    says="a login to a Vault is public, and its thief takes secrets and leaves ways back in",
    build=_stage,
    play=play,
    show=show,
    sabotages=SABOTAGES,
)
