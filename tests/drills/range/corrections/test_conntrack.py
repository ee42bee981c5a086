"""Idle tracking times are stored, bounded, returned (AWS: Security group connection tracking)."""

import pytest

DEFAULT = {"TcpEstablishedTimeout": 432_000, "UdpTimeout": 30, "UdpStreamTimeout": 180}


def read(ec2, nic) -> dict | None:
    [found] = ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])["NetworkInterfaces"]
    return found.get("ConnectionTrackingConfiguration")


def put(ec2, nic, **times) -> None:
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=nic, ConnectionTrackingSpecification=times
    )


def test_an_interface_has_none_until_it_is_given_some(ec2, estate):
    first, second = estate.interfaces
    assert read(ec2, first) is None
    put(ec2, first, TcpEstablishedTimeout=60, UdpTimeout=30)
    assert read(ec2, first) == {"TcpEstablishedTimeout": 60, "UdpTimeout": 30}
    put(ec2, first, TcpEstablishedTimeout=432_000)
    assert read(ec2, first) == {"TcpEstablishedTimeout": 432_000, "UdpTimeout": 30}
    assert read(ec2, second) is None


def test_describe_instances_tells_the_same(ec2, estate):
    put(ec2, estate.interfaces[1], **DEFAULT)
    host = ec2.describe_instances(InstanceIds=[estate.target])["Reservations"][0]["Instances"][0]
    told = {
        n["NetworkInterfaceId"]: n.get("ConnectionTrackingConfiguration")
        for n in host["NetworkInterfaces"]
    }
    assert told == dict(zip(estate.interfaces, [None, DEFAULT], strict=True))
    # What re-encoding the answer must not lose.
    assert host["IamInstanceProfile"]["Arn"] == estate.profile_arn
    assert [d["Ebs"]["VolumeId"] for d in host["BlockDeviceMappings"]] == list(estate.volumes)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("TcpEstablishedTimeout", 60, 432_000),
        ("UdpTimeout", 30, 60),
        ("UdpStreamTimeout", 60, 180),
    ],
)
def test_each_time_has_its_bounds(ec2, refused, estate, name, low, high):
    nic = estate.interfaces[0]
    for inside in (low, high):
        put(ec2, nic, **{name: inside})
        assert read(ec2, nic) == {name: inside}
    for outside in (low - 1, high + 1):
        code = refused(
            ec2.modify_network_interface_attribute,
            NetworkInterfaceId=nic,
            ConnectionTrackingSpecification={name: outside},
        )
        assert code == "InvalidParameterValue"
    assert read(ec2, nic) == {name: high}


def test_one_attribute_a_call(world, ec2, refused, estate):
    before = world.digest()
    modify = ec2.modify_network_interface_attribute
    nic = {"NetworkInterfaceId": estate.interfaces[0]}
    two = {
        "Groups": [estate.data_group],
        "ConnectionTrackingSpecification": {"TcpEstablishedTimeout": 60},
    }
    assert refused(modify, **nic, **two) == "InvalidParameterCombination"
    assert refused(modify, **nic) == "InvalidParameterCombination"
    unknown = {"NetworkInterfaceId": "eni-0123456789abcdef0", "Groups": [estate.data_group]}
    assert refused(modify, **unknown) == "InvalidNetworkInterfaceID.NotFound"
    assert world.digest() == before
