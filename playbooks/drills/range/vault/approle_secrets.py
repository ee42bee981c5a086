"""AppRole's secret ids (API: AppRole auth method)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.approle import AppRole, Role, SecretId
from playbooks.drills.range.vault.durations import stamp
from playbooks.drills.range.vault.errors import RefusedError, invalid
from playbooks.drills.range.vault.routes import route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked

NEVER = "0001-01-01T00:00:00Z"


class AppRoleSecrets(AppRole):
    """An AppRole mount with all of its endpoints. An accessor names a secret id and is none."""

    kind: ClassVar[str] = "approle"

    @route("POST", "role/{name}/secret-id")
    def make(self, asked: Asked) -> Reply:
        return self._made(asked, self.core.uuid())

    @route("POST", "role/{name}/custom-secret-id")
    def make_custom(self, asked: Asked) -> Reply:
        return self._made(asked, asked.needed("secret_id"))

    def _made(self, asked: Asked, value: str) -> Reply:
        role = self.role(asked)
        if not role.bind_secret_id:
            raise invalid("bind_secret_id is not set on the role")
        if any(s.value == value for s in role.secrets.values()):
            raise invalid("SecretID is already registered")
        now, ttl = self.core.now, asked.span("ttl", role.ttl)
        uses = asked.number("num_uses", role.num_uses)
        if role.ttl and (not ttl or ttl > role.ttl):
            raise invalid("ttl cannot be longer than the role's secret_id_ttl")
        if role.num_uses and (not uses or uses > role.num_uses):
            raise invalid("num_uses cannot be higher than the role's secret_id_num_uses")
        secret = SecretId(
            value,
            self.core.uuid(),
            now,
            ttl,
            uses,
            uses,
            _metadata(asked),
            tuple(asked.texts("cidr_list")),
            tuple(asked.texts("token_bound_cidrs")),
            now + ttl if ttl else None,
        )
        role.secrets[secret.accessor] = secret
        return Reply(
            {
                "secret_id": value,
                "secret_id_accessor": secret.accessor,
                "secret_id_num_uses": uses,
                "secret_id_ttl": ttl,
            }
        )

    @route("LIST", "role/{name}/secret-id")
    def list_accessors(self, asked: Asked) -> Reply:
        return keys(self.role(asked).living(self.core.now))

    @route("POST", "role/{name}/secret-id/lookup")
    def look_up(self, asked: Asked) -> Reply:
        role = self.role(asked)
        found = self._of_value(role, asked)
        # A secret id that is not there is no error, only nothing to say.
        return self._shown(found) if found else Reply()

    @route("POST", "role/{name}/secret-id/destroy")
    def destroy(self, asked: Asked) -> Reply:
        role = self.role(asked)
        found = self._of_value(role, asked)
        if found is not None:
            del role.secrets[found.accessor]
        return Reply()

    def _of_value(self, role: Role, asked: Asked) -> SecretId | None:
        value = asked.needed("secret_id")
        living = role.living(self.core.now).values()
        return next((s for s in living if s.value == value), None)

    @route("POST", "role/{name}/secret-id-accessor/lookup")
    def look_up_accessor(self, asked: Asked) -> Reply:
        return self._shown(self._of_accessor(self.role(asked), asked))

    @route("POST", "role/{name}/secret-id-accessor/destroy")
    def destroy_accessor(self, asked: Asked) -> Reply:
        role = self.role(asked)
        del role.secrets[self._of_accessor(role, asked).accessor]
        return Reply()

    def _of_accessor(self, role: Role, asked: Asked) -> SecretId:
        accessor = asked.needed("secret_id_accessor")
        found = role.living(self.core.now).get(accessor)
        if found is None:
            raise RefusedError(404, f"failed to find accessor entry for {accessor!r}")
        return found

    def _shown(self, secret: SecretId) -> Reply:
        return Reply(
            {
                "cidr_list": list(secret.cidrs),
                "creation_time": stamp(secret.created),
                "expiration_time": NEVER if secret.expires is None else stamp(secret.expires),
                "last_updated_time": stamp(secret.created),
                "metadata": secret.metadata,
                "secret_id_accessor": secret.accessor,
                "secret_id_num_uses": secret.uses,
                "secret_id_ttl": secret.ttl,
                "token_bound_cidrs": list(secret.token_cidrs),
            }
        )


def _metadata(asked: Asked) -> dict[str, str]:
    text = asked.text("metadata")
    try:
        found: Any = json.loads(text) if text else {}
    except ValueError as e:
        raise invalid("failed to parse metadata, expected a JSON object in a string") from e
    if not isinstance(found, dict):
        raise invalid("failed to parse metadata, expected a JSON object in a string")
    return {k: str(v) for k, v in found.items()}
