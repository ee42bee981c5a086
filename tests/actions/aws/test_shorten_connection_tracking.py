"""Timeouts go to the least per interface; old values come back, and unset as AWS's defaults."""

import pytest

from actions.aws.shorten_connection_tracking import LEAST, ShortenConnectionTracking
from tests.actions.aws.operating import host_of


def arrange(world, estate):
    return ShortenConnectionTracking(host_of(world, estate))


def timeouts(ec2, host) -> dict[str, tuple]:
    found = ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [host.instance_id]}]
    )["NetworkInterfaces"]
    names = ("TcpEstablishedTimeout", "UdpTimeout", "UdpStreamTimeout")
    return {
        n["NetworkInterfaceId"]: tuple(
            n.get("ConnectionTrackingConfiguration", {}).get(name) for name in names
        )
        for n in found
    }


def test_each_interface_gets_its_own_timeouts_back(world, estate, host, op, ec2):
    one, other = timeouts(ec2, host)
    for eni, tcp, udp, stream in ((one, 3600, 45, 120), (other, 350, 30, 180)):
        ec2.modify_network_interface_attribute(
            NetworkInterfaceId=eni,
            ConnectionTrackingSpecification={
                "TcpEstablishedTimeout": tcp,
                "UdpTimeout": udp,
                "UdpStreamTimeout": stream,
            },
        )
    before = timeouts(ec2, host)
    assert before == {one: (3600, 45, 120), other: (350, 30, 180)}
    action = arrange(world, estate)
    op.apply(action)
    assert timeouts(ec2, host) == dict.fromkeys(before, tuple(LEAST.values()))
    op.undo(action)
    assert timeouts(ec2, host) == before
    assert op.journal[f"shorten_connection_tracking/{host.key}"].plan.lost == ()


def test_what_was_never_set_comes_back_as_the_default_and_is_said_beforehand(
    world, estate, host, op, ec2
):
    assert set(timeouts(ec2, host).values()) == {(None, None, None)}
    action = arrange(world, estate)
    op.apply(action)
    [lost] = op.journal[f"shorten_connection_tracking/{host.key}"].plan.lost
    assert "432000" in lost
    op.undo(action)
    assert set(timeouts(ec2, host).values()) == {(432000, 30, 180)}


@pytest.mark.parametrize("value", [None, {"tcp": None, "udp": 30, "stream": None}])
def test_unset_equals_the_documented_default_and_nothing_else(world, estate, value):
    action = arrange(world, estate)
    assert action.same("tracking/eni-1", value, {"tcp": 432000, "udp": 30, "stream": 180})
    for other in ({"tcp": 350}, {"udp": 60}, {"stream": 60}, LEAST):
        assert not action.same("tracking/eni-1", value, other)
