"""What an instance may do: its profile, roles, trust policies, inline and attached policies."""

from collections.abc import Generator, Iterator
from typing import Any, Protocol

from evidence.sources.ask import Client, Pages, Question, ask
from evidence.sources.item import Item, Missed

ROLE_PERMISSIONS = (
    "iam:GetInstanceProfile",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
)


class RoleClients(Protocol):
    """A boto3 IAM client in the role's account."""

    @property
    def iam(self) -> Client: ...


def profile_and_roles(clients: RoleClients, profile: str) -> Iterator[Item | Missed]:
    """Yield what IAM knows of the instance profile of that name and of its roles."""
    found = yield from _iam(clients, "get_instance_profile", profile, InstanceProfileName=profile)
    for page in found:
        for role in page["InstanceProfile"].get("Roles", []):
            yield from _role(clients, role["RoleName"])


def _role(clients: RoleClients, role: str) -> Iterator[Item | Missed]:
    yield from _iam(clients, "get_role", role, RoleName=role)
    inline = yield from _iam(clients, "list_role_policies", role, RoleName=role)
    for policy in [name for page in inline for name in page["PolicyNames"]]:
        yield from _iam(
            clients, "get_role_policy", f"{role}.{policy}", RoleName=role, PolicyName=policy
        )
    attached = yield from _iam(clients, "list_attached_role_policies", role, RoleName=role)
    for policy in [each for page in attached for each in page["AttachedPolicies"]]:
        yield from policy_text(clients, policy["PolicyArn"])


def policy_text(clients: RoleClients, arn: str) -> Iterator[Item | Missed]:
    """Yield what IAM knows of a managed policy, and the version that is in force."""
    policies = yield from _iam(clients, "get_policy", arn, PolicyArn=arn)
    for page in policies:
        version = page["Policy"]["DefaultVersionId"]
        yield from _iam(
            clients, "get_policy_version", f"{arn}.{version}", PolicyArn=arn, VersionId=version
        )


def _iam(
    clients: RoleClients, operation: str, about: str, **parameters: Any
) -> Generator[Item | Missed, None, Pages]:
    question = Question(f"iam.{operation}.{about}", "iam", operation, parameters)
    return (yield from ask(clients.iam, question))
