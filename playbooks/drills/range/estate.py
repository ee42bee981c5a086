"""The drill's scenario: a web tier behind a load balancer, one host of which is attacked.

Everything is made with real boto3 calls by the account's administrator. The target has two
interfaces (the second with an IPv6 address) and two volumes, shares its instance profile with a
sibling in the same scaling group, and carries a secret in its user data. A responder in another
account may assume a role here with an external id.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.estate_access import make_access
from playbooks.drills.range.estate_network import make_network
from playbooks.drills.range.estate_queue import EstateQueue, make_queue

if TYPE_CHECKING:
    from playbooks.drills.range.keys import Credentials
    from playbooks.drills.range.world import World


@dataclass(frozen=True, slots=True)
class Estate:
    """The scenario's ids and keys.

    `interfaces` are the target's, by device index; `volumes` the target's, root first. `bucket`
    holds one object, `object_key`, that the role may read. `responder` are a user's keys in
    `responder_account`; they may assume `responder_role` with `external_id`. `queue` is where
    EventBridge puts findings. `canary` is the secret in the target's user data.
    """

    account: str
    region: str
    vpc: str
    subnets: tuple[str, ...]
    target: str
    sibling: str
    interfaces: tuple[str, ...]
    volumes: tuple[str, ...]
    app_group: str
    data_group: str
    balancer_group: str
    role: str
    profile: str
    profile_arn: str
    scaling_group: str
    launch_template: str
    image: str
    load_balancer: str
    target_group: str
    bucket: str
    object_key: str
    responder: Credentials = field(repr=False)
    responder_account: str
    responder_role: str
    external_id: str
    queue: EstateQueue
    canary: str = field(repr=False)


def build_estate(world: World, responder_account: str = "444455556666") -> Estate:
    """Build the scenario in the world's home account and region."""
    canary = f"canary-{world.ground.rng.getrandbits(96):024x}"
    network = make_network(world)
    access = make_access(world, responder_account)
    ec2: Any = world.client("ec2", world.admin)
    scaling: Any = world.client("autoscaling", world.admin)
    image = ec2.register_image(Name="web", RootDeviceName="/dev/sda1")["ImageId"]
    template = ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "m6i.large",
            "SecurityGroupIds": [network.app_group],
            "IamInstanceProfile": {"Name": access.profile},
            "UserData": _encoded(f"#!/bin/sh\nexport DB_PASSWORD={canary}\n"),
            "BlockDeviceMappings": [
                _disk("/dev/sda1", 20),
                _disk("/dev/sdf", 100),
            ],
            "TagSpecifications": [
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": "Name", "Value": "web"}, {"Key": "service", "Value": "shop"}],
                }
            ],
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        MinSize=1,
        MaxSize=3,
        DesiredCapacity=2,
        HealthCheckType="ELB",
        HealthCheckGracePeriod=60,
        VPCZoneIdentifier=",".join(network.subnets),
        TargetGroupARNs=[network.target_group],
        Tags=[{"Key": "team", "Value": "storefront", "PropagateAtLaunch": True}],
    )
    group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])
    target, sibling = (i["InstanceId"] for i in group["AutoScalingGroups"][0]["Instances"])
    second = ec2.create_network_interface(
        SubnetId=network.subnets[0],
        Groups=[network.data_group, network.app_group],
        Description="data plane",
        Ipv6AddressCount=1,
    )["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=target, DeviceIndex=1)
    host = ec2.describe_instances(InstanceIds=[target])["Reservations"][0]["Instances"][0]
    first = next(
        n["NetworkInterfaceId"]
        for n in host["NetworkInterfaces"]
        if n["NetworkInterfaceId"] != second
    )
    return Estate(
        account=world.account,
        region=world.region,
        vpc=network.vpc,
        subnets=network.subnets,
        target=target,
        sibling=sibling,
        interfaces=(first, second),
        volumes=tuple(d["Ebs"]["VolumeId"] for d in host["BlockDeviceMappings"]),
        app_group=network.app_group,
        data_group=network.data_group,
        balancer_group=network.balancer_group,
        role=access.role,
        profile=access.profile,
        profile_arn=access.profile_arn,
        scaling_group="web",
        launch_template=template,
        image=image,
        load_balancer=network.load_balancer,
        target_group=network.target_group,
        bucket=access.bucket,
        object_key=access.object_key,
        responder=access.responder,
        responder_account=responder_account,
        responder_role=access.responder_role,
        external_id=access.external_id,
        queue=make_queue(world),
        canary=canary,
    )


def _disk(device: str, gib: int) -> dict[str, Any]:
    return {
        "DeviceName": device,
        "Ebs": {"VolumeSize": gib, "VolumeType": "gp3", "DeleteOnTermination": True},
    }


def _encoded(text: str) -> str:
    # A launch template takes user data as base64; RunInstances encodes for its caller.
    return b64encode(text.encode()).decode()
