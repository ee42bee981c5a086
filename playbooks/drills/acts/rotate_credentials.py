"""A key is rotated under a process that works with it: no call fails, and it can be taken back."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.move_secret_stages import MoveSecretStages
from playbooks.drills import breaking, screen
from playbooks.drills.asking import answered, prove
from playbooks.drills.drill import Drill
from playbooks.drills.range.estate import Estate
from playbooks.drills.range.world import World
from playbooks.drills.runner import SECRET, USER, Working, kept_key, key_now, states, working
from playbooks.drills.stage import Scenario, Stage, at_once, one

INCIDENT = "INC-0001"
# Longer than an old key has to be idle, by which IAM's record of it is up to 15 minutes behind.
LATER = timedelta(minutes=80).total_seconds()


def _stage(world: World, estate: Estate) -> Stage:
    kept = kept_key(world)
    # A key is shown at once and opens AWS some seconds later, as in IAM.
    world.delay(2.0, 5.0)
    lines = (
        "[rotation.credentials.runner]",
        'kind = "access_key"',
        f'target = "{estate.account}/aws-global/user/{USER}"',
        f'stored = "{estate.account}/{estate.region}/secret/{SECRET}"',
        'consumers = ["the nightly build"]',
    )
    return Stage(("rotate-credentials",), lines=lines, things=kept)


def play(drill: Drill, out: Path) -> None:
    """Run the scenario and score every claim."""
    # What the stage wrote to IAM binds by then, Stanch's own permissions too.
    drill.tick(10.0)
    with working(drill.folder, drill.endpoint, drill.things) as consumer:
        drill.score.claim("a process works with the key", True, consumer.works(drill.things.key))
        rotate(drill, consumer)
        leave(drill, consumer)
        prove(drill, INCIDENT, out)
        take_back(drill, consumer)
        drill.seen["calls"] = len(consumer.calls)
        drill.score.claim("no call failed through all of it", [], consumer.failed()[:3])
        leaks(drill)


def rotate(drill: Drill, consumer: Working) -> None:
    """Open the incident: a new key is made, kept, tried and read, and the old one goes on."""
    score, old = drill.score, drill.things.key
    opened = drill.run(
        *("open", "--play", "rotate-credentials", "--target", f"user/{USER}"),
        *("--account", drill.estate.account, "--reason", "the key may lie in an old image"),
        *("--key", str(drill.deployment.alice)),
    )
    score.claim("the incident is opened and answered", 0, opened.status)
    drill.seen["opened"] = opened.out + opened.err
    held = key_now(drill.clients)
    drill.seen["new"] = new = held["aws_access_key_id"]
    drill.things.secrets.append(held["aws_secret_access_key"])
    score.claim("consumers read a new key", True, new != old)
    score.claim("the new key works for the process", True, new != old and consumer.works(new))
    score.claim("the old key still works", "Active", states(drill.clients).get(old))
    told = drill.run("show", INCIDENT, "--json").json
    asked = [q["step"] for q in told.get("questions", [])]
    score.claim("a person may say that all have moved", ["old-may-go/runner"], asked)


def leave(drill: Drill, consumer: Working) -> None:
    """Let time pass until the old key is seen to be left; then it is off, and not deleted."""
    score, old = drill.score, drill.things.key
    for _ in range(2):
        drill.tick(LATER)
        consumer.works()
        drill.run("resume", INCIDENT, "--without-prefect")
        if states(drill.clients).get(old) != "Active":
            break
    drill.told = drill.run("show", INCIDENT, "--json").json
    score.claim("the old key is off, and not deleted", "Inactive", states(drill.clients).get(old))
    score.claim("the process goes on", True, consumer.works(drill.seen["new"]))
    unsure = [s["step"] for s in drill.told.get("steps", []) if s["verdict"] != "verified"]
    score.claim("every step is verified", [], unsure if drill.told.get("steps") else ["none done"])
    score.claim("status is honest", "under way", drill.told.get("status"))


def take_back(drill: Drill, consumer: Working) -> None:
    """Roll back: consumers read the old key again, and it works."""
    score, old = drill.score, drill.things.key
    done = answered(drill, INCIDENT, "rollback", "the image never left")
    score.claim("the rollback ends well", 0, done.status)
    drill.seen["rollback"] = done.out + done.err
    score.claim("the old key works again", "Active", states(drill.clients).get(old))
    score.claim("and is read again", old, key_now(drill.clients)["aws_access_key_id"])
    score.claim("and used again", True, consumer.works(old))


def leaks(drill: Drill) -> None:
    """Look for the secrets in everything that the deployment wrote."""
    files = [p for p in drill.deployment.settings.home.rglob("*") if p.is_file()]
    held = [p.name for p in files for s in drill.things.secrets if s.encode() in p.read_bytes()]
    known = "stanch.db" in [p.name for p in files]
    drill.score.claim("no secret lies in what is kept, Prefect's too", ([], True), (held, known))


def show(console: Console, drill: Drill) -> None:
    """Print what was done, how the process fared, and how it went back."""
    console.rule("[bold]Stanch drill: a rotation under way")
    screen.show_steps(console, drill.told)
    console.print(
        f"calls     {drill.seen.get('calls', 0)} by a process that read the key each time"
    )
    screen.show_evidence(console, drill.told, drill.seen)
    console.print(f"status    [bold]{escape(str(drill.told.get('status')))}[/]; still open:")
    for text in drill.told.get("residual", []):
        console.print(f"  - {escape(text)}")


SABOTAGES = {
    "stages": one(
        "consumers go on reading the old key",
        partial(breaking.no_write, MoveSecretStages),
        "consumers read a new key",
        "the new key works for the process",
        "a person may say that all have moved",
        "the old key is off, and not deleted",
        "every step is verified",
    ),
    "trial": one(
        "a new key is read before it opens anything",
        breaking.no_trial,
        "no call failed through all of it",
    ),
    "impatience": one(
        "the old key goes whether it is used or not",
        breaking.no_patience,
        "the old key still works",
        "a person may say that all have moved",
    ),
    "old-key": one(
        "the old key is not turned off",
        partial(breaking.no_write, DeactivateAccessKeys),
        "the old key is off, and not deleted",
        "every step is verified",
    ),
}

SCENARIO = Scenario(
    name="rotate-credentials",
    says="a key is rotated under a process that calls with it every 100 ms",
    build=at_once(_stage),
    play=play,
    show=show,
    sabotages=SABOTAGES,
    prefect=True,
)
