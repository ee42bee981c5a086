"""The AWS engine's credentials (API: AWS secrets engine, Generate credentials).

A user that it makes lives as long as its lease. A session of STS cannot be taken back: it has no
lease (or, with Core.sts_leases, one whose revocation does nothing, as in Vault before 1.12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.aws_roles import AwsRole, AwsRoles
from playbooks.drills.range.vault.errors import BackendError, invalid
from playbooks.drills.range.vault.iam import Wanted
from playbooks.drills.range.vault.routes import route
from playbooks.drills.range.vault.token_engine import caller
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.keys import Credentials
    from playbooks.drills.range.vault.leases import Lease
    from playbooks.drills.range.vault.wire import Asked

HOUR = 3600


class AwsEngine(AwsRoles):
    """An AWS mount with all of its endpoints."""

    kind: ClassVar[str] = "aws"

    @route("GET", "creds/{name}")
    def make(self, asked: Asked) -> Reply:
        role = self._role(asked)
        return self._user(asked, role) if role.type == "iam_user" else self._session(asked, role)

    @route("POST", "sts/{name}")
    def make_session(self, asked: Asked) -> Reply:
        role = self._role(asked)
        if role.type == "iam_user":
            raise invalid("attempted to retrieve iam_user credentials through the sts path")
        return self._session(asked, role)

    def _role(self, asked: Asked) -> AwsRole:
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise invalid(f'Role "{asked.named["name"]}" not found')
        return role

    def _key(self) -> Credentials:
        if self.key is None:
            raise BackendError("no root configuration: write config/root first")
        return self.key

    def _user(self, asked: Asked, role: AwsRole) -> Reply:
        token = caller(asked)
        stem = f"vault-{token.display_name}-{asked.named['name']}"[:42]
        name = f"{stem}-{int(self.core.now)}-{self.core.name(20)}"[:64]
        wanted = Wanted(
            name,
            role.user_path,
            role.policy_arns,
            role.document,
            role.groups,
            role.boundary,
            role.tags,
        )
        try:
            self.core.take_call()
            made = self.core.iam.create(self._key(), wanted)
        except BackendError as e:
            raise invalid(f"Error creating IAM user: {e}") from e
        data = {"username": name, "is_sts": False}
        lease = self.core.lease(token, self.mount, asked.path, self.lease, self.lease_max, data)
        return Reply(
            {
                "access_key": made.access_key,
                "secret_key": made.secret_key,
                "security_token": None,
            },
            lease_id=lease.id,
            lease_duration=lease.ttl,
            renewable=True,
        )

    def _session(self, asked: Asked, role: AwsRole) -> Reply:
        arn = asked.text("role_arn") or (role.role_arns[0] if len(role.role_arns) == 1 else "")
        if not arn:
            raise invalid("did not supply a role_arn and more than one is allowed")
        if arn not in role.role_arns:
            raise invalid(f"role_arn {arn!r} not in allowed role arns for {asked.named['name']}")
        ttl = asked.span("ttl") or role.default_sts_ttl or HOUR
        ttl = min(ttl, role.max_sts_ttl) if role.max_sts_ttl else ttl
        name = asked.text("role_session_name") or f"vault-{int(self.core.now)}-{self.core.name(8)}"
        try:
            self.core.take_call()
            made, session = self.core.iam.assume(self._key(), arn, name[:64], ttl, role.document)
        except BackendError as e:
            raise invalid(f"Error assuming role: {e}") from e
        reply = Reply(
            {
                "access_key": made.access_key,
                "secret_key": made.secret_key,
                "security_token": made.token,
                "arn": session,
                "ttl": ttl,
            }
        )
        if self.core.sts_leases:
            data = {"is_sts": True}
            lease = self.core.lease(caller(asked), self.mount, asked.path, ttl, ttl, data)
            lease.renewable = False
            reply.lease_id, reply.lease_duration = lease.id, lease.ttl
        return reply

    def take_back(self, lease: Lease) -> None:
        """Delete the user of a lease; raises BackendError. Of a session there is nothing to do."""
        if lease.data["is_sts"]:
            return
        self.core.take_call()
        self.core.iam.delete(self._key(), lease.data["username"])
