"""Whom a denial for all of a role hits besides: hosts that have the role, and recent sessions."""

from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.iam_target import Found
from actions.aws.principal import Principal
from actions.aws.provider_time import answered_at
from actions.permission import Permission

COUNTING = (
    Permission("iam:ListInstanceProfilesForRole", "arn:{partition}:iam::{account}:role/*"),
    Permission("ec2:DescribeIamInstanceProfileAssociations"),
    Permission("cloudtrail:LookupEvents"),
)
# LookupEvents gives 50 events a page, and two pages a second to the whole account.
PAGE = 50


def others_hit(p: Aws, role: Principal, found: Found) -> tuple[str, ...]:
    """Return what a role-wide denial breaks: hosts, and AssumeRole calls of one session's length.

    Both are of the provider's own region: IAM has no list of a role's sessions.
    """
    return (_hosts(p, role), _sessions(p, role, found))


def _hosts(p: Aws, role: Principal) -> str:
    pages = p.iam.get_paginator("list_instance_profiles_for_role").paginate(RoleName=role.name)
    profiles = {profile["Arn"] for page in pages for profile in page["InstanceProfiles"]}
    hosts: list[str] = []
    if profiles:
        held = p.ec2.get_paginator("describe_iam_instance_profile_associations").paginate(
            Filters=[{"Name": "state", "Values": ["associated"]}]
        )
        hosts = sorted(
            association["InstanceId"]
            for page in held
            for association in page["IamInstanceProfileAssociations"]
            if association["IamInstanceProfile"]["Arn"] in profiles
        )
    named = f": {', '.join(hosts)}" if hosts else ""
    return f"{len(hosts)} hosts in {p.region} have role {role.name}{named}"


def _sessions(p: Aws, role: Principal, found: Found) -> str:
    longest = timedelta(seconds=found.answer["Role"].get("MaxSessionDuration", 3600))
    now = answered_at("GetRole", found.answer)
    asked: Any = {"AttributeKey": "ResourceName", "AttributeValue": found.arn}
    try:
        answer = p.cloudtrail.lookup_events(
            LookupAttributes=[asked], StartTime=now - longest, EndTime=now, MaxResults=PAGE
        )
    except ClientError as error:
        # How many it hits is good to know, and no reason not to deny.
        code = error.response["Error"]["Code"]
        return f"how many sessions {role.name} has is not known: LookupEvents said {code}"
    made = [e for e in answer["Events"] if e.get("EventName", "").startswith("AssumeRole")]
    least = "at least " if answer.get("NextToken") else ""
    hours = longest.total_seconds() / 3600
    return (
        f"{least}{len(made)} sessions of {role.name} began in the last {hours:g} h "
        f"(CloudTrail in {p.region}; the latest 15 minutes may be missing)"
    )
