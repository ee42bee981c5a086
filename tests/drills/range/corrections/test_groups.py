"""Groups: what a new one permits, and when one can go (AWS: Create, DeleteSecurityGroup)."""


def egress(ec2, group) -> list[str]:
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
        "SecurityGroupRules"
    ]
    return sorted(r.get("CidrIpv4") or r["CidrIpv6"] for r in rules if r["IsEgress"])


def made(ec2, name, vpc) -> str:
    return ec2.create_security_group(GroupName=name, Description="-", VpcId=vpc)["GroupId"]


def test_a_new_group_lets_all_out_in_each_family_the_vpc_has(ec2, estate):
    v4_only = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    assert egress(ec2, made(ec2, "one", v4_only)) == ["0.0.0.0/0"]
    assert egress(ec2, made(ec2, "two", estate.vpc)) == ["0.0.0.0/0", "::/0"]


def test_egress_is_revoked_by_rule_id(ec2, estate):
    group = made(ec2, "quarantine", estate.vpc)
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
        "SecurityGroupRules"
    ]
    ids = [r["SecurityGroupRuleId"] for r in rules]
    ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=ids)
    assert egress(ec2, group) == []


def test_a_group_in_use_or_named_by_another_stays(world, ec2, refused, estate):
    before = world.digest()
    for group in (estate.app_group, estate.data_group, estate.balancer_group):
        assert refused(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    [default] = ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [estate.vpc]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    assert refused(ec2.delete_security_group, GroupId=default["GroupId"]) == "CannotDelete"
    gone = "sg-0123456789abcdef0"
    assert refused(ec2.delete_security_group, GroupId=gone) == "InvalidGroup.NotFound"
    assert world.digest() == before


def test_a_group_that_names_only_itself_can_go(ec2, refused, estate):
    group = made(ec2, "mesh", estate.vpc)
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}],
    )
    ec2.delete_security_group(GroupId=group)
    assert refused(ec2.describe_security_groups, GroupIds=[group]) == "InvalidGroup.NotFound"
