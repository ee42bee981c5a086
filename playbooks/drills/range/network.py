"""Who can reach whom, by security group rules alone.

A model, and a small one: no routes, no network ACLs, no ports that nothing listens on. A rule of
any group on any interface of the instance that fits is enough, as in AWS ("Security group rules":
rules of several groups are aggregated, the most permissive counts). What AWS does not filter by
security groups (VPC DNS, instance metadata, time sync) is not in it.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Network = IPv4Network | IPv6Network


def can_connect(
    ec2: Any, source: str, instance: Any, port: int, protocol: str = "tcp", *, v6: bool = False
) -> bool:
    """Whether `source` (an address, a CIDR block, or a group id) may open `port` on the instance.

    `v6` matters for a group as source: over which of the two address families it comes.
    """
    return any(
        permits(ec2, rule, source, port, protocol, v6=v6)
        for interface in instance.nics.values()
        if has_family(interface, source, v6=v6)
        for rule in rules(interface, egress=False)
    )


def can_egress(ec2: Any, instance: Any, target: str, port: int, protocol: str = "tcp") -> bool:
    """Whether the instance may open a connection to `target` (an address or a CIDR block)."""
    return any(
        permits(ec2, rule, target, port, protocol)
        for interface in instance.nics.values()
        if has_family(interface, target)
        for rule in rules(interface, egress=True)
    )


def rules(interface: Any, *, egress: bool) -> Iterator[Any]:
    """The rules of all groups on an interface, one direction."""
    for group in interface.group_set:
        yield from group.egress_rules if egress else group.ingress_rules


def permits(ec2: Any, rule: Any, peer: str, port: int, protocol: str, *, v6: bool = False) -> bool:
    """Whether one rule permits `peer` on `port`; every address of a CIDR peer must be permitted."""
    if not covers(rule, port, protocol):
        return False
    if not peer.startswith("sg-"):
        return _within(ip_network(peer, strict=False), rule)
    if rule.source_group.get("GroupId") == peer:
        return True
    blocks = list(_blocks_of_group(ec2, peer, v6=v6))
    return bool(blocks) and all(_within(block, rule) for block in blocks)


def covers(rule: Any, port: int, protocol: str) -> bool:
    """Whether a rule speaks of this protocol and port ("-1" is all of both)."""
    if rule.ip_protocol == "-1":
        return True
    return bool(rule.ip_protocol == protocol and rule.from_port <= port <= rule.to_port)


def permits_everyone(
    interface: Any, port: int | None, protocol: str, *, egress: bool, v6: bool
) -> bool:
    """Whether all addresses of the family are permitted; `port` None asks for all ports."""
    everyone = ip_network("::/0" if v6 else "0.0.0.0/0")
    return any(
        _within(everyone, rule)
        and (
            rule.ip_protocol == "-1"
            or (
                rule.ip_protocol == protocol
                and (
                    (rule.from_port, rule.to_port) == (0, 65535)
                    if port is None
                    else covers(rule, port, protocol)
                )
            )
        )
        for rule in rules(interface, egress=egress)
    )


def has_family(interface: Any, peer: str, *, v6: bool = False) -> bool:
    """Whether the interface has an address of the peer's family."""
    is_v6 = v6 if peer.startswith("sg-") else ip_network(peer, strict=False).version == 6
    return bool(interface.ipv6_addresses) if is_v6 else bool(interface.private_ip_address)


def _within(block: Network, rule: Any) -> bool:
    cidr = rule.ip_range.get("CidrIp") or rule.ip_range.get("CidrIpv6")
    if not cidr:
        return False
    allowed = ip_network(cidr, strict=False)
    if isinstance(block, IPv4Network):
        return isinstance(allowed, IPv4Network) and block.subnet_of(allowed)
    return isinstance(allowed, IPv6Network) and block.subnet_of(allowed)


def _blocks_of_group(ec2: Any, group_id: str, *, v6: bool) -> Iterable[Network]:
    """A group as a peer may be any address of its VPC (a load balancer's interfaces move)."""
    group = ec2.get_security_group_from_id(group_id)
    vpc = ec2.vpcs.get(group.vpc_id) if group else None
    if vpc is None:
        return
    for association in vpc.get_cidr_block_association_set(ipv6=v6):
        yield ip_network(association["cidr_block"])
