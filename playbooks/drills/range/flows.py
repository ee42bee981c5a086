"""Connections that already stand when containment starts.

AWS: Security group connection tracking. A flow is untracked when the rules let all addresses of
its family through in its own direction (on its port) and back (on all ports), unless it goes
through something that is always tracked, such as a NAT gateway. Untracked flows die with their
rule; tracked ones live on until they are idle for their timeout. A tracked flow that sends
traffic while the rules let everything through becomes untracked. AWS does not say whether a
changed timeout binds entries that exist; here it binds a flow from its next packet on.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import UnknownThingError, UnreachableError
from playbooks.drills.range.network import has_family, permits, permits_everyone, rules

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground

# AWS: idle connection tracking timeouts, defaults: TCP established 5 days, UDP 30 s, stream 180 s.
DEFAULTS = {"TcpEstablishedTimeout": 432_000, "UdpTimeout": 30, "UdpStreamTimeout": 180}


@dataclass(slots=True)
class Flow:
    """One connection between an interface and a peer address.

    `inbound` says who opened it. `always_tracked` marks paths through a NAT gateway, NLB,
    PrivateLink and the like. `idle_limit` (seconds) is what applied at the last packet.
    """

    ground: Ground
    interface: Any
    peer: str
    port: int
    protocol: str
    inbound: bool
    always_tracked: bool
    tracked: bool
    last_packet: float
    idle_limit: float
    packets: int = 1
    ended: bool = False

    def alive(self) -> bool:
        """Whether a packet sent now would get through."""
        if self.ended or self.interface.instance is None:
            return False
        if self.interface.instance.state != "running":
            return False
        if self.tracked:
            return self.ground.seconds() - self.last_packet < self.idle_limit
        return _permitted(self)

    def send(self) -> bool:
        """Send a packet; False, and the end of the flow, when it does not get through."""
        if not self.alive():
            self.ended = True
            return False
        self.packets += 1
        if _open_to_all(self):
            self.tracked = self.always_tracked
        elif not self.tracked:
            self.tracked = True
        self.last_packet = self.ground.seconds()
        self.idle_limit = _limit(self)
        return True


def open_flow(
    ground: Ground,
    instance_id: str,
    peer: str,
    port: int,
    *,
    protocol: str = "tcp",
    inbound: bool = False,
    always_tracked: bool = False,
    device: int = 0,
) -> Flow:
    """Open a connection by the rules of now: from the instance to `peer`, or `inbound` from it.

    `peer` is an address of either family, `port` the port of the side that is called. Raises
    UnknownThingError without such an interface, UnreachableError when the rules forbid it.
    """
    ec2 = ground.ec2()
    instance = next((i for i in ec2.all_instances() if i.id == instance_id), None)
    if instance is None or device not in instance.nics:
        raise UnknownThingError(f"{instance_id} has no interface at device index {device}")
    flow = Flow(
        ground=ground,
        interface=instance.nics[device],
        peer=peer,
        port=port,
        protocol=protocol,
        inbound=inbound,
        always_tracked=always_tracked,
        tracked=True,
        last_packet=ground.seconds(),
        idle_limit=0.0,
    )
    if not has_family(flow.interface, peer) or not _permitted(flow):
        way = "from" if inbound else "to"
        raise UnreachableError(
            f"the groups on {flow.interface.id} permit no {protocol}/{port} {way} {peer}"
        )
    flow.tracked = always_tracked or not _open_to_all(flow)
    flow.idle_limit = _limit(flow)
    return flow


def _permitted(flow: Flow) -> bool:
    return any(
        permits(flow.ground.ec2(), rule, flow.peer, flow.port, flow.protocol)
        for rule in rules(flow.interface, egress=not flow.inbound)
    )


def _open_to_all(flow: Flow) -> bool:
    v6 = ip_address(flow.peer).version == 6
    there, back = not flow.inbound, flow.inbound
    return permits_everyone(
        flow.interface, flow.port, flow.protocol, egress=there, v6=v6
    ) and permits_everyone(flow.interface, None, flow.protocol, egress=back, v6=v6)


def _limit(flow: Flow) -> float:
    set_here = flow.ground.kept.conntrack.get(flow.interface.id, {})
    name = "TcpEstablishedTimeout"
    if flow.protocol == "udp":
        # AWS: a UDP flow that has seen more than one request-response is a stream.
        name = "UdpStreamTimeout" if flow.packets > 1 else "UdpTimeout"
    return float(set_here.get(name, DEFAULTS[name]))
