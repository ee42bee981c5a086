"""An Identity Center instance with permission sets, and people who are assigned them."""

from typing import Any

from actions.identity.person import Person

ALICE = "1234567890-11111111-2222-3333-4444-555555555555"
BOB = "1234567890-66666666-7777-8888-9999-000000000000"
GROUP = "1234567890-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
OTHER_ACCOUNT = "444455556666"


def person(world: Any, principal_id: str = ALICE, kind: Any = "USER") -> Person:
    """A principal of the world's own instance."""
    client = world.client("sso-admin", world.admin)
    instance = client.list_instances()["Instances"][0]["InstanceArn"]
    return Person(world.account, world.region, instance, kind, principal_id)


def permission_set(world: Any, who: Person, name: str = "Admin") -> str:
    """A new permission set; returns its ARN."""
    made = world.client("sso-admin", world.admin).create_permission_set(
        Name=name, InstanceArn=who.instance_arn, SessionDuration="PT4H"
    )
    return str(made["PermissionSet"]["PermissionSetArn"])


def assign(world: Any, who: Person, arn: str, account: str = "") -> None:
    """Assign it to the person, and let that be through."""
    world.client("sso-admin", world.admin).create_account_assignment(
        InstanceArn=who.instance_arn,
        PermissionSetArn=arn,
        PrincipalType=who.kind,
        PrincipalId=who.principal_id,
        TargetType="AWS_ACCOUNT",
        TargetId=account or world.account,
    )
    world.tick(5)
