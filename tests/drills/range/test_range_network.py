"""Who reaches whom, and which connections outlive a change of rules.

AWS: Security group rules; Security group connection tracking.
"""

import pytest

from playbooks.drills.range.errors import UnknownThingError, UnreachableError

OUTSIDE, OUTSIDE_V6, INSIDE = "198.51.100.7", "2001:db8::7", "10.1.2.3"


def put(ec2, nic, *groups) -> None:
    ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=list(groups))


@pytest.fixture
def group(ec2, estate):
    """Make a group with these rules and nothing else: (direction, protocol, port, cidr)."""

    def make(name, *rules) -> str:
        made = ec2.create_security_group(GroupName=name, Description="-", VpcId=estate.vpc)
        group_id = made["GroupId"]
        all_v4, all_v6 = [{"CidrIp": "0.0.0.0/0"}], [{"CidrIpv6": "::/0"}]
        ec2.revoke_security_group_egress(
            GroupId=group_id,
            IpPermissions=[{"IpProtocol": "-1", "IpRanges": all_v4, "Ipv6Ranges": all_v6}],
        )
        for direction, protocol, port, cidr in rules:
            family = ("Ipv6Ranges", "CidrIpv6") if ":" in cidr else ("IpRanges", "CidrIp")
            rule = {"IpProtocol": protocol, family[0]: [{family[1]: cidr}]}
            if protocol != "-1":
                low, high = port if isinstance(port, tuple) else (port, port)
                rule |= {"FromPort": low, "ToPort": high}
            call = f"authorize_security_group_{direction}"
            getattr(ec2, call)(GroupId=group_id, IpPermissions=[rule])
        return group_id

    return make


ALL = [
    (direction, "-1", None, cidr)
    for direction in ("ingress", "egress")
    for cidr in ("0.0.0.0/0", "::/0")
]


@pytest.fixture
def isolated(ec2, scaling, estate, group):
    def isolate() -> None:
        # Else the scaling group would replace it while time passes.
        scaling.suspend_processes(
            AutoScalingGroupName=estate.scaling_group, ScalingProcesses=["ReplaceUnhealthy"]
        )
        empty = group("quarantine")
        for nic in estate.interfaces:
            put(ec2, nic, empty)

    return isolate


@pytest.mark.parametrize(
    ("source", "port", "protocol", "reaches"),
    [
        (INSIDE, 22, "tcp", True),
        ("10.0.0.0/9", 22, "tcp", True),
        ("0.0.0.0/0", 22, "tcp", False),
        (OUTSIDE, 22, "tcp", False),
        (INSIDE, 23, "tcp", False),
        (INSIDE, 22, "udp", False),
        (INSIDE, 443, "tcp", False),
        ("balancer", 443, "tcp", True),
        ("balancer", 22, "tcp", True),
        ("app", 5432, "tcp", True),
        ("app", 443, "tcp", False),
    ],
)
def test_ingress_is_what_any_group_of_any_interface_permits(
    world, estate, source, port, protocol, reaches
):
    source = {"balancer": estate.balancer_group, "app": estate.app_group}.get(source, source)
    assert world.can_connect(source, estate.target, port, protocol) is reaches


def test_each_family_needs_its_own_rule_and_an_address(world, ec2, estate, group):
    v6 = group("v6", ("ingress", "tcp", 443, "::/0"))
    first, second = estate.interfaces
    put(ec2, first, v6)
    assert not world.can_connect(OUTSIDE_V6, estate.target, 443)  # no IPv6 address there
    put(ec2, second, v6)
    assert world.can_connect(OUTSIDE_V6, estate.target, 443)
    assert not world.can_connect(OUTSIDE, estate.target, 443)
    peers = {"v6": True}
    assert not world.can_connect(estate.balancer_group, estate.sibling, 22, **peers)


def test_an_isolated_instance_reaches_nobody_and_nobody_it(world, estate, isolated):
    assert world.can_egress(estate.target, OUTSIDE, 443)
    assert world.can_egress(estate.target, OUTSIDE_V6, 443)
    isolated()
    for peer in (OUTSIDE, OUTSIDE_V6, INSIDE):
        assert not world.can_egress(estate.target, peer, 443)
        assert not world.can_connect(peer, estate.target, 22)
    assert not world.can_connect(estate.balancer_group, estate.target, 443)
    assert world.can_connect(estate.balancer_group, estate.sibling, 443)


def test_a_half_isolated_instance_is_not_isolated(world, ec2, estate, group):
    put(ec2, estate.interfaces[0], group("quarantine"))
    assert world.can_egress(estate.target, OUTSIDE, 443)
    assert world.can_egress(estate.target, OUTSIDE_V6, 443)


def test_a_tracked_flow_outlives_isolation_until_it_idles_out(world, estate, isolated):
    flow = world.open_flow(estate.target, OUTSIDE, 443)
    assert flow.tracked  # ingress is not open to all, so the answer is tracked
    isolated()
    for _ in range(3):
        world.tick(432_000 - 1)
        assert flow.send()
    world.tick(432_000)
    assert not flow.alive()
    assert not flow.send()


def test_a_shorter_timeout_ends_a_dormant_flow_only_after_its_next_packet(
    world, ec2, estate, isolated
):
    busy = world.open_flow(estate.target, OUTSIDE, 443)
    dormant = world.open_flow(estate.target, OUTSIDE, 8443)
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=estate.interfaces[0],
        ConnectionTrackingSpecification={"TcpEstablishedTimeout": 60},
    )
    isolated()
    assert busy.send()
    world.tick(61)
    assert not busy.alive()
    assert dormant.alive()


@pytest.mark.parametrize("peer", [OUTSIDE, OUTSIDE_V6])
@pytest.mark.parametrize("inbound", [True, False])
def test_an_untracked_flow_dies_with_its_rule(world, ec2, estate, group, isolated, peer, inbound):
    put(ec2, estate.interfaces[1], group("open", *ALL))
    flow = world.open_flow(estate.target, peer, 443, inbound=inbound, device=1)
    assert not flow.tracked
    assert flow.send()
    isolated()
    assert not flow.alive()


def test_conversion_needs_traffic_and_the_right_family(world, ec2, estate, group, isolated):
    speaking = world.open_flow(estate.target, OUTSIDE_V6, 443, device=1)
    silent = world.open_flow(estate.target, OUTSIDE_V6, 8443, device=1)
    put(ec2, estate.interfaces[1], group("v4 only", *[r for r in ALL if "." in r[3]]))
    assert speaking.send()
    assert speaking.tracked  # an IPv4 rule converts no IPv6 flow
    put(ec2, estate.interfaces[1], group("both", *ALL))
    assert speaking.send()
    assert not speaking.tracked
    isolated()
    assert not speaking.alive()
    assert silent.alive()


def test_what_is_always_tracked_is_never_converted(world, ec2, estate, group, isolated):
    put(ec2, estate.interfaces[0], group("open", *ALL))
    nat = world.open_flow(estate.target, OUTSIDE, 443, always_tracked=True)
    assert nat.tracked
    assert nat.send()
    isolated()
    assert nat.alive()


def test_a_flow_opened_to_one_port_is_untracked_only_if_all_answers_may_go(
    world, ec2, estate, group
):
    rules = [("ingress", "tcp", 443, "0.0.0.0/0"), ("egress", "tcp", (0, 65535), "0.0.0.0/0")]
    put(ec2, estate.interfaces[0], group("web", *rules))
    assert not world.open_flow(estate.target, OUTSIDE, 443, inbound=True).tracked
    narrow = [rules[0], ("egress", "tcp", (1024, 65535), "0.0.0.0/0")]
    put(ec2, estate.interfaces[0], group("narrow", *narrow))
    assert world.open_flow(estate.target, OUTSIDE, 443, inbound=True).tracked


def test_udp_idles_out_sooner_and_a_stream_later(world, estate, isolated):
    single = world.open_flow(estate.target, OUTSIDE, 53, protocol="udp")
    stream = world.open_flow(estate.target, OUTSIDE, 53, protocol="udp")
    assert stream.send()
    isolated()
    world.tick(31)
    assert (single.alive(), stream.alive()) == (False, True)
    world.tick(150)
    assert not stream.alive()


def test_a_stopped_or_detached_end_ends_the_flow(world, ec2, estate):
    flow = world.open_flow(estate.target, OUTSIDE, 443)
    ec2.stop_instances(InstanceIds=[estate.target])
    assert not flow.alive()


def test_what_the_rules_forbid_cannot_be_opened(world, estate, isolated):
    with pytest.raises(UnreachableError, match="permit no tcp/22"):
        world.open_flow(estate.target, OUTSIDE, 22, inbound=True)
    with pytest.raises(UnreachableError):
        world.open_flow(estate.target, OUTSIDE_V6, 443)
    with pytest.raises(UnknownThingError, match="device index 5"):
        world.open_flow(estate.target, OUTSIDE, 443, device=5)
    isolated()
    with pytest.raises(UnreachableError):
        world.open_flow(estate.target, OUTSIDE, 443)
    with pytest.raises(UnknownThingError, match="no instance"):
        world.can_egress("i-0123456789abcdef0", OUTSIDE, 443)
