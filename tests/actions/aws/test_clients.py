"""What AWS answers is told apart: no, not now, and nobody knows."""

import socket

import boto3
import pytest
from botocore.config import Config

from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.aws.tag_incident import TagIncident
from actions.engine import calling
from actions.errors import ProviderError
from playbooks.drills.range.injectors import FailedCall, Throttle
from playbooks.drills.range.keys import Credentials

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def p(world):
    session = world.session(world.admin)
    return Aws(world.account, world.region, lambda name: session.client(name, config=ONCE))


def told(p, host) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        calling(p, lambda: TagIncident(host, "INC-1").write(p, "tag/stanch:incident", "INC-1"))
    return caught.value


def test_a_throttled_call_is_worth_another_try_and_surely_did_nothing(world, host, p):
    world.inject(Throttle(), "CreateTags")
    error = told(p, host)
    assert (error.operation, error.code) == ("CreateTags", "RequestLimitExceeded")
    assert error.passing
    assert error.refused


def test_a_server_error_may_pass_and_may_have_done_it(world, host, p):
    world.inject(FailedCall("InternalError", 500), "CreateTags")
    error = told(p, host)
    assert error.passing
    assert not error.refused


def test_a_no_is_a_no(world, host, p):
    world.inject(FailedCall("UnauthorizedOperation", 403), "CreateTags")
    error = told(p, host)
    assert not error.passing
    assert error.refused


def test_a_lost_connection_may_pass_and_may_have_done_it(world, host):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        endpoint = f"http://127.0.0.1:{held.getsockname()[1]}"
        client = boto3.session.Session(
            aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="-", region_name=world.region
        ).client("ec2", endpoint_url=endpoint, config=ONCE)
        error = told(Aws(world.account, world.region, lambda name: client), host)
    assert error.code == "EndpointConnectionError"
    assert error.passing
    assert not error.refused


def test_what_is_not_botocores_is_not_ours(p):
    assert p.translate(KeyError("x")) is None
    with pytest.raises(KeyError):
        calling(p, lambda: {}["x"])


def test_a_refusal_to_describe_is_not_taken_for_a_host_that_is_gone(world, host):
    unknown = Credentials("AKIAUNKNOWNUNKNOWN00", "nobody's")
    session = world.session(unknown)
    stranger = Aws(world.account, world.region, session.client)
    with pytest.raises(ProviderError) as caught:
        calling(stranger, lambda: describe(stranger, host))
    assert caught.value.code == "AuthFailure"


def test_an_instance_is_named_by_account_region_and_id():
    host = Instance("111122223333", "eu-west-1", "i-0a")
    assert host.key == "111122223333/eu-west-1/i-0a"
    assert host.arn == "arn:aws:ec2:eu-west-1:111122223333:instance/i-0a"
