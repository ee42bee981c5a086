"""A Vault on the range whose application `web` may do more than it should, and Stanch beside it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.vault.estate import VaultEstate, build_vault_estate
from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.drills.range.world import World
from playbooks.drills.thief import EVERYTHING

NAME = "prod"
# Where `web` looks for its secret id.
DELIVERED = "secret/web/login"
# A second database, that is out of order: what is leased of it cannot be taken back.
ARCHIVE = "postgresql://{{username}}:{{password}}@archive.internal/old"
# What nobody should have given to an application, and many do.
MORE = """
path "secret/metadata/*" { capabilities = ["list"] }
path "database/creds/archive" { capabilities = ["read"] }
path "aws/creds/deploy" { capabilities = ["read"] }
path "aws/sts/reports" { capabilities = ["update"] }
path "auth/token/create" { capabilities = ["update", "sudo"] }
path "sys/policies/acl/*" { capabilities = ["create", "update"] }
path "sys/auth/*" { capabilities = ["create", "update", "sudo"] }
path "auth/backdoor/*" { capabilities = ["create", "read", "update"] }
path "sys/audit/*" { capabilities = ["delete", "sudo"] }
"""


@dataclass
class Robbed:
    """The Vault, its logins, and its AWS role whose sessions Vault cannot take back."""

    world: VaultWorld
    estate: VaultEstate
    role: str
    url: str = ""
    secrets: list[str] = field(default_factory=list, repr=False)

    @property
    def root(self) -> Any:
        """Return an hvac client that may do everything: the referee's hands."""
        return self.world.client(self.world.root_token)


def robbed(aws: World) -> Robbed:
    """Build the Vault in front of this AWS: engines, roles, two audit devices."""
    vault = VaultWorld(seed=11, aws=aws)
    estate = build_vault_estate(vault)
    root = vault.client(vault.root_token)
    root.sys.enable_audit_device("file", path="second", options={"file_path": "discard"})
    root.sys.create_or_update_acl_policy("web-more", MORE)
    root.write("auth/approle/role/web", token_policies=["web", "web-more"], token_ttl=86400)
    first, _, path = DELIVERED.partition("/")
    root.secrets.kv.v2.create_or_update_secret(
        path, {"secret_id": estate.apps[0].secret_id}, mount_point=first
    )
    root.secrets.database.configure(
        "archive",
        plugin_name="postgresql-database-plugin",
        connection_url=ARCHIVE,
        username="vault",
        password=vault.core.name(),
        allowed_roles=["*"],
    )
    root.secrets.database.create_role("archive", "archive", ["CREATE"], default_ttl="5m")
    for app in estate.apps:
        # Applications have been here before: each has its identity.
        vault.client().auth.approle.login(app.role_id, app.secret_id)
    return Robbed(vault, estate, _engine(aws, root))


def _engine(aws: World, root: Any) -> str:
    """Give the AWS engine a user of its own, and two roles; return the role that it assumes."""
    iam: Any = aws.client("iam", aws.admin)
    iam.create_user(UserName="vault")
    iam.put_user_policy(UserName="vault", PolicyName="all", PolicyDocument=EVERYTHING)
    key = iam.create_access_key(UserName="vault")["AccessKey"]
    principal = {"AWS": f"arn:aws:iam::{aws.account}:user/vault"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = iam.create_role(RoleName="reports", AssumeRolePolicyDocument=document)["Role"]
    iam.put_role_policy(RoleName="reports", PolicyName="all", PolicyDocument=EVERYTHING)
    root.sys.enable_secrets_engine("aws")
    root.secrets.aws.configure_root_iam_credentials(key["AccessKeyId"], key["SecretAccessKey"])
    root.secrets.aws.create_or_update_role("deploy", "iam_user", policy_document=EVERYTHING)
    root.secrets.aws.create_or_update_role(
        "reports", "assumed_role", role_arns=[made["Arn"]], default_sts_ttl="1h"
    )
    return "reports"


@contextmanager
def served(made: Robbed) -> Iterator[Robbed]:
    """Serve the Vault over HTTP on the loopback while the block runs."""
    with serve(made.world) as url:
        made.url = url
        yield made


def credentials(data: Any) -> Credentials:
    """Return what the AWS engine gave."""
    return Credentials(data["access_key"], data["secret_key"], data.get("security_token") or "")
