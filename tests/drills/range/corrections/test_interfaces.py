"""An interface has exactly the groups last set on it (AWS: ModifyNetworkInterfaceAttribute)."""

import pytest


@pytest.fixture
def groups(ec2):
    return [
        ec2.create_security_group(GroupName=name, Description="-")["GroupId"] for name in "abcd"
    ]


def launched(ec2, **how) -> str:
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, **how)
    return made["Instances"][0]["InstanceId"]


def nics(ec2, instance) -> dict[str, list[str]]:
    found = ec2.describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
    )["NetworkInterfaces"]
    return {n["NetworkInterfaceId"]: [g["GroupId"] for g in n["Groups"]] for n in found}


def of_instance(ec2, instance) -> list[str]:
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return [g["GroupId"] for g in found["SecurityGroups"]]


def with_second_interface(ec2, instance, groups) -> str:
    subnet = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    eni = ec2.create_network_interface(SubnetId=subnet["SubnetId"], Groups=groups)
    eni_id = eni["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=eni_id, InstanceId=instance, DeviceIndex=1)
    return eni_id


@pytest.mark.parametrize("spelling", ["SecurityGroupIds", "NetworkInterfaces"])
def test_the_new_set_replaces_the_old_however_the_instance_was_launched(ec2, groups, spelling):
    a, b, c, _ = groups
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    how = {"SecurityGroupIds": [a, b], "SubnetId": subnet}
    if spelling == "NetworkInterfaces":
        how = {"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [a, b]}]}
    instance = launched(ec2, **how)
    [(nic, before)] = nics(ec2, instance).items()
    assert before == [a, b]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=[c])
    assert nics(ec2, instance) == {nic: [c]}
    assert of_instance(ec2, instance) == [c]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=[b, a])
    assert nics(ec2, instance) == {nic: [b, a]}


def test_the_instance_mirrors_its_primary_interface_only(ec2, groups):
    a, b, c, d = groups
    instance = launched(ec2, SecurityGroupIds=[a])
    second = with_second_interface(ec2, instance, [b])
    primary = next(nic for nic in nics(ec2, instance) if nic != second)
    ec2.modify_network_interface_attribute(NetworkInterfaceId=second, Groups=[c, d])
    assert nics(ec2, instance) == {primary: [a], second: [c, d]}
    assert of_instance(ec2, instance) == [a]


def test_instance_level_groups_are_refused_with_two_interfaces(ec2, groups, refused):
    a, b, c, _ = groups
    instance = launched(ec2, SecurityGroupIds=[a])
    ec2.modify_instance_attribute(InstanceId=instance, Groups=[b])
    assert of_instance(ec2, instance) == [b]
    second = with_second_interface(ec2, instance, [c])
    before = nics(ec2, instance)
    code = refused(ec2.modify_instance_attribute, InstanceId=instance, Groups=[a])
    assert code == "InvalidInstanceID"
    assert nics(ec2, instance) == before
    assert before[second] == [c]


@pytest.mark.parametrize("known_too", [True, False])
def test_an_unknown_group_changes_nothing(ec2, groups, refused, known_too):
    instance = launched(ec2, SecurityGroupIds=groups[:1])
    [nic] = nics(ec2, instance)
    wanted = [groups[1], "sg-0123456789abcdef0"] if known_too else ["sg-0123456789abcdef0"]
    code = refused(ec2.modify_network_interface_attribute, NetworkInterfaceId=nic, Groups=wanted)
    assert code == "InvalidGroup.NotFound"
    assert nics(ec2, instance) == {nic: groups[:1]}
