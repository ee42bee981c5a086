"""Make idle connections of a host die in a minute, so that isolation takes hold of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.aws.own_group import interfaces
from actions.journal import Json, State
from actions.permission import Permission

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import ConnectionTrackingSpecificationRequestTypeDef

# Seconds; API reference, "ConnectionTrackingSpecificationRequest": the least that AWS takes, and
# what holds where nothing was set.
LEAST = {"tcp": 60, "udp": 30, "stream": 60}
UNSET = {"tcp": 432000, "udp": 30, "stream": 180}


@dataclass(frozen=True)
class ShortenConnectionTracking(Lens[Aws]):
    """Set each interface's idle timeouts to the least that AWS takes.

    State: `tracking/<eni>` is {"tcp": s, "udp": s, "stream": s} in seconds (stream: UDP flows with
    more than one exchange; None for a timeout that was never set), or None when none was set.
    Whether connections that are tracked already follow a new timeout is not documented; a flow
    that keeps talking lives on in any case (Amazon EC2 User Guide, "Security group connection
    tracking").
    """

    host: Instance

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("ec2:DescribeNetworkInterfaces"),
        Permission(
            "ec2:ModifyNetworkInterfaceAttribute",
            "arn:{partition}:ec2:{region}:{account}:network-interface/*",
        ),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        describe(p, self.host)
        state: dict[str, Json] = {}
        for n in interfaces(p, self.host):
            kept = n.get("ConnectionTrackingConfiguration") or {}
            times = {
                "tcp": kept.get("TcpEstablishedTimeout"),
                "udp": kept.get("UdpTimeout"),
                "stream": kept.get("UdpStreamTimeout"),
            }
            state[f"tracking/{n['NetworkInterfaceId']}"] = times if any(times.values()) else None
        return state

    def wanted(self, before: State) -> State:
        return {k: dict(LEAST) for k in before}

    def same(self, key: str, one: Json, other: Json) -> bool:
        return _effective(one) == _effective(other)

    def write(self, p: Aws, key: str, value: Json) -> None:
        times = _effective(value)
        spec: ConnectionTrackingSpecificationRequestTypeDef = {
            "TcpEstablishedTimeout": times["tcp"],
            "UdpTimeout": times["udp"],
            "UdpStreamTimeout": times["stream"],
        }
        p.ec2.modify_network_interface_attribute(
            NetworkInterfaceId=key.removeprefix("tracking/"), ConnectionTrackingSpecification=spec
        )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        blast = ("connections of the host that idle for a minute are dropped, administrators' too",)
        if all(v and all(v.values()) for v in before.values()):
            return Foreseen(blast)
        # The API sets timeouts and never unsets them.
        return Foreseen(
            blast,
            (
                "timeouts that were never set come back as set, at AWS's defaults (TCP 432000 s, "
                "UDP 30 s, UDP streams 180 s); on Nitro v6 types the TCP default is 350 s: set it "
                "by hand after the way back",
            ),
        )


def _effective(value: Json) -> dict[str, int]:
    return {k: (value or {}).get(k) or default for k, default in UNSET.items()}
