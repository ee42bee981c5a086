"""`stanch review`, as a person at a terminal meets it: what it lists, asks for and refuses."""

import json
from typing import Any

from playbooks.desk.cli.permissions import needed
from tests.playbooks.desk.console import Ran, desk, stanch
from tests.playbooks.review.staff import hire
from tests.playbooks.scene import Scene, apart


def review(*args: Any) -> Ran:
    return stanch("review", *args)


def allowed(scene: Scene) -> None:
    """Give Stanch's role what access reviews need, and people to find."""
    hire(scene.aws("iam"))
    scene.aws("iam").put_role_policy(
        RoleName=scene.estate.responder_role.rpartition("/")[2],
        PolicyName="stanch-review",
        PolicyDocument=json.dumps(
            needed(["access_review"], scene.estate.account, scene.estate.region, "aws")
        ),
    )


@apart
def test_a_campaign_is_listed_decided_one_by_one_and_closed(scene: Scene) -> None:
    with desk(scene) as made:
        allowed(scene)
        key = ("--key", made.alice)
        assert review("list").out.strip() == "no access reviews."
        assert review("escalate").out.strip() == "nothing was due."
        assert review("start", "--account", scene.estate.account, *key).status == 0
        assert "open        0 of" in review("list").out
        assert review("list", "--json").json[0]["id"] == "REV-0001"
        rows = review("list", "REV-0001", "--json").json
        admins = review("list", "REV-0001", "--flag", "admin").out.splitlines()
        assert len(admins) == sum(r["flags"].startswith("admin") for r in rows)
        row = next(r for r in rows if "carol" in r["principal"] and r["privilege"] == "key/1")
        done = review("decide", "REV-0001", row["row"], "revoke", "--reason", "left", *key)
        assert (done.status, "1 decisions recorded" in done.out) == (0, True), done.err
        listed = review("list", "REV-0001").out
        assert "revoke by alice" in listed
        assert "undecided" in listed
        left = review("list", "REV-0001", "--undecided", "--json").json
        assert len(left) == len(rows) - 1
        assert review("list", "REV-0001", "--flag", "none such").out.strip() == "no rows."
        waits = review("apply", "REV-0001", *key)
        assert waits.status == 1
        assert "other rows of it are undecided" in waits.out
        refused = review("close", "REV-0001", *key)
        assert (refused.status, "--statement" in refused.err) == (1, True)
        closed = review("close", "REV-0001", *key, "--statement", "moved to another account")
        assert f"{len(rows)} rows open as alice stated" in closed.out
        assert "closed" in review("apply", "REV-0001", *key).err


@apart
def test_for_an_incident_only_what_its_principal_could_reach_is_listed(scene: Scene) -> None:
    with desk(scene) as made:
        allowed(scene)
        assert stanch("respond", made.finding, "--without-prefect").status == 0
        who = f"{scene.estate.account}/aws-global/user/alice"
        key = ("--key", made.bob)
        ran = review("start", "--incident", "INC-0001", "--principal", who, *key)
        assert ran.status == 0, ran.err
        found = {r["principal"] for r in review("list", "REV-0001", "--json").json}
        assert found == {who, who.replace("user/alice", "group/ops")}
        again = review("start", "--incident", "INC-0001", "--principal", who + "x", *key)
        assert (again.status, "there is no" in again.err) == (1, True)


@apart
def test_what_cannot_be_meant_is_refused_in_one_line(scene: Scene) -> None:
    with desk(scene) as made:
        allowed(scene)
        key = ("--key", made.alice)
        account = scene.estate.account
        assert review("start", "--account", account, *key).status == 0
        wide, odd = scene.folder / "wide.csv", scene.folder / "odd.csv"
        odd.write_bytes(b"\xff\xfe")
        wide.write_text("row\n")
        for said, ran in {
            "one alone": review("start", *key),
            "alone.": review("start", "--account", account, "--vault", "x", *key),
            "no Vault": review("start", "--vault", "x", *key),
            "not in the settings": review("start", "--account", "000000000000", *key),
            "no access review": review("list", "REV-0009"),
            "and not both": review("decide", "REV-0001", *key),
            "not UTF-8": review("decide", "REV-0001", "--file", odd, *key),
            "the columns are": review("decide", "REV-0001", "--file", wide, *key),
            "no such file": review("decide", "REV-0001", "--file", "none.csv", *key),
        }.items():
            assert (ran.status, said in ran.err) == (1, True), (said, ran)
            assert ran.err.count("\n") == 1
        unknown = review("decide", "REV-0001", "0" * 16, "keep", "--reason", "r", *key)
        assert "there is no row" in unknown.err.splitlines()[0]
        assert review("apply", "REV-0001", *key).out.startswith("nothing is to be done")
        path = scene.folder / "twice.csv"
        assert review("list", "REV-0001", "--csv", path).status == 0
        assert "nothing is decided" in review("decide", "REV-0001", "--file", path, *key).err
        assert path.stat().st_mode & 0o777 == 0o600
        assert "file exists" in review("list", "REV-0001", "--csv", path).err
