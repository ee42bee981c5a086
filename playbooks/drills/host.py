"""The target host as its owner would describe it: what a rollback must give back exactly."""

from typing import Any

from playbooks.drills.range.estate import Estate

# What holds where no timeout was set (EC2 API reference, "ConnectionTrackingSpecificationRequest").
UNSET = {"TcpEstablishedTimeout": 432000, "UdpTimeout": 30, "UdpStreamTimeout": 180}


def describe(clients: Any, estate: Estate) -> dict[str, Any]:
    """Return the host's declared state through plain describe calls, not through Stanch."""
    ec2, elb, iam = clients("ec2"), clients("elbv2"), clients("iam")
    scaling = clients("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[estate.scaling_group]
    )["AutoScalingGroups"][0]
    groups = elb.describe_target_groups()["TargetGroups"]
    found: dict[str, Any] = {
        "sizes": [scaling[k] for k in ("MinSize", "MaxSize", "DesiredCapacity")],
        "lifecycle": [
            i["LifecycleState"] for i in scaling["Instances"] if i["InstanceId"] == estate.target
        ],
        "registered": sorted(
            f"{group['TargetGroupName']}:{t['Target']['Port']}"
            for group in groups
            for t in elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
            if t["Target"]["Id"] == estate.target and t["TargetHealth"]["State"] != "draining"
        ),
        "role policies": sorted(iam.list_role_policies(RoleName=estate.role)["PolicyNames"]),
        "groups": sorted(
            g["GroupName"]
            for g in ec2.describe_security_groups(
                Filters=[{"Name": "vpc-id", "Values": [estate.vpc]}]
            )["SecurityGroups"]
        ),
    }
    for attribute in (
        "disableApiTermination",
        "disableApiStop",
        "instanceInitiatedShutdownBehavior",
        "blockDeviceMapping",
    ):
        answer = ec2.describe_instance_attribute(InstanceId=estate.target, Attribute=attribute)
        answer.pop("ResponseMetadata")
        found[attribute] = answer
    host = ec2.describe_instances(InstanceIds=[estate.target])["Reservations"][0]["Instances"][0]
    found["tags"] = {t["Key"]: t["Value"] for t in host.get("Tags", [])}
    for nic in ec2.describe_network_interfaces(NetworkInterfaceIds=list(estate.interfaces))[
        "NetworkInterfaces"
    ]:
        # In order: what was recorded is restored as it was recorded.
        found[nic["NetworkInterfaceId"]] = [g["GroupId"] for g in nic["Groups"]]
        set_ = nic.get("ConnectionTrackingConfiguration") or {}
        found[f"timeouts of {nic['NetworkInterfaceId']}"] = UNSET | set_
    return found
