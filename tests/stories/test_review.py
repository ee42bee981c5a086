"""An access review from the command line: out as CSV, back with decisions, to world and ledger."""

import csv
import json
from pathlib import Path
from typing import Any

from evidence.verify import verify_bundle
from evidence.verify_report import Exit
from playbooks.desk.cli.permissions import needed
from playbooks.drills.range.keys import Credentials
from tests.playbooks.desk.console import Ran, desk, stanch
from tests.playbooks.review.staff import hire
from tests.playbooks.scene import Scene, apart

CAROL = "user/carol"
NOW = "--without-prefect"


def allowed(scene: Scene) -> None:
    """Give Stanch's role what access reviews need, besides what containment needs."""
    where = (scene.estate.account, scene.estate.region, "aws")
    role = scene.estate.responder_role.rpartition("/")[2]
    scene.aws("iam").put_role_policy(
        RoleName=role,
        PolicyName="stanch-review",
        PolicyDocument=json.dumps(needed(["access_review"], *where)),
    )


def begun(scene: Scene, made: Any) -> Path:
    """Start a campaign and return its file."""
    allowed(scene)
    hire(scene.aws("iam"))
    iam = scene.aws("iam")
    iam.tag_user(UserName="carol", Tags=[{"Key": "owner", "Value": "=HYPERLINK(x)"}])
    started = stanch("review", "start", "--account", scene.estate.account, "--key", made.alice)
    assert started.status == 0, started.err
    assert "0.0 hours old" in started.out
    path = scene.folder / "review.csv"
    listed = stanch("review", "list", "REV-0001", "--csv", path)
    assert listed.status == 0, listed.err
    return path


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def filled(path: Path, choices: dict[str, str], **changed: str) -> list[dict[str, str]]:
    """Write decisions into the file, by `kind/name privilege`; return its rows."""
    rows = cells(path)
    for row in rows:
        if named(row) in choices:
            row |= {"decision": choices[named(row)], "reason": "quarterly"} | changed
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def named(row: dict[str, str]) -> str:
    return f"{row['principal'].split('/', 2)[2]} {row['privilege']}"


def decide(path: Path, key: Path) -> Ran:
    return stanch("review", "decide", "REV-0001", "--file", path, "--key", key)


def undecided() -> bool:
    return all(not r["decision"] for r in stanch("review", "list", "REV-0001", "--json").json)


# What is wrong in one line: the cells that are changed in it, and what is said of it.
WRONG = {
    "unknown": ({"row": "0" * 16}, "there is no row"),
    "formula": ({"reason": "=cmd|' /C calc'!A0"}, "the cell reason begins a formula"),
    "changed": ({"flags": "none"}, "the cell flags was changed"),
    "other": ({"review": "REV-0002"}, "not of REV-0001"),
    "choice": ({"decision": "burn"}, "'burn' cannot be decided"),
    "reason": ({"reason": ""}, "a reason of 1 to 500"),
    "stale": ({}, "was changed since it was listed"),
}


@apart
def test_a_file_with_one_wrong_line_is_refused_whole(scene: Scene) -> None:
    with desk(scene) as made:
        path = begun(scene, made)
        owners = {r["owner"] for r in cells(path) if CAROL in r["principal"]}
        assert owners == {"'=HYPERLINK(x)"}, "no spreadsheet runs it"
        whole = path.read_text()
        filled(path, {f"{CAROL} key/1": "keep", "user/alice group/ops": "keep"})
        refused(path, made.alice, "user/alice group/ops", "it is about yourself")
        for wrong, (changed, said) in WRONG.items():
            path.write_text(whole)
            filled(path, {f"{CAROL} key/1": "keep"})
            filled(path, {f"{CAROL} group/ops": "revoke"}, **changed)
            if wrong == "stale":
                arn = f"arn:aws:iam::{scene.estate.account}:policy/orders"
                scene.aws("iam").detach_user_policy(UserName="carol", PolicyArn=arn)
            scene.world.calls.clear()
            refused(path, made.bob, f"{CAROL} group/ops", said)
            assert scene.changed() == []


def refused(path: Path, key: Path, name: str, said: str) -> None:
    """Check that the file is refused whole, for the line of this name and what is said of it."""
    rows = cells(path)
    line = 2 + next(i for i, r in enumerate(rows) if named(r) == name)
    ran = decide(path, key)
    assert (ran.status, ran.out) == (1, "")
    told = ran.err.splitlines()
    assert any(one.startswith(f"line {line}: ") and said in one for one in told), ran.err
    assert "nothing was recorded" in ran.err
    assert undecided()


def used(scene: Scene, who: str) -> Credentials:
    """Return a key of the user that has listed buckets, and nothing else."""
    # Two keys of one second cannot be told apart by a credential report.
    scene.world.tick(60)
    made = scene.aws("iam").create_access_key(UserName=who)["AccessKey"]
    keys = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    assert scene.world.client("s3", keys).list_buckets()["Buckets"]
    return keys


def works(scene: Scene, keys: Credentials, call: str, **parameters: Any) -> bool:
    try:
        getattr(scene.world.client("s3", keys), call)(**parameters)
    except Exception as error:
        if "AccessDenied" not in str(error):
            raise
        return False
    return True


@apart
def test_from_the_file_to_the_world_and_back(scene: Scene) -> None:
    with desk(scene) as made:
        allowed(scene)
        hire(scene.aws("iam"))
        keys = used(scene, "carol")
        started = stanch("review", "start", "--account", scene.estate.account, "--key", made.alice)
        assert started.status == 0, started.err
        before = scene.world.digest()
        path = scene.folder / "review.csv"
        assert stanch("review", "list", "REV-0001", "--csv", path).status == 0
        arn = f"arn:aws:iam::{scene.estate.account}:policy/orders"
        filled(
            path,
            {
                f"{CAROL} policy/{arn}": "reduce",
                f"{CAROL} group/ops": "revoke",
                f"{CAROL} key/1": "revoke",
                f"{CAROL} key/2": "keep",
                "role/deploy trust": "revoke",
                "role/deploy inline/all": "keep",
            },
        )
        assert decide(path, made.bob).status == 0
        applied = stanch("review", "apply", "REV-0001", "--key", made.alice, NOW)
        assert applied.status == 0, applied.err
        assert scene.world.digest() == before, "nobody has allowed it yet"
        assert "bob in REV-0001" in stanch("show", "INC-0001").out
        own = stanch("approve", "Q-0001", "--key", made.bob, "--yes")
        assert own.status == 1, "who decided it cannot allow it"
        assert stanch("approve", "Q-0001", "--key", made.alice, "--yes").status == 0
        resumed = stanch("resume", "INC-0001", NOW)
        assert resumed.status == 0, resumed.err
        assert "status done" in resumed.out
        assert works(scene, keys, "list_buckets"), "what was used goes on"
        assert not works(scene, keys, "create_bucket", Bucket="new-one")
        trust = scene.aws("iam").get_role(RoleName="deploy")["Role"]["AssumeRolePolicyDocument"]
        assert trust["Statement"][0]["Effect"] == "Deny"
        active = scene.aws("iam").list_access_keys(UserName="carol")["AccessKeyMetadata"]
        assert sorted(k["Status"] for k in active) == ["Active", "Inactive"]
        assert scene.aws("iam").list_groups_for_user(UserName="carol")["Groups"] == []
        again = stanch("review", "apply", "REV-0001", "--key", made.alice, NOW)
        assert "nothing is to be done" in again.out
        reported(scene, made, "in effect, read back")
        back = ("rollback", "INC-0001", "--key", made.alice, "--reason", "a mistake")
        assert stanch(*back).status == 0
        assert stanch("approve", "Q-0002", "--key", made.bob, "--yes").status == 0
        undone = stanch(*back)
        assert undone.status == 0, undone.out + undone.err
        assert scene.world.digest() == before
        reported(scene, made, "undone")
        again = stanch("review", "apply", "REV-0001", "--key", made.alice, NOW)
        assert (again.status, again.out.count("decide on it again")) == (1, 4)
        assert decide(path, made.bob).status == 0, "and so it can be"


def reported(scene: Scene, made: Any, state: str) -> None:
    """Check that the report says this of all four changes, and that its evidence holds."""
    out = scene.folder / f"report-{state.partition(',')[0]}"
    ran = stanch("review", "report", "REV-0001", "--key", made.alice, "-o", out)
    assert ran.status == 0, ran.err
    assert f"4 {state}" in ran.out
    told = json.loads((out / "report.json").read_text())
    changed = [row for row in told["rows"] if row["outcome"] == state]
    assert {row["incident"] for row in changed} == {"INC-0001"}
    assert all(row["proof"] and row["step"] for row in changed)
    trust = json.loads((made.settings.home / "keys" / "trust.json").read_text())
    for bundle in ("evidence", "incidents/INC-0001"):
        assert verify_bundle(out / bundle, trust).exit_code in (Exit.VALID, Exit.UNWITNESSED)
