"""The AWS engine's configuration and roles (API: AWS secrets engine; not in OpenBao's today)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.vault.errors import BackendError, RefusedError, absent, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.wire import Asked

TYPES = ("iam_user", "assumed_role")


@dataclass(frozen=True, slots=True)
class AwsRole:
    """What kind of credentials a role gives out. TTLs in seconds."""

    type: str
    role_arns: tuple[str, ...] = ()
    policy_arns: tuple[str, ...] = ()
    document: str = ""
    groups: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    user_path: str = "/"
    boundary: str = ""
    default_sts_ttl: int = 0
    max_sts_ttl: int = 0


class AwsRoles(Engine):
    """config and roles. Federation tokens and static roles are not simulated."""

    kind: ClassVar[str] = "aws"

    def __init__(self, core: Core, mount: str) -> None:
        super().__init__(core, mount)
        self.key: Credentials | None = None
        self.region = "us-east-1"
        self.lease = 0
        self.lease_max = 0
        self.roles: dict[str, AwsRole] = {}

    @route("POST", "config/root")
    def write_root(self, asked: Asked) -> Reply:
        self.key = Credentials(asked.needed("access_key"), asked.needed("secret_key"))
        self.region = asked.text("region", self.region)
        return Reply()

    @route("GET", "config/root")
    def read_root(self, asked: Asked) -> Reply:
        if self.key is None:
            raise absent()
        return Reply(
            {
                "access_key": self.key.access_key,
                "iam_endpoint": "",
                "max_retries": -1,
                "region": self.region,
                "sts_endpoint": "",
            }
        )

    @route("POST", "config/rotate-root")
    def rotate_root(self, asked: Asked) -> Reply:
        if self.key is None:
            raise invalid("Cannot call config/rotate-root when there is no root configuration")
        try:
            self.core.take_call()
            self.key = self.core.iam.rotate(self.key)
        except BackendError as e:
            raise RefusedError(500, f"error rotating the root key: {e}") from e
        return Reply({"access_key": self.key.access_key})

    @route("POST", "config/lease")
    def write_lease(self, asked: Asked) -> Reply:
        lease, lease_max = asked.span("lease"), asked.span("lease_max")
        if not lease or not lease_max:
            raise invalid("'lease' and 'lease_max' are required parameters")
        if lease > lease_max:
            raise invalid("'lease' is larger than 'lease_max'")
        self.lease, self.lease_max = lease, lease_max
        return Reply()

    @route("GET", "config/lease")
    def read_lease(self, asked: Asked) -> Reply:
        if not self.lease:
            raise absent()
        return Reply({"lease": f"{self.lease}s", "lease_max": f"{self.lease_max}s"})

    @route("POST", "roles/{name}")
    def write_role(self, asked: Asked) -> Reply:
        kind = asked.needed("credential_type")
        if kind not in TYPES:
            raise invalid(f"unsupported credential_type {kind!r}, expected one of {TYPES}")
        role = AwsRole(
            kind,
            tuple(asked.texts("role_arns")),
            tuple(asked.texts("policy_arns")),
            asked.text("policy_document"),
            tuple(asked.texts("iam_groups")),
            _tags(asked),
            asked.text("user_path") or "/",
            asked.text("permissions_boundary_arn"),
            asked.span("default_sts_ttl"),
            asked.span("max_sts_ttl"),
        )
        if kind == "assumed_role" and not role.role_arns:
            raise invalid("role_arns is required when credential_type is assumed_role")
        if kind == "iam_user" and role.role_arns:
            raise invalid("cannot supply role_arns when credential_type is iam_user")
        if kind == "iam_user" and not (role.policy_arns or role.document or role.groups):
            raise invalid("did not supply policy_arns, policy_document or iam_groups")
        self.roles[asked.named["name"]] = role
        return Reply()

    @route("GET", "roles/{name}")
    def read_role(self, asked: Asked) -> Reply:
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise absent()
        return Reply(
            {
                "credential_type": role.type,
                "default_sts_ttl": role.default_sts_ttl,
                "iam_groups": list(role.groups),
                "iam_tags": role.tags or None,
                "max_sts_ttl": role.max_sts_ttl,
                "permissions_boundary_arn": role.boundary,
                "policy_arns": list(role.policy_arns),
                "policy_document": role.document,
                "role_arns": list(role.role_arns),
                "user_path": role.user_path,
            }
        )

    @route("LIST", "roles")
    def list_roles(self, asked: Asked) -> Reply:
        return keys(sorted(self.roles))

    @route("DELETE", "roles/{name}")
    def delete_role(self, asked: Asked) -> Reply:
        # Leases that the role gave out stay, and so do their users.
        if self.roles.pop(asked.named["name"], None) is None:
            raise absent()
        return Reply()


def _tags(asked: Asked) -> dict[str, str]:
    given = asked.given("iam_tags")
    if isinstance(given, dict):
        return {k: str(v) for k, v in given.items()}
    return dict(pair.split("=", 1) for pair in asked.texts("iam_tags") if "=" in pair)
