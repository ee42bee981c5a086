"""How a new secret is tried: told to the program alone, and by AWS's own word."""

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World
from playbooks.wiring import logins as module
from playbooks.wiring.logins import logins
from playbooks.wiring.rotation_terms import Credential, Rotation
from playbooks.wiring.settings import Settings
from tests.actions.aws.rotating import hold, text_of

PLACE = "111122223333/eu-west-1/secret/shop/db"
PROGRAM = """
import json, os, sys
held = json.load(sys.stdin)
text = " ".join(sys.argv) + json.dumps(dict(os.environ))
assert held["password"] not in text
sys.exit(0 if held["password"] == "zq7-fits" else 3)
"""


def settings(*command: str, endpoint: str | None = None) -> Settings:
    one = Credential(
        kind="database",
        target="111122223333/eu-west-1/database/orders",
        stored=PLACE,
        login=command,
    )
    return Settings(rotation=Rotation(credentials={"db": one}), aws_endpoint=endpoint)


def test_a_program_gets_the_secret_where_nobody_else_sees_it(tmp_path: Path):
    (tmp_path / "login.py").write_text(PROGRAM)
    found = logins(settings(sys.executable, str(tmp_path / "login.py")), "eu-west-1")
    assert found[PLACE]({"password": "zq7-fits"})
    assert not found[PLACE]({"password": "zq7-fits-not"})


def test_what_cannot_be_run_or_does_not_end_opens_nothing(monkeypatch):
    assert not logins(settings("/nowhere/login"), "eu-west-1")[PLACE]({"password": "x"})
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    slow = settings(sys.executable, "-c", "import time; time.sleep(9)")
    assert not logins(slow, "eu-west-1")[PLACE]({"password": "x"})


def test_what_has_no_program_has_no_login_of_its_own():
    assert set(logins(settings(), "eu-west-1")) == {"access_key"}


def test_a_key_opens_aws_once_aws_knows_it():
    world = World(seed=2)
    held = hold(world)
    text = text_of(world)
    key = {"id": held.key, "secret": text["aws_secret_access_key"]}
    with serve(world) as endpoint:
        login = logins(settings(endpoint=endpoint), world.region)["access_key"]
        assert login(key)
        assert not login(key | {"secret": "x" * 40})
        assert not login(key | {"id": "AKIAUNKNOWN123456789"})
        iam = world.client("iam", world.admin)
        iam.update_access_key(UserName="ci", AccessKeyId=held.key, Status="Inactive")
        assert not login(key)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"kind": "access_key", "target": "1/aws-global/user/ci"}, "needs `stored`"),
        ({"kind": "pin", "target": "1/r/secret/x"}, "kind"),
        ({"kind": "secret", "target": "no place"}, "target"),
    ],
)
def test_a_credential_that_cannot_be_rotated_is_refused(fields, why):
    with pytest.raises(ValidationError, match=why):
        Credential(**fields)


def test_one_that_changes_what_is_not_declared_is_refused():
    one = Credential(kind="secret", target="1/r/secret/x", changes=("nobody",))
    with pytest.raises(ValidationError, match="'nobody', which is not among them"):
        Rotation(credentials={"x": one})
