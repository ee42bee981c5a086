"""A small site for the tests of actions: two hosts with one role, in a scaling group."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playbooks.drills.range.world import World

IMAGE = "ami-0a1b2c3d4e5f60718"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}],
}


@dataclass(frozen=True)
class Site:
    """Ids of what was built. `target` is the suspect: two interfaces, two volumes."""

    target: str
    sibling: str
    vpc: str
    subnet: str
    app_group: str
    admin_group: str
    role: str
    profile_arn: str
    target_group: str
    scaling_group: str
    image: str


def build(world: World, sizes: tuple[int, int, int] = (1, 3, 2)) -> Site:
    """Build the site; `sizes` are the scaling group's min, max, desired (2 with both hosts)."""
    session: Any = world.session(world.admin)
    ec2, scaling, balancing = (session.client(n) for n in ("ec2", "autoscaling", "elbv2"))
    profile = _profile(session.client("iam"))
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    zone = f"{world.region}a"
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24", AvailabilityZone=zone)
    subnet = subnet["Subnet"]["SubnetId"]
    app, admin = (
        ec2.create_security_group(GroupName=n, Description=n, VpcId=vpc)["GroupId"]
        for n in ("app", "admin")
    )
    spec = {
        "ImageId": IMAGE,
        "InstanceType": "t3.small",
        "IamInstanceProfile": {"Arn": profile},
        "SecurityGroupIds": [app],
    }
    template = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=spec)
    target_group = balancing.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="instance"
    )["TargetGroups"][0]["TargetGroupArn"]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=9,
        DesiredCapacity=0,
        LaunchTemplate={
            "LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"],
            "Version": "$Latest",
        },
        VPCZoneIdentifier=subnet,
        TargetGroupARNs=[target_group],
    )
    launched = ec2.run_instances(**spec, SubnetId=subnet, MinCount=2, MaxCount=2)["Instances"]
    host, sibling = (i["InstanceId"] for i in launched)
    low, high, desired = sizes
    members = [host, sibling][:desired]
    scaling.attach_instances(AutoScalingGroupName="web", InstanceIds=members)
    scaling.update_auto_scaling_group(
        AutoScalingGroupName="web", MinSize=low, MaxSize=high, DesiredCapacity=desired
    )
    second = ec2.create_network_interface(SubnetId=subnet, Groups=[admin, app])
    second = second["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=host, DeviceIndex=1)
    volume = ec2.create_volume(AvailabilityZone=zone, Size=8)["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=host, Device="/dev/sdf")
    return Site(host, sibling, vpc, subnet, app, admin, "web", profile, target_group, "web", IMAGE)


def _profile(iam: Any) -> str:
    # Both with a path: an ARN's last part is not its resource part.
    iam.create_role(RoleName="web", Path="/shop/", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="web", PolicyName="read", PolicyDocument=json.dumps(READ))
    made = iam.create_instance_profile(InstanceProfileName="web", Path="/shop/front/")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    return made["InstanceProfile"]["Arn"]
