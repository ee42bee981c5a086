"""A role's session is stolen: nobody else is hit unasked, and the thief is not let in again."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actions.aws.close_trust_policy import CloseTrustPolicy
from actions.aws.deny_role_sessions import DenyRoleSessions
from playbooks.drills import breaking, screen
from playbooks.drills.asking import answered, prove
from playbooks.drills.drill import Drill
from playbooks.drills.range.estate import Estate
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World
from playbooks.drills.stage import Scenario, Stage, at_once, one
from playbooks.drills.thief import EVERYTHING, Thief

ROLE, OWNER = "deployer", "build-server"
# CloudTrail's lag in the range, and Stanch's patience with it.
LATER = timedelta(minutes=21).total_seconds()
INCIDENT = "INC-0001"


def _stage(world: World, estate: Estate) -> Stage:
    """Make the role, and its rightful caller, one of whose sessions is stolen."""
    iam: Any = world.client("iam", world.admin)
    caller = iam.create_user(UserName=OWNER)["User"]["Arn"]
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [assume | {"Principal": {"AWS": caller}}]}
    made = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=EVERYTHING)
    key = iam.create_access_key(UserName=OWNER)["AccessKey"]
    owner = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    # The estate is a day old when the thief comes.
    world.tick(timedelta(days=1).total_seconds())
    stolen = session(world, owner, made["Arn"])
    if stolen is None:
        raise AssertionError("the rightful caller cannot assume the role")
    things = {"thief": Thief(world, stolen), "owner": owner, "role": made["Arn"]}
    return Stage(("compromised-identity",), things=things)


def session(world: World, owner: Credentials, role: str) -> Credentials | None:
    """Return a new session for the rightful caller, or None where it gets none."""
    sts: Any = world.client("sts", owner)
    try:
        given = sts.assume_role(RoleArn=role, RoleSessionName=OWNER)["Credentials"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return None
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def play(drill: Drill, out: Path) -> None:
    """Run the scenario and score every claim."""
    score, things, here = drill.score, drill.things, drill.deployment
    thief: Thief = things["thief"]
    since = drill.world.now()
    thief.make_doors(drill.estate.account)
    drill.seen["thief before"] = thief.can()
    score.claim("the thief gets in by three ways before", [True] * 3, [*thief.can().values()])
    opened = drill.run(
        *("open", "--play", "compromised-identity", "--target", f"role/{ROLE}"),
        *("--account", drill.estate.account, "--reason", "calls from an unknown network"),
        *("--since", since.isoformat(timespec="seconds"), "--key", str(here.alice)),
        "--without-prefect",
    )
    score.claim("the incident is opened", 0, opened.status)
    if opened.status:
        drill.seen["opened"] = opened.out + opened.err
    working = session(drill.world, things["owner"], things["role"]) is not None
    score.claim("nobody else is hit before a person allows it", True, working)
    allowed(drill)
    done = drill.run("resume", INCIDENT, "--without-prefect")
    score.claim("the play goes on", 0, done.status)
    if done.status:
        drill.seen["opened"] = done.out + done.err
    drill.seen["thief at once"] = thief.can()
    score.claim("the stolen session does nothing any more", False, thief.can()["the stolen key"])
    shut = session(drill.world, things["owner"], things["role"]) is None
    score.claim("nobody gets a new session of the role", True, shut)
    sweep(drill, thief)
    prove(drill, INCIDENT, out)
    release(drill, thief)


def allowed(drill: Drill) -> None:
    """See that whoever opened it may not allow it, that blast is shown, and let another do so."""
    told = drill.run("show", INCIDENT, "--json").json
    asked = [q for q in told.get("questions", []) if q["state"] == "open"]
    acts = sorted({s["action"] for q in asked for s in q["scopes"]})
    drill.score.claim("a person is asked", ["close_trust_policy", "deny_role_sessions"], acts)
    shown = [text for q in asked for text in q["about"].get("blast", [])]
    drill.score.claim("who else is hit is shown", True, any(ROLE in text for text in shown))
    for question in asked:
        said = ("approve", question["id"], "--yes", "--reason", "its session is stolen", "--key")
        own = drill.run(*said, str(drill.deployment.alice))
        other = drill.run(*said, str(drill.deployment.bob))
        drill.score.claim("nobody allows what they asked for", (1, 0), (own.status, other.status))


def sweep(drill: Drill, thief: Thief) -> None:
    """Let CloudTrail catch up, enter the incident again, and see each way in shut."""
    for _ in range(3):
        drill.tick(LATER)
        drill.run("resume", INCIDENT, "--without-prefect")
        drill.told = drill.run("show", INCIDENT, "--json").json
        if "sweep goes on" not in str(drill.told.get("status")):
            break
    can = drill.seen["thief after"] = thief.can()
    score = drill.score
    score.claim("the thief gets in no more, by anything", [], [k for k, v in can.items() if v])
    unsure = [s["step"] for s in drill.told.get("steps", []) if s["verdict"] != "verified"]
    score.claim("every step is verified", [], unsure)
    status = "contained, race-exposed"
    score.claim("status is honest", status, drill.told.get("status"))
    denials = [s for s in drill.told.get("steps", []) if s["step"].startswith("deny_role_sessions")]
    score.claim("sessions are denied, and once more later", 2, len(denials))


def release(drill: Drill, thief: Thief) -> None:
    """Release the role: its caller works again, the stolen session and the doors stay shut."""
    score, things = drill.score, drill.things
    done = answered(drill, INCIDENT, "release", "the session's way out is closed")
    score.claim("the release ends well", 0, done.status)
    if done.status:
        drill.seen["release"] = done.out + done.err
    drill.tick(180)
    new = session(drill.world, things["owner"], things["role"])
    drill.seen["owner"] = works = (
        new is not None and Thief(drill.world, new).can()["the stolen key"]
    )
    score.claim("the rightful caller works again", True, works)
    can = drill.seen["thief released"] = thief.can()
    score.claim("and the thief does not", [], [k for k, v in can.items() if v])


def show(console: Console, drill: Drill) -> None:
    """Print what the thief could do, what was done, and what the release gave back."""
    console.rule("[bold]Stanch drill: a stolen session of a role")
    screen.show_steps(console, drill.told)
    table = Table(box=None, pad_edge=False)
    when = ("before", "at once", "after", "released")
    for column in ("the thief gets in by", *when):
        table.add_column(column)
    for what in drill.seen.get("thief before", {}):
        seen = (drill.seen.get(f"thief {one}", {}).get(what) for one in when)
        table.add_row(what, *map(screen.can, seen))
    console.print(table)
    works = "[green]works again[/]" if drill.seen.get("owner") else "[red]DOES NOT WORK[/]"
    console.print(f"released  the role's rightful caller {works}")
    screen.show_evidence(console, drill.told, drill.seen)
    console.print(f"status    [bold]{escape(str(drill.told.get('status')))}[/]; still open:")
    for text in drill.told.get("residual", []):
        console.print(f"  - {escape(text)}")


SABOTAGES = {
    "role-sessions": one(
        "the role's sessions are not denied",
        partial(breaking.no_write, DenyRoleSessions),
        "the stolen session does nothing any more",
        "the thief gets in no more, by anything",
        "every step is verified",
        "status is honest",
        "and the thief does not",
    ),
    "trust": one(
        "the role's trust is not closed",
        partial(breaking.no_write, CloseTrustPolicy),
        "nobody gets a new session of the role",
        "every step is verified",
        "status is honest",
    ),
    "unasked": one(
        "what hits others is done without asking",
        breaking.no_asking,
        "nobody else is hit before a person allows it",
        "a person is asked",
        "who else is hit is shown",
    ),
}

SCENARIO = Scenario(
    name="compromised-identity",
    says="a session of a role that others use is stolen",
    build=at_once(_stage),
    play=play,
    show=show,
    sabotages=SABOTAGES,
)
