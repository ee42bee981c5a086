"""What AWS knows of one instance: machine, disks, network, addresses, group, role, console."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from evidence.sources.ask import Client, Pages, Question, ask
from evidence.sources.item import Item, Missed
from evidence.sources.role_facts import ROLE_PERMISSIONS, RoleClients, profile_and_roles

# Each is asked for alone, as DescribeInstanceAttribute takes one; enaSupport, kernel and ramdisk
# it does not serve for today's instances (Amazon EC2 API Reference).
ATTRIBUTES = (
    "blockDeviceMapping",
    "disableApiStop",
    "disableApiTermination",
    "ebsOptimized",
    "groupSet",
    "instanceInitiatedShutdownBehavior",
    "instanceType",
    "rootDeviceName",
    "sourceDestCheck",
    "userData",
)

Found = Generator[Item | Missed, None, Pages]


class InstanceClients(RoleClients, Protocol):
    """boto3 clients in the instance's account and region."""

    @property
    def ec2(self) -> Client: ...
    @property
    def autoscaling(self) -> Client: ...
    @property
    def elbv2(self) -> Client: ...


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """Describe calls on one instance and what it hangs on; user data and console are sensitive."""

    instance_id: str
    account: str
    region: str

    name: ClassVar[str] = "instance_facts"
    permissions: ClassVar[tuple[str, ...]] = (
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "ec2:DescribeAddresses",
        "ec2:DescribeIamInstanceProfileAssociations",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeTags",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcs",
        "ec2:GetConsoleOutput",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        *ROLE_PERMISSIONS,
    )

    def collect(self, clients: InstanceClients) -> Iterator[Item | Missed]:
        """Yield an item or a miss for each question; a failed one does not stop the others."""
        mine = [self.instance_id]
        machines = yield from _ec2(clients, "describe_instances", InstanceIds=mine)
        yield from _ec2(
            clients, "describe_instance_status", InstanceIds=mine, IncludeAllInstances=True
        )
        yield from self._own(clients)
        nics = yield from _ec2(
            clients,
            "describe_network_interfaces",
            Filters=_where("attachment.instance-id", mine),
        )
        yield from _network(clients, _values(nics, "NetworkInterfaces"))
        yield from self._scaling(clients)
        for machine in _machines(machines):
            if image := machine.get("ImageId"):
                yield from _ec2(clients, "describe_images", ImageIds=[image])
            if profile := machine.get("IamInstanceProfile"):
                yield from profile_and_roles(clients, profile["Arn"].rpartition("/")[2])

    def _own(self, clients: InstanceClients) -> Iterator[Item | Missed]:
        mine = [self.instance_id]
        for attribute in ATTRIBUTES:
            yield from _ec2(
                clients,
                "describe_instance_attribute",
                f"ec2.describe_instance_attribute.{attribute}",
                InstanceId=self.instance_id,
                Attribute=attribute,
            )
        yield from _console(clients, self.instance_id)
        attached = _where("attachment.instance-id", mine)
        yield from _ec2(clients, "describe_volumes", Filters=attached)
        yield from _ec2(clients, "describe_addresses", Filters=_where("instance-id", mine))
        yield from _ec2(clients, "describe_tags", Filters=_where("resource-id", mine))
        yield from _ec2(
            clients,
            "describe_iam_instance_profile_associations",
            Filters=_where("instance-id", mine),
        )

    def _scaling(self, clients: InstanceClients) -> Iterator[Item | Missed]:
        service, operation = "autoscaling", "describe_auto_scaling_instances"
        asked = Question(
            f"{service}.{operation}", service, operation, {"InstanceIds": [self.instance_id]}
        )
        members = yield from ask(clients.autoscaling, asked)
        names = {m["AutoScalingGroupName"] for m in _values(members, "AutoScalingInstances")}
        if not names:
            return
        operation = "describe_auto_scaling_groups"
        named = {"AutoScalingGroupNames": sorted(names)}
        groups = yield from ask(
            clients.autoscaling, Question(f"{service}.{operation}", service, operation, named)
        )
        arns = {a for g in _values(groups, "AutoScalingGroups") for a in g["TargetGroupARNs"]}
        yield from _targets(clients, sorted(arns))


def _ec2(clients: InstanceClients, operation: str, name: str = "", **parameters: Any) -> Found:
    question = Question(name or f"ec2.{operation}", "ec2", operation, parameters)
    return (yield from ask(clients.ec2, question))


def _console(clients: InstanceClients, instance_id: str) -> Iterator[Item | Missed]:
    # Boot scripts print secrets. `Latest` works on Nitro only; others have the last boot's text.
    answers: list[Item | Missed] = []
    for extra in ({"Latest": True}, {}):
        question = Question(
            "ec2.get_console_output",
            "ec2",
            "get_console_output",
            {"InstanceId": instance_id, **extra},
            frozenset({"output"}),
        )
        answers = list(ask(clients.ec2, question))
        if not any(isinstance(answer, Missed) for answer in answers):
            break
    yield from answers


def _network(clients: InstanceClients, nics: list[dict[str, Any]]) -> Iterator[Item | Missed]:
    groups = sorted({group["GroupId"] for nic in nics for group in nic.get("Groups", [])})
    subnets = sorted({nic["SubnetId"] for nic in nics if "SubnetId" in nic})
    vpcs = sorted({nic["VpcId"] for nic in nics if "VpcId" in nic})
    if groups:
        yield from _ec2(clients, "describe_security_groups", GroupIds=groups)
        yield from _ec2(
            clients, "describe_security_group_rules", Filters=_where("group-id", groups)
        )
    if subnets:
        yield from _ec2(clients, "describe_subnets", SubnetIds=subnets)
    if vpcs:
        yield from _ec2(clients, "describe_vpcs", VpcIds=vpcs)
        yield from _ec2(clients, "describe_route_tables", Filters=_where("vpc-id", vpcs))
        yield from _ec2(clients, "describe_network_acls", Filters=_where("vpc-id", vpcs))


def _targets(clients: InstanceClients, arns: list[str]) -> Iterator[Item | Missed]:
    if not arns:
        return
    operation = "describe_target_groups"
    asked = Question(f"elbv2.{operation}", "elbv2", operation, {"TargetGroupArns": arns})
    yield from ask(clients.elbv2, asked)
    for arn in arns:
        operation = "describe_target_health"
        name = f"elbv2.{operation}.{arn.rpartition(':')[2]}"
        yield from ask(clients.elbv2, Question(name, "elbv2", operation, {"TargetGroupArn": arn}))


def _where(name: str, values: list[str]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": values}]


def _values(pages: Pages, member: str) -> list[dict[str, Any]]:
    return [value for page in pages for value in page.get(member, [])]


def _machines(pages: Pages) -> list[dict[str, Any]]:
    return [m for found in _values(pages, "Reservations") for m in found.get("Instances", [])]
