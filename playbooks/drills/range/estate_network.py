"""The scenario's network: a VPC with both address families, groups, a load balancer."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playbooks.drills.range.world import World


@dataclass(frozen=True, slots=True)
class EstateNetwork:
    """Ids of what `make_network` made; `load_balancer` and `target_group` are ARNs."""

    vpc: str
    subnets: tuple[str, ...]
    app_group: str
    data_group: str
    balancer_group: str
    load_balancer: str
    target_group: str


def make_network(world: World) -> EstateNetwork:
    """A VPC with two subnets (IPv4 and IPv6), three groups, and a load balancer on port 443."""
    ec2: Any = world.client("ec2", world.admin)
    elb: Any = world.client("elbv2", world.admin)
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    described = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    v6 = ip_network(described["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    v6_blocks = v6.subnets(new_prefix=64)
    subnets = tuple(
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.20.{index}.0/24",
            Ipv6CidrBlock=str(next(v6_blocks)),
            AvailabilityZone=f"{world.region}{zone}",
        )["Subnet"]["SubnetId"]
        for index, zone in enumerate("ab", start=1)
    )

    def group(name: str, *ingress: dict[str, Any]) -> str:
        made: str = ec2.create_security_group(
            GroupName=name, Description=f"{name} tier", VpcId=vpc
        )["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=list(ingress))
        return made

    def rule(port: int, **who: Any) -> dict[str, Any]:
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **who}

    balancer = group(
        "balancer",
        rule(443, IpRanges=[{"CidrIp": "0.0.0.0/0"}], Ipv6Ranges=[{"CidrIpv6": "::/0"}]),
    )
    app = group(
        "app",
        rule(443, UserIdGroupPairs=[{"GroupId": balancer}]),
        rule(22, IpRanges=[{"CidrIp": "10.0.0.0/8"}]),
    )
    data = group("data", rule(5432, UserIdGroupPairs=[{"GroupId": app}]))
    load_balancer = elb.create_load_balancer(
        Name="web", Subnets=list(subnets), SecurityGroups=[balancer]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    target_group = elb.create_target_group(
        Name="web", Protocol="HTTPS", Port=443, VpcId=vpc, HealthCheckPath="/health"
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=load_balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
    return EstateNetwork(vpc, subnets, app, data, balancer, load_balancer, target_group)
