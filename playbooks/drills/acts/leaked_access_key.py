"""A leaked key: its thief digs in, is shut out of all of it, and the user comes back as it was."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.deny_principal import DenyPrincipal
from playbooks.drills import breaking, screen
from playbooks.drills.asking import answered, prove
from playbooks.drills.drill import Drill
from playbooks.drills.identity import described, leaked_user
from playbooks.drills.organisation import organise
from playbooks.drills.range.estate import Estate
from playbooks.drills.range.world import World
from playbooks.drills.stage import Scenario, Stage, at_once, one
from playbooks.drills.thief import Thief

USER = "deploy"
# CloudTrail's lag in the range, and Stanch's patience with it.
LATER = timedelta(minutes=21).total_seconds()


def _stage(world: World, estate: Estate) -> Stage:
    stolen = leaked_user(world, USER)
    lines = organise(world, estate)
    return Stage(("leaked-access-key",), lines=lines, things=Thief(world, stolen))


def play(drill: Drill, out: Path) -> None:
    """Run the scenario and score every claim."""
    score, thief, here = drill.score, drill.things, drill.deployment
    before = described(drill.clients("iam"), USER)
    checked = drill.run("latch", "check")
    score.claim("the latch is in place, and tried", 0, checked.status)
    if checked.status:
        drill.seen["latch"] = checked.out + checked.err
    since = drill.world.now()
    thief.dig_in(drill.estate.account)
    drill.seen["thief before"] = thief.can()
    score.claim("the thief gets in by five ways before", [True] * 5, [*thief.can().values()])
    opened = drill.run(
        *("open", "--play", "leaked-access-key", "--target", thief.stolen.access_key),
        *("--account", drill.estate.account, "--reason", "the key lies in a public repository"),
        *("--since", since.isoformat(timespec="seconds"), "--key", str(here.alice)),
        "--without-prefect",
    )
    score.claim("the incident is opened and answered", 0, opened.status)
    if opened.status:
        drill.seen["opened"] = opened.out + opened.err
    drill.seen["thief at once"] = at_once = thief.can()
    mine = [at_once["the stolen key"], at_once["a session of the key"]]
    score.claim("the key and its session do nothing any more", [False, False], mine)
    made = [at_once["a user it made"], at_once["a role it made"]]
    score.claim("nor does what it made, before CloudTrail tells", [False, False], made)
    told = drill.told = drill.run("show", "INC-0001", "--json").json
    proofs = [e for e in told.get("timeline", []) if e["kind"] == "deny.proven"]
    score.claim("that the denial binds was seen on the canary", 1, len(proofs))
    unsure = [s["step"] for s in told.get("steps", []) if s["verdict"] != "verified"] or []
    score.claim("every step is verified", [], unsure if told.get("steps") else ["none done"])
    status = "contained, sweep goes on"
    score.claim("status is honest", status, told.get("status"))
    keys = drill.clients("iam").list_access_keys(UserName=USER)["AccessKeyMetadata"]
    states = sorted(key["Status"] for key in keys)
    score.claim("every key is off and none deleted", ["Inactive", "Inactive"], states)
    sweep(drill)
    prove(drill, "INC-0001", out)
    done = answered(drill, "INC-0001", "rollback", "a drill")
    score.claim("the rollback ends well", 0, done.status)
    if done.status:
        drill.seen["rollback"] = done.out + done.err
    after = described(drill.clients("iam"), USER)
    score.claim("the user is exactly as before", before, after)


def sweep(drill: Drill) -> None:
    """Let CloudTrail catch up, enter the incident again, and see each way in shut."""
    for _ in range(3):
        drill.tick(LATER)
        drill.run("resume", "INC-0001", "--without-prefect")
        drill.told = drill.run("show", "INC-0001", "--json").json
        if "sweep goes on" not in str(drill.told.get("status")):
            break
    can = drill.seen["thief after"] = drill.things.can()
    drill.score.claim(
        "the thief gets in no more, by anything", [], [k for k, v in can.items() if v]
    )
    quiet = drill.told.get("status")
    drill.score.claim("the sweep came to rest", "contained", quiet)
    drill.score.claim("and left nothing for a person to do", [], drill.told.get("residual"))


def show(console: Console, drill: Drill) -> None:
    """Print what the thief could do, what was done, and how it went back."""
    console.rule("[bold]Stanch drill: a leaked access key")
    screen.show_steps(console, drill.told)
    table = Table(box=None, pad_edge=False)
    for column in ("the thief gets in by", "before", "at once", "after the sweep"):
        table.add_column(column)
    for what, could in drill.seen.get("thief before", {}).items():
        later = [drill.seen.get(f"thief {when}", {}).get(what) for when in ("at once", "after")]
        table.add_row(what, *map(screen.can, (could, *later)))
    console.print(table)
    screen.show_evidence(console, drill.told, drill.seen)
    console.print(f"status    [bold]{escape(str(drill.told.get('status')))}[/]; still open:")
    for text in drill.told.get("residual", []):
        console.print(f"  - {escape(text)}")


SABOTAGES = {
    "user-denial": one(
        "the user is not denied",
        partial(breaking.no_write, DenyPrincipal),
        "nor does what it made, before CloudTrail tells",
        "every step is verified",
        "status is honest",
        "the thief gets in no more, by anything",
        "the sweep came to rest",
        "and left nothing for a person to do",
    ),
    "keys": one(
        "no key is turned off",
        partial(breaking.no_write, DeactivateAccessKeys),
        "every step is verified",
        "status is honest",
        "every key is off and none deleted",
        "the sweep came to rest",
        "and left nothing for a person to do",
        "the rollback ends well",
        "the thief gets in no more, by anything",
    ),
    "latch": one(
        "the latch is not written",
        breaking.no_latch,
        "the latch is in place, and tried",
        "every step is verified",
        "status is honest",
        "that the denial binds was seen on the canary",
        "the sweep came to rest",
        "and left nothing for a person to do",
    ),
    "newcomers": one(
        "what is new in IAM is not looked for",
        breaking.no_newcomers,
        "nor does what it made, before CloudTrail tells",
    ),
    "sweep": one(
        "what the thief made is not looked for",
        breaking.no_sweep,
        "the thief gets in no more, by anything",
    ),
}

SCENARIO = Scenario(
    name="leaked-access-key",
    says="a user's access key is public, and its thief makes other ways in",
    build=at_once(_stage),
    play=play,
    show=show,
    sabotages=SABOTAGES,
)
