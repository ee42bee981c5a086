"""The AWS engine's way to the range: real users and keys, under the permissions of its own key."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.vault.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playbooks.drills.range.vault.iam import Wanted
    from playbooks.drills.range.world import World

# Vault's own retries are not simulated: a client that waits would stop the world's clock.
ONCE = Config(retries={"total_max_attempts": 1})


class RangeIam:
    """One World as the AWS engine sees it (iam.py: Iam)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._clients: dict[tuple[str, str], Any] = {}

    def __deepcopy__(self, _: dict[int, Any]) -> RangeIam:
        """A copy of a Vault talks to the same AWS."""
        return self

    def create(self, key: Credentials, wanted: Wanted) -> Credentials:
        """See Iam."""
        with _translated():
            iam = self._client("iam", key)
            iam.create_user(
                UserName=wanted.name,
                Path=wanted.path,
                Tags=[{"Key": k, "Value": v} for k, v in wanted.tags.items()],
            )
            if wanted.boundary:
                # Vault gives it to CreateUser; the range's drops it there.
                iam.put_user_permissions_boundary(
                    UserName=wanted.name, PermissionsBoundary=wanted.boundary
                )
            for arn in wanted.policy_arns:
                iam.attach_user_policy(UserName=wanted.name, PolicyArn=arn)
            if wanted.document:
                iam.put_user_policy(
                    UserName=wanted.name, PolicyName="vault", PolicyDocument=wanted.document
                )
            for group in wanted.groups:
                iam.add_user_to_group(UserName=wanted.name, GroupName=group)
            made = iam.create_access_key(UserName=wanted.name)["AccessKey"]
            return Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def delete(self, key: Credentials, name: str) -> None:
        """See Iam. Like Vault it looks for no login profile, and AWS refuses a user with one."""
        with _translated(gone="NoSuchEntity"):
            iam = self._client("iam", key)
            user = {"UserName": name}
            for group in iam.list_groups_for_user(**user)["Groups"]:
                iam.remove_user_from_group(GroupName=group["GroupName"], **user)
            for policy in iam.list_attached_user_policies(**user)["AttachedPolicies"]:
                iam.detach_user_policy(PolicyArn=policy["PolicyArn"], **user)
            for inline in iam.list_user_policies(**user)["PolicyNames"]:
                iam.delete_user_policy(PolicyName=inline, **user)
            for one in iam.list_access_keys(**user)["AccessKeyMetadata"]:
                iam.delete_access_key(AccessKeyId=one["AccessKeyId"], **user)
            iam.delete_user(**user)

    def assume(
        self, key: Credentials, role_arn: str, session: str, ttl: int, policy: str
    ) -> tuple[Credentials, str]:
        """See Iam."""
        more = {"Policy": policy} if policy else {}
        with _translated():
            made = self._client("sts", key).assume_role(
                RoleArn=role_arn, RoleSessionName=session, DurationSeconds=ttl, **more
            )
        given = made["Credentials"]
        keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return Credentials(*keys), made["AssumedRoleUser"]["Arn"]

    def rotate(self, key: Credentials) -> Credentials:
        """See Iam."""
        with _translated():
            iam = self._client("iam", key)
            user = iam.get_user()["User"]["UserName"]
            if len(iam.list_access_keys(UserName=user)["AccessKeyMetadata"]) > 1:
                raise BackendError(f"user {user} has more than one access key")
            made = iam.create_access_key(UserName=user)["AccessKey"]
            iam.delete_access_key(UserName=user, AccessKeyId=key.access_key)
            return Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def _client(self, service: str, key: Credentials) -> Any:
        found = self._clients.get((service, key.access_key))
        if found is None:
            session: Any = self.world.session(key)
            found = self._clients[service, key.access_key] = session.client(service, config=ONCE)
        return found


@contextmanager
def _translated(gone: str = "") -> Iterator[None]:
    try:
        yield
    except ClientError as e:
        code = e.response["Error"]["Code"]
        if code != gone:
            raise BackendError(f"{code}: {e.response['Error']['Message']}") from e
