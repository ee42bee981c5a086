"""Users on the range: one whose key leaks, and how an administrator would describe it."""

import json
from typing import Any

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World
from playbooks.drills.thief import COLLEAGUE, EVERYTHING


def leaked_user(world: World, name: str) -> Credentials:
    """Make a user with broad rights, a group, tags and two keys; return the one that leaks."""
    iam: Any = world.client("iam", world.admin)
    iam.create_user(UserName=name, Path="/build/", Tags=[{"Key": "owner", "Value": "alice"}])
    iam.create_group(GroupName="builders")
    iam.put_group_policy(GroupName="builders", PolicyName="all", PolicyDocument=EVERYTHING)
    iam.add_user_to_group(GroupName="builders", UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    iam.create_user(UserName=COLLEAGUE)
    iam.add_user_to_group(GroupName="builders", UserName=COLLEAGUE)
    iam.create_access_key(UserName=name)
    # Both are older than the theft.
    world.tick(3600)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def described(iam: Any, name: str) -> dict[str, Any]:
    """Return what IAM says of the user: what a rollback must give back exactly."""
    user = iam.get_user(UserName=name)["User"]
    keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    inline = iam.list_user_policies(UserName=name)["PolicyNames"]
    return {
        "id": user["UserId"],
        "arn": user["Arn"],
        "boundary": user.get("PermissionsBoundary"),
        "tags": user.get("Tags"),
        "keys": {key["AccessKeyId"]: key["Status"] for key in keys},
        "inline": {
            policy: json.dumps(
                iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"],
                sort_keys=True,
            )
            for policy in inline
        },
        "attached": sorted(
            one["PolicyArn"]
            for one in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        ),
        "groups": [g["GroupName"] for g in iam.list_groups_for_user(UserName=name)["Groups"]],
    }
