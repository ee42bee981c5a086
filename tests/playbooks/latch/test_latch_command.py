"""`stanch latch plan|check` at a terminal, against an organisation over HTTP."""

import json
import os
from pathlib import Path

from actions.action import fields_of, name_of, step_of
from actions.aws.latch_principal import LatchPrincipal
from actions.journal import Intent, Plan
from playbooks.case import store
from playbooks.case.incident import Incident
from playbooks.case.severity import Severity
from playbooks.desk.cli.surroundings import here
from playbooks.drills.range.server import serve
from tests.playbooks.desk.console import stanch
from tests.playbooks.latch.realm import (
    ACCOUNTS,
    ADMIN,
    HOME,
    MANAGEMENT,
    REGION,
    Realm,
    apart,
    document,
)


def settled(realm: Realm, folder: Path, url: str, *, latch: bool = True) -> None:
    """Write the settings of a Stanch in the administrator's account, and make it."""
    lines = [f'aws_endpoint = "{url}"']
    for account, known in ACCOUNTS.items():
        lines += [f'[accounts."{account}"]', f'role = "{known.role}"', f'regions = ["{REGION}"]']
    if latch:
        part = realm.part.model_dump(exclude_none=True)
        lines += ["[latch]", *(f"{key} = {json.dumps(value)}" for key, value in part.items())]
    (folder / "stanch.toml").write_text("\n".join(lines) + "\n")
    os.environ |= {
        "STANCH_CONFIG": str(folder / "stanch.toml"),
        "COLUMNS": "300",
        "AWS_ACCESS_KEY_ID": realm.stanch.access_key,
        "AWS_SECRET_ACCESS_KEY": realm.stanch.secret_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert stanch("init").status == 0


@apart
def test_the_plan_is_printed_from_the_settings_alone(realm, tmp_path):
    settled(realm, tmp_path, "http://127.0.0.1:1")
    ran = stanch("latch", "plan")
    assert (ran.status, ran.err) == (0, "")
    assert ran.json == realm.plan.json()
    assert ran.json["attach"] == [HOME, ADMIN]


@apart
def test_the_check_tries_every_account_and_says_what_is_bad(realm, tmp_path):
    with serve(realm.world) as url:
        settled(realm, tmp_path, url)
        ran = stanch("latch", "check", "--json")
        assert (ran.status, ran.json["well"]) == (0, True), ran
        abouts = [one["about"] for one in ran.json["found"]]
        assert {f"try {HOME}", f"try {ADMIN}", "latch", "shield", "room"} <= set(abouts)
        start = len(realm.world.calls)
        read = stanch("latch", "check", "--read-only")
        assert read.status == 0
        assert "never bound: the management account" in read.out
        assert [c.operation for c in realm.world.calls[start:] if c.mutating] == []
        realm.org.detach_policy(PolicyId=realm.part.shield, TargetId=HOME)
        bad = stanch("latch", "check", "--read-only")
        assert bad.status == 1
        assert bad.out.splitlines()[0].startswith(f"bad  account {HOME}: shield not attached")


@apart
def test_an_account_that_cannot_be_entered_does_not_hide_the_others(realm, tmp_path):
    realm.org.detach_policy(PolicyId=realm.part.shield, TargetId=HOME)  # or not even root could
    iam = realm.world.client("iam", realm.world.root_of(HOME))
    iam.update_assume_role_policy(
        RoleName="stanch-responder",
        PolicyDocument=document(
            Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"}
        ),
    )
    realm.org.attach_policy(PolicyId=realm.part.shield, TargetId=HOME)
    with serve(realm.world) as url:
        settled(realm, tmp_path, url)
        ran = stanch("latch", "check", "--json")
    bad = [one["about"] for one in ran.json["found"] if one["level"] == "bad"]
    assert (ran.status, bad) == (1, [f"account {HOME}"])
    assert f"try {ADMIN}" in {one["about"] for one in ran.json["found"]}


@apart
def test_what_the_organisation_does_not_let_stanch_read_is_said(realm, tmp_path):
    realm.org.delete_resource_policy()
    with serve(realm.world) as url:
        settled(realm, tmp_path, url)
        ran = stanch("latch", "check", "--read-only", "--json")
    [said] = [one for one in ran.json["found"] if one["level"] == "bad"]
    assert said["what"].startswith(f"cannot be read from account {ADMIN}: ")
    assert "AccessDenied" in said["what"]


@apart
def test_without_a_latch_in_the_settings_each_says_what_to_do(realm, tmp_path):
    settled(realm, tmp_path, "http://127.0.0.1:1", latch=False)
    for command in ("plan", "check"):
        ran = stanch("latch", command)
        assert (ran.status, ran.out) == (1, "")
        assert "race-exposed" in ran.err


@apart
def test_an_administrator_that_is_no_account_of_ours_is_refused(realm, tmp_path):
    realm.part = realm.part.model_copy(update={"admin": MANAGEMENT})
    settled(realm, tmp_path, "http://127.0.0.1:1")
    for command in ("plan", "check"):
        ran = stanch("latch", command)
        assert ran.status == 1
        assert f'[accounts."{MANAGEMENT}"]' in ran.err


@apart
def test_a_principal_that_an_incident_holds_and_the_latch_lost_is_bad(realm, tmp_path):
    arn = f"arn:aws:iam::{HOME}:user/mallory"
    with serve(realm.world) as url:
        settled(realm, tmp_path, url)
        _, _, db = here()
        action = LatchPrincipal(ADMIN, realm.part.policy, (arn,))
        plan = Plan({arn: None}, {arn: True}, {})
        intent = Intent(step_of(action), name_of(action), fields_of(action), plan, "done", "m")
        now = realm.world.now()
        one = Incident("", "leaked-access-key", "t", Severity.P1, {}, now, "aws")
        made = db.commit(lambda conn: store.add_incident(conn, one))
        db.commit(lambda conn: store.add_step(conn, made.id, intent, now))
        ran = stanch("latch", "check", "--read-only", "--json")
    [said] = [one["what"] for one in ran.json["found"] if one["level"] == "bad"]
    assert said == f"INC-0001 holds {arn}, and the latch does not name it: it is NOT denied by it"
