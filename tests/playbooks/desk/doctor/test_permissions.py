"""Permissions: EC2 is asked by DryRun, IAM by its simulator; nothing is done for it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from actions.policy import LIMIT, packed
from playbooks.desk.cli.permissions import needed
from playbooks.desk.doctor import dry_runs, permissions
from playbooks.desk.doctor.accounts import _skew
from playbooks.desk.doctor.dry_runs import Asked
from playbooks.desk.doctor.place import Place
from playbooks.respond import plays
from playbooks.wiring.channel_terms import Queue
from playbooks.wiring.parts import now
from playbooks.wiring.settings import Account, Settings
from tests.actions.scene import mutates
from tests.playbooks.desk.console import desk, stanch
from tests.playbooks.scene import Scene, apart

ACCOUNT, REGION = "111122223333", "eu-west-1"
QUEUE = Queue(url="https://sqs.example/q/alerts", account=ACCOUNT, region=REGION)
SETTINGS = Settings(accounts={ACCOUNT: Account()}, queues={"alerts": QUEUE})
PLACE = Place(SETTINGS, now)
STATEMENTS = permissions._statements(PLACE, ACCOUNT, REGION)
EVERY = {action for statement in STATEMENTS for action in statement["Action"]}
DRY = sorted(dry_runs.REQUESTS)


def test_every_change_in_ec2_is_asked_about_or_named_as_not_to_be_asked() -> None:
    changing = {a for a in EVERY if a.startswith("ec2:") and not permissions._reads(a)}
    assert changing == dry_runs.REQUESTS.keys() | dry_runs.BY_TAG


def role(scene: Scene) -> str:
    return str(scene.estate.responder_role.rpartition("/")[2])


def put(scene: Scene, statements: list[dict[str, Any]]) -> None:
    """Give the responder these statements alone."""
    iam = scene.aws("iam")
    iam.delete_role_policy(RoleName=role(scene), PolicyName="stanch-permissions")
    for number, document in enumerate(packed(statements, LIMIT)):
        made = iam.create_policy(PolicyName=f"given-{number}", PolicyDocument=json.dumps(document))
        iam.attach_role_policy(RoleName=role(scene), PolicyArn=made["Policy"]["Arn"])


def without(scene: Scene, action: str) -> list[dict[str, Any]]:
    whole = needed(list(plays.names()), scene.estate.account, scene.estate.region, "aws")
    left = [s | {"Action": [a for a in s["Action"] if a != action]} for s in whole["Statement"]]
    return [s for s in left if s["Action"]]


def told(scene: Scene) -> list[dict[str, str]]:
    found = stanch("doctor", "--json").json["findings"]
    return [one for one in found if one["check"].startswith("permissions")]


@apart
def test_with_what_the_policy_prints_all_is_there_and_nothing_was_done(scene: Scene) -> None:
    with desk(scene):
        world = scene.aws("ec2")
        before = world.describe_security_groups()["SecurityGroups"]
        there, rest = told(scene)
        changing = {c.operation for c in scene.world.calls if mutates(c.operation)}
        after = world.describe_security_groups()["SecurityGroups"]
    assert (there["level"], f"{len(DRY)} EC2" in there["what"]) == ("ok", True)
    assert (rest["level"], "autoscaling:EnterStandby" in rest["what"]) == ("warn", True)
    assert "iam:SimulatePrincipalPolicy" in rest["do"]
    dry = {action.removeprefix("ec2:") for action in DRY}
    assert changing - dry == {"AssumeRole", "SimulatePrincipalPolicy"}
    assert before == after


@pytest.mark.parametrize("action", DRY)
@apart
def test_what_is_missing_is_named(scene: Scene, action: str) -> None:
    with desk(scene):
        put(scene, without(scene, action))
        found = told(scene)[0]
    assert (found["level"], found["what"]) == ("bad", f"missing: {action}")
    assert "stanch permissions" in found["do"]


@contextmanager
def simulator(denied: set[str]) -> Iterator[tuple[Any, list[dict[str, list[str]]]]]:
    """Serve SimulatePrincipalPolicy as the IAM API Reference has it; yield a client, and what it
    was asked."""
    asked: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = parse_qs(body)
            asked.append(form)
            actions = [v[0] for k, v in form.items() if k.startswith("ActionNames.member")]
            members = "".join(
                f"<member><EvalActionName>{a}</EvalActionName><EvalDecision>"
                f"{'implicitDeny' if a in denied else 'allowed'}</EvalDecision></member>"
                for a in actions
            )
            answer = (
                '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
                "<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>"
                f"<EvaluationResults>{members}</EvaluationResults>"
                "</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
            ).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    session: Any = boto3.Session("AKIA", "k", region_name="eu-west-1")
    client = session.client("iam", endpoint_url=f"http://127.0.0.1:{server.server_port}")
    try:
        yield client, asked
    finally:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("denied", [set(), {"iam:PutRolePolicy"}, EVERY])
def test_the_simulator_is_asked_about_all_with_the_conditions_met(denied: set[str]) -> None:
    with simulator(denied) as (iam, asked):
        assert permissions._simulated(iam, "arn:aws:iam::1:role/r", STATEMENTS) == denied
    sent = {v[0] for form in asked for k, v in form.items() if k.startswith("ActionNames")}
    assert sent == EVERY
    arns = {v[0] for form in asked for k, v in form.items() if k.startswith("ResourceArns")}
    assert all(arn == "*" or "*" not in arn for arn in arns)
    keys = {k for form in asked for v in form.values() for k in v if k in ("aws:TagKeys",)}
    assert keys == {"aws:TagKeys"}


class Answers:
    """An EC2 whose every request ends in one error code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def terminate_instances(self, **request: Any) -> Any:
        assert request == {"DryRun": True, "InstanceIds": [dry_runs.INSTANCE]}
        if self.code:
            raise ClientError({"Error": {"Code": self.code, "Message": ""}}, "TerminateInstances")


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("DryRunOperation", "allowed"),
        ("UnauthorizedOperation", "missing"),
        ("InvalidInstanceID.NotFound", "unclear"),
        ("", "unclear"),
    ],
)
def test_what_ec2_may_answer(code: str, answer: str) -> None:
    assert dry_runs.ask(Answers(code), "ec2:TerminateInstances").answer == answer


def test_what_ec2_may_not_answer_is_no_permission() -> None:
    with pytest.raises(ClientError):
        dry_runs.ask(Answers("RequestLimitExceeded"), "ec2:TerminateInstances")


@pytest.mark.parametrize(("off", "level"), [(0, "ok"), (4, "ok"), (30, "warn"), (90, "bad")])
@pytest.mark.parametrize("way", [1, -1])
def test_clocks_apart(off: int, level: str, way: int) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    theirs = at + way * timedelta(seconds=off)
    assert _skew("clock", theirs, at, at).level == level


ANSWERS = st.lists(
    st.builds(
        Asked,
        st.sampled_from(DRY),
        st.sampled_from(["allowed", "missing", "unclear"]),
        st.just("code"),
    ),
    unique_by=lambda one: one.action,
)


@given(ANSWERS, st.one_of(st.just("AccessDenied"), st.sets(st.sampled_from(sorted(EVERY)))))
def test_nothing_unknown_is_told_as_there_and_nothing_missing_is_passed_over(
    asked: list[Asked], denied: set[str] | str
) -> None:
    wanted = {a for a in EVERY if not permissions._reads(a)}
    found = permissions.judged(ACCOUNT, REGION, asked, denied, wanted)
    missing = {one.action for one in asked if one.answer == "missing"}
    missing |= denied if isinstance(denied, set) else set()
    assert (found[0].level == "bad") == bool(missing)
    assert all(action in found[0].what for action in missing)
    allowed = {one.action for one in asked if one.answer == "allowed"}
    unknown = wanted - missing - allowed
    if isinstance(denied, str) and unknown:
        assert found[-1].level == "warn"
        assert all(action in found[-1].what for action in unknown)
    assert {one.level for one in found} <= {"ok", "warn", "bad"}
    assert all(one.do for one in found if one.level != "ok")


def test_the_queues_are_asked_about_too() -> None:
    assert {"sqs:ReceiveMessage", "sqs:DeleteMessage"} <= EVERY


class Caller:
    """An STS that says who calls."""

    def __init__(self, arn: str) -> None:
        self.arn = arn

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": self.arn}


@pytest.mark.parametrize(
    ("arn", "role"),
    [
        (
            "arn:aws:sts::111122223333:assumed-role/stanch/i-0a",
            "arn:aws:iam::111122223333:role/stanch",
        ),
        ("arn:aws:iam::111122223333:user/stanch", "arn:aws:iam::111122223333:user/stanch"),
    ],
)
def test_whose_policies_are_asked_about(arn: str, role: str) -> None:
    assert permissions._role(PLACE, ACCOUNT, Caller(arn)) == role
    known = SETTINGS.model_copy(update={"accounts": {ACCOUNT: Account(role="arn:named")}})
    assert permissions._role(Place(known, now), ACCOUNT, Caller(arn)) == "arn:named"
