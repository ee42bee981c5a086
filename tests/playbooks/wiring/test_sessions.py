"""Sessions: assumed with the external id, checked, assumed anew before they expire."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from playbooks.drills.range.server import serve
from playbooks.errors import SettingsError
from playbooks.wiring.sessions import Sessions
from playbooks.wiring.settings import Account
from tests.playbooks.scene import Scene, apart

REFERENCE = "env:TEST_EXTERNAL_ID"


@contextmanager
def served(scene: Scene, **account: Any) -> Iterator[Callable[..., Sessions]]:
    """Serve the world over HTTP; yield a maker of sessions, as the responder."""
    estate = scene.estate
    os.environ |= {
        "AWS_ACCESS_KEY_ID": estate.responder.access_key,
        "AWS_SECRET_ACCESS_KEY": estate.responder.secret_key,
        "AWS_DEFAULT_REGION": estate.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "TEST_EXTERNAL_ID": estate.external_id,
    }
    known = {"role": estate.responder_role, "external_id": REFERENCE} | account
    with serve(scene.world) as url:
        scene.set(accounts={estate.account: Account(**known)}, aws_endpoint=url)
        later = [timedelta(0)]

        def make(after: timedelta = timedelta(0)) -> Sessions:
            return Sessions(scene.parts.settings, lambda: scene.world.now() + later[0])

        make.later = later  # type: ignore[attr-defined]
        yield make


def assumed(scene: Scene) -> int:
    return sum(c.operation == "AssumeRole" for c in scene.world.calls)


@apart
def test_a_role_is_assumed_once_with_its_external_id(scene: Scene) -> None:
    estate = scene.estate
    with served(scene) as make:
        sessions = make()
        maker = sessions.maker(estate.account, estate.region)
        assert maker("ec2").describe_instances(InstanceIds=[estate.target])["Reservations"]
        assert maker("ec2") is maker("ec2")
        assert sessions.maker(estate.account, "us-east-1")("ec2") is not maker("ec2")
    assert assumed(scene) == 1


@apart
def test_it_is_assumed_anew_before_it_expires(scene: Scene) -> None:
    estate = scene.estate
    with served(scene) as make:
        sts = make().maker(estate.account, estate.region)("sts")
        first = sts.get_caller_identity()["Arn"]
        make.later[0] = timedelta(minutes=55)  # type: ignore[attr-defined]
        assert sts.get_caller_identity()["Arn"] == first
    assert assumed(scene) == 2


@apart
def test_a_wrong_external_id_is_a_matter_of_settings_and_not_told(scene: Scene) -> None:
    estate = scene.estate
    with served(scene) as make:
        os.environ["TEST_EXTERNAL_ID"] = "canary-wrong-id"
        with pytest.raises(SettingsError, match=r"cannot assume.*AccessDenied") as caught:
            make().maker(estate.account, estate.region)
    assert "canary" not in str(caught.value)


@apart
def test_a_missing_external_id_is_a_matter_of_settings(scene: Scene) -> None:
    estate = scene.estate
    with served(scene) as make:
        del os.environ["TEST_EXTERNAL_ID"]
        with pytest.raises(SettingsError, match=r"external_id: a secret reference"):
            make().maker(estate.account, estate.region)
    assert assumed(scene) == 0


@apart
def test_a_session_in_another_account_is_refused(scene: Scene) -> None:
    estate = scene.estate
    with (
        served(scene, role=None, external_id=None) as make,
        pytest.raises(SettingsError, match=f"is in account {estate.responder_account}"),
    ):
        make().maker(estate.account, estate.region)


@apart
def test_without_credentials_nothing_is_made(scene: Scene) -> None:
    estate = scene.estate
    with served(scene, role=None, external_id=None) as make:
        del os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        with pytest.raises(SettingsError, match="no usable credentials"):
            make().maker(estate.account, estate.region)


@apart
def test_an_account_that_is_not_ours_is_not_reached(scene: Scene) -> None:
    with served(scene) as make, pytest.raises(SettingsError, match="not in the settings"):
        make().maker("999988887777", scene.estate.region)
    assert assumed(scene) == 0


@apart
def test_an_account_or_region_that_is_not_ours_is_neither_acted_in_nor_read(scene: Scene) -> None:
    estate = scene.estate
    scene.set(accounts={estate.account: Account(regions=("eu-west-1",))})
    for account, region in ((estate.account, "eu-north-1"), ("999988887777", "eu-west-1")):
        for reach in (scene.parts.aws, scene.parts.reading):
            with pytest.raises(SettingsError, match="nothing was touched there"):
                reach(account, region)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
@apart
def test_the_partition_follows_the_region(scene: Scene, region: str, partition: str) -> None:
    scene.set(accounts={scene.estate.account: Account()})
    assert scene.parts.aws(scene.estate.account, region).partition == partition
