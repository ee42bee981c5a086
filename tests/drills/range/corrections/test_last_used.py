"""Last use is learned from real requests (IAM: last accessed information, credential report)."""

import csv
import io
import json

import pytest

from playbooks.drills.range.keys import Credentials


def document(effect="Allow", action="*") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def user(iam, name, *actions) -> Credentials:
    iam.create_user(UserName=name)
    text = document(action=list(actions))
    iam.put_user_policy(UserName=name, PolicyName="says", PolicyDocument=text)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def report(iam, arn, granularity="ACTION_LEVEL"):
    job = iam.generate_service_last_accessed_details(Arn=arn, Granularity=granularity)["JobId"]
    assert iam.get_service_last_accessed_details(JobId=job)["JobStatus"] == "IN_PROGRESS"
    done = iam.get_service_last_accessed_details(JobId=job)
    assert done["JobStatus"] == "COMPLETED"
    return {s["ServiceNamespace"]: s for s in done["ServicesLastAccessed"]}


def test_a_key_was_last_used_for_a_request_and_an_unused_one_never(world, iam):
    ann = user(iam, "ann", "ec2:*")
    used = iam.get_access_key_last_used(AccessKeyId=ann.access_key)["AccessKeyLastUsed"]
    assert "LastUsedDate" not in used
    world.client("sts", ann).get_caller_identity()
    world.tick(1000)
    world.client("ec2", ann, "us-east-1").describe_vpcs()
    shown = iam.get_access_key_last_used(AccessKeyId=ann.access_key)
    assert (shown["UserName"], shown["AccessKeyLastUsed"]["ServiceName"]) == ("ann", "ec2")
    assert shown["AccessKeyLastUsed"]["Region"] == "us-east-1"
    assert abs((world.now() - shown["AccessKeyLastUsed"]["LastUsedDate"]).total_seconds()) < 30


def test_a_report_lists_what_is_allowed_and_when_it_was_tried(world, iam, refused):
    ann = user(iam, "ann", "ec2:DescribeVpcs", "s3:GetObject")
    world.client("ec2", ann).describe_vpcs()
    denied = world.client("sqs", ann).list_queues
    assert refused(denied).startswith("AccessDenied")
    found = report(iam, "arn:aws:iam::111122223333:user/ann")
    assert set(found) == {"ec2", "s3", "sqs"}
    assert "LastAuthenticated" not in found["s3"]
    assert [a["ActionName"] for a in found["ec2"]["TrackedActionsLastAccessed"]] == ["DescribeVpcs"]
    assert found["ec2"]["LastAuthenticatedEntity"].endswith(":user/ann")
    coarse = report(iam, "arn:aws:iam::111122223333:user/ann", "SERVICE_LEVEL")
    assert "TrackedActionsLastAccessed" not in coarse["ec2"]


def test_a_report_on_a_group_or_policy_is_on_those_that_have_it(world, iam, refused):
    iam.create_group(GroupName="staff")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document(action="kms:*"))["Policy"][
        "Arn"
    ]
    iam.attach_group_policy(GroupName="staff", PolicyArn=arn)
    for name in ("ann", "ben"):
        keys = user(iam, name, "ec2:*")
        iam.add_user_to_group(GroupName="staff", UserName=name)
        world.client("ec2", keys).describe_vpcs()
    iam.attach_user_policy(UserName="ben", PolicyArn=arn)
    group = report(iam, "arn:aws:iam::111122223333:group/staff")
    assert group["ec2"]["TotalAuthenticatedEntities"] == 2
    assert "kms" in group
    assert report(iam, arn)["ec2"]["TotalAuthenticatedEntities"] == 1
    nobody = "arn:aws:iam::111122223333:user/nobody"
    assert refused(iam.generate_service_last_accessed_details, Arn=nobody) == "NoSuchEntity"
    assert refused(iam.get_service_last_accessed_details, JobId="0" * 36) == "NoSuchEntity"


def test_a_roles_last_use_shows_where_roles_are_shown(world, iam):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": world.account}}
        ],
    }
    arn = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    ann = user(iam, "ann", "sts:AssumeRole")
    assert "LastUsedDate" not in iam.get_role(RoleName="job")["Role"].get("RoleLastUsed", {})
    made = world.client("sts", ann).assume_role(RoleArn=arn, RoleSessionName="job")["Credentials"]
    session = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    world.client("sts", session).get_caller_identity()
    shown = iam.get_role(RoleName="job")["Role"]["RoleLastUsed"]
    every = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert shown["LastUsedDate"] == every[0]["RoleLastUsed"]["LastUsedDate"]


def test_reading_when_things_were_used_changes_nothing(world, iam):
    ann = user(iam, "ann", "ec2:*")
    before = world.digest()
    world.client("ec2", ann).describe_vpcs()
    report(iam, "arn:aws:iam::111122223333:user/ann")
    iam.generate_credential_report()
    assert world.digest() == before


def rows(iam):
    text = iam.get_credential_report()["Content"].decode()
    return {row["user"]: row for row in csv.DictReader(io.StringIO(text))}


def test_the_credential_report_is_of_when_it_was_made_and_lasts_four_hours(world, iam, refused):
    assert refused(iam.get_credential_report) == "ReportNotPresent"
    ann = user(iam, "ann", "ec2:*")
    assert iam.generate_credential_report()["State"] == "STARTED"
    world.client("ec2", ann).describe_vpcs()
    iam.update_access_key(UserName="ann", AccessKeyId=ann.access_key, Status="Inactive")
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    assert rows(iam)["ann"]["access_key_1_active"] == "true"
    assert set(rows(iam)) == {"<root_account>", "ann"}
    made = iam.get_credential_report()["GeneratedTime"]
    assert abs((world.now() - made).total_seconds()) < 60
    world.tick(4 * 3600)
    assert refused(iam.get_credential_report) == "ReportExpired"
    assert iam.generate_credential_report()["State"] == "STARTED"
    row = rows(iam)["ann"]
    assert (row["access_key_1_active"], row["access_key_1_last_used_service"]) == ("false", "ec2")


@pytest.mark.parametrize("size", [1, 3, 100])
def test_details_come_in_pages_that_add_up_to_all_of_it(iam, size):
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document())["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(action="s3:*"))
    iam.create_group(GroupName="staff")
    for name in ("ann", "ben", "cas"):
        iam.create_user(UserName=name, Tags=[{"Key": "team", "Value": "a"}])
        iam.add_user_to_group(GroupName="staff", UserName=name)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=arn)
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(), PermissionsBoundary=arn)
    pages = iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["User", "Role", "Group", "LocalManagedPolicy"], MaxItems=size
    )
    seen: dict[str, list] = {}
    for page in pages:
        lists = {k: v for k, v in page.items() if k.endswith(("List", "Policies"))}
        assert sum(map(len, lists.values())) <= size
        for name, found in lists.items():
            seen.setdefault(name, []).extend(found)
    users = {u["UserName"]: u for u in seen["UserDetailList"]}
    assert set(users) == {"ann", "ben", "cas"}
    assert users["ann"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert users["ben"]["GroupList"] == ["staff"]
    assert users["ben"]["Tags"] == [{"Key": "team", "Value": "a"}]
    assert users["ben"]["UserId"].startswith("AIDA")
    (role,) = seen["RoleDetailList"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    (policy,) = seen["Policies"]
    defaults = [v["IsDefaultVersion"] for v in policy["PolicyVersionList"]]
    assert defaults == [True, False]
    assert policy["PolicyVersionList"][1]["Document"]["Statement"][0]["Action"] == "s3:*"
    assert policy["PermissionsBoundaryUsageCount"] == 2
