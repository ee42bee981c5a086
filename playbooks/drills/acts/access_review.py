"""An access review: a wide policy becomes a narrow one, an outsider loses a role, a key is off."""

import csv
import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.markup import escape

from actions.aws.reduce_permissions import ReducePermissions
from actions.aws.revoke_trust import RevokeTrust
from playbooks.drills import breaking, screen
from playbooks.drills.asking import answered, prove
from playbooks.drills.drill import Drill
from playbooks.drills.range.estate import Estate
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World
from playbooks.drills.stage import Scenario, Stage, at_once, one
from playbooks.review import acts, csv_form, deciding, live

REVIEW, INCIDENT = "REV-0001", "INC-0001"
USER, ROLE, OUTSIDER = "carol", "deploy", "999988887777"


def _stage(world: World, estate: Estate) -> Stage:
    """Let carol have all of S3 and two keys, and a stranger's account a role that may do it all."""
    iam: Any = world.client("iam", world.admin)
    wide = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [wide]})
    iam.create_user(UserName=USER, Tags=[{"Key": "owner", "Value": '=HYPERLINK("http://x")'}])
    # A person of the deployment has a user here as well.
    iam.create_user(UserName="alice")
    iam.put_user_policy(UserName=USER, PolicyName="storage", PolicyDocument=document)
    iam.create_access_key(UserName=USER)
    world.tick(60)
    made = iam.create_access_key(UserName=USER)["AccessKey"]
    stranger = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": OUTSIDER}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [stranger]})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
    return Stage(
        ("access-review",), things=Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    )


def play(drill: Drill, out: Path) -> None:
    """Run the scenario and score every claim."""
    drill.score.claim("carol lists buckets", True, can(drill, "list_buckets"))
    path = begin(drill)
    refuse(drill, path)
    carry_out(drill, path)
    report(drill, out)
    prove(drill, INCIDENT, out)
    take_back(drill)


def review(drill: Drill, *arguments: str, by: str = "") -> Any:
    """Run a command of the review, as a person where one is named."""
    keys = {"alice": drill.deployment.alice, "bob": drill.deployment.bob}
    key = ("--key", str(keys[by])) if by else ()
    return drill.run("review", *arguments, *key)


def begin(drill: Drill) -> Path:
    """List who may do what, as a file for a spreadsheet."""
    started = review(drill, "start", "--account", drill.estate.account, by="alice")
    drill.score.claim("the account is listed", 0, started.status)
    drill.seen["started"] = started.out
    path = drill.folder / "review.csv"
    review(drill, "list", REVIEW, "--csv", str(path))
    rows = read(path)
    formulas = [c for row in rows for c in row.values() if c.startswith(("=", "+", "-", "@"))]
    drill.score.claim("no cell of the file runs in a spreadsheet", [], formulas)
    strange = [r for r in rows if f"role/{ROLE}" in r["principal"]]
    drill.score.claim("the outsider is flagged", ["external trust"], [r["flags"] for r in strange])
    return path


def refuse(drill: Drill, path: Path) -> None:
    """Give back files that must not count, and see that nothing of them does."""
    whole, open_ = path.read_text(), len(read(path))

    def claims(name: str, by: str = "bob") -> None:
        nonlocal open_
        ran = review(drill, "decide", REVIEW, "--file", str(path), by=by)
        left = len(review(drill, "list", REVIEW, "--undecided", "--json").json)
        drill.score.claim(name, (1, open_), (ran.status, left))
        open_ = left
        path.write_text(whole)

    write(path, {f"user/{USER} key/1": "revoke"}, reason="=1+1")
    claims("a formula is refused")
    write(path, {"user/alice nothing": "keep", f"user/{USER} key/1": "revoke"})
    claims("nobody decides on their own", by="alice")
    write(path, {f"user/{USER} key/1": "revoke"})
    iam = drill.clients("iam")
    iam.add_user_to_group(GroupName=_group(iam), UserName=USER)
    claims("what changed since is refused")
    iam.remove_user_from_group(GroupName=_group(iam), UserName=USER)


def _group(iam: Any) -> str:
    if not any(g["GroupName"] == "ops" for g in iam.list_groups()["Groups"]):
        iam.create_group(GroupName="ops")
    return "ops"


def carry_out(drill: Drill, path: Path) -> None:
    """Decide, let a second person allow it, and see what the world is like then."""
    score, since = drill.score, len(drill.world.calls)
    write(
        path,
        {
            f"user/{USER} inline/storage": "reduce",
            f"user/{USER} key/1": "revoke",
            f"user/{USER} key/2": "keep",
            f"role/{ROLE} trust": "revoke",
        },
    )
    decided = review(drill, "decide", REVIEW, "--file", str(path), by="bob")
    score.claim("the decisions are taken", 0, decided.status)
    review(drill, "apply", REVIEW, "--without-prefect", by="alice")
    # A report that IAM is asked to make changes nothing.
    done = [call.operation for call in drill.changes(since)]
    changed = [operation for operation in done if not operation.startswith("Generate")]
    score.claim("nothing happens before a second person's yes", [], changed)
    own = drill.run("approve", "Q-0001", "--key", str(drill.deployment.bob), "--yes")
    score.claim("who decided may not allow it too", 1, own.status)
    drill.run("approve", "Q-0001", "--key", str(drill.deployment.alice), "--yes")
    drill.run("resume", INCIDENT, "--without-prefect")
    drill.told = drill.run("show", INCIDENT, "--json").json
    score.claim("what was used goes on", True, can(drill, "list_buckets"))
    score.claim("what was not is denied", False, can(drill, "create_bucket", Bucket="new-one"))
    keys = drill.clients("iam").list_access_keys(UserName=USER)["AccessKeyMetadata"]
    score.claim("the other key is off", ["Active", "Inactive"], sorted(k["Status"] for k in keys))
    score.claim("the outsider is out", False, trusted(drill))
    unsure = [s["step"] for s in drill.told.get("steps", []) if s["verdict"] != "verified"]
    score.claim("every step is verified", [], unsure if drill.told.get("steps") else ["none done"])
    score.claim("status is honest", "done", drill.told.get("status"))


def report(drill: Drill, out: Path) -> None:
    """Write the auditor's report, and check its evidence offline."""
    made = review(drill, "report", REVIEW, "-o", str(out / "review"), by="alice")
    drill.score.claim("the report is written", 0, made.status)
    drill.seen["report"] = made.out
    trust = drill.deployment.settings.home / "keys" / "trust.json"
    verdict = drill.verify(out / "review" / "evidence", trust)
    drill.score.claim("its evidence verifies offline", 0, verdict.status)


def take_back(drill: Drill) -> None:
    """Roll back: all is as it was."""
    done = answered(drill, INCIDENT, "rollback", "the audit was of another account")
    drill.score.claim("the rollback ends well", 0, done.status)
    drill.seen["rollback"] = done.out + done.err
    drill.score.claim("the wide policy is back", True, can(drill, "create_bucket", Bucket="b-two"))
    drill.score.claim("the outsider is back", True, trusted(drill))


def can(drill: Drill, call: str, **parameters: str) -> bool:
    """Return whether carol's key gets this of S3 now."""
    session: Any = drill._session(drill.things)
    client = session.client("s3", endpoint_url=drill.endpoint)
    more = {"CreateBucketConfiguration": {"LocationConstraint": drill.estate.region}}
    try:
        getattr(client, call)(**parameters, **(more if parameters else {}))
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def trusted(drill: Drill) -> bool:
    """Return whether the role's trust policy names the stranger's account."""
    role = drill.clients("iam").get_role(RoleName=ROLE)["Role"]
    return OUTSIDER in json.dumps(role["AssumeRolePolicyDocument"])


def read(path: Path) -> list[dict[str, str]]:
    """Return the file's rows; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, choices: dict[str, str], reason: str = "not needed") -> None:
    """Write decisions into the file, by kind/name and privilege."""
    rows = read(path)
    for row in rows:
        name = f"{row['principal'].split('/', 2)[2]} {row['privilege']}"
        if name in choices:
            row |= {"decision": choices[name], "reason": reason}
    _save(path, rows)


def _save(path: Path, rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, csv_form.COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def show(console: Console, drill: Drill) -> None:
    """Print what was decided, done and reported."""
    console.rule("[bold]Stanch drill: an access review")
    console.print(escape(drill.seen.get("started", "").strip()))
    screen.show_steps(console, drill.told)
    console.print(escape(drill.seen.get("report", "").strip()))
    screen.show_evidence(console, drill.told, drill.seen)
    console.print(f"status    [bold]{escape(str(drill.told.get('status')))}[/]")


def _too_narrow() -> None:
    allows = {"Effect": "Allow", "Action": "s3:GetBucketTagging", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [allows]}
    breaking.put(acts, "least", lambda documents, used: document)


SABOTAGES = {
    "reduction": one(
        "the narrow policy is not written, nor the wide one taken off",
        partial(breaking.no_write, ReducePermissions),
        "what was not is denied",
        "every step is verified",
        "status is honest",
    ),
    "narrowing": one(
        "the narrow policy leaves out what was used",
        _too_narrow,
        "what was used goes on",
    ),
    "outsider": one(
        "the trust policy is not written",
        partial(breaking.no_write, RevokeTrust),
        "the outsider is out",
        "every step is verified",
        "status is honest",
    ),
    "formulas": one(
        "cells are taken for harmless",
        partial(breaking.put, csv_form, "is_formula", lambda cell: False),
        "no cell of the file runs in a spreadsheet",
        "a formula is refused",
    ),
    "self-review": one(
        "nobody is known to be themselves",
        partial(breaking.put, deciding, "own", lambda names, row: ""),
        "nobody decides on their own",
    ),
    "staleness": one(
        "what changed since is not seen",
        partial(breaking.put, live, "_stale", lambda row, held, ids: ""),
        "what changed since is refused",
    ),
}

SCENARIO = Scenario(
    name="access-review",
    says="reviewers decide in a spreadsheet, a second person allows it, an auditor checks it",
    build=at_once(_stage),
    play=play,
    show=show,
    sabotages=SABOTAGES,
)
