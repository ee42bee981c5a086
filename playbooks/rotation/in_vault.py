"""Rotates what a Vault holds: a secret of a KV engine, or the password of a static role."""

from typing import TYPE_CHECKING

from actions.engine import calling
from actions.vault import kv_secret
from actions.vault.destroy_kv_versions import DestroyKvVersions
from actions.vault.rotate_static_role import RotateStaticRole
from actions.vault.write_kv_version import WriteKvVersion
from playbooks.case import points
from playbooks.rotation import standing
from playbooks.rotation.leaving import may_go
from playbooks.rotation.order import Credential

if TYPE_CHECKING:
    from playbooks.case.case import Case


async def renew_secret(case: "Case", one: Credential) -> bool:
    """Write a new version of a KV secret and wait until its consumers are said to have it."""
    vault, mount, path = place_of(one)
    cas = _version(case, one)
    written = await case.act(WriteKvVersion(vault, mount, path, cas, one.fields, case.incident.id))
    if not written:
        return False
    standing.since(case, f"rotation/{one.name}/current")
    await may_go(case, one, f"version {standing.told(written, 'version')}", None)
    points.shut_point(case, f"rotation/{one.name}")
    return True


async def clear_secret(case: "Case", one: Credential) -> None:
    """Destroy the version that leaked, once a person says so."""
    vault, mount, path = place_of(one)
    if cas := _version(case, one):
        action = DestroyKvVersions(vault, mount, path, (cas,))
        if yes := await case.ask(action):
            await case.act(action, yes)


async def renew_static_role(case: "Case", one: Credential) -> bool:
    """Let Vault give the database user a new password; consumers read it from Vault."""
    vault, mount, path = place_of(one)
    role = path.removeprefix("static-roles/")
    provider = case.parts.vault(vault)
    asked = RotateStaticRole(vault, mount, role, "")
    found = standing.once(
        case,
        f"rotation/{one.name}/before",
        lambda: {
            "rotated": calling(provider, lambda: asked.facts(provider))["last_vault_rotation"]
        },
    )
    action = RotateStaticRole(vault, mount, role, str(found["rotated"]))
    return bool(await case.act(action, await case.ask(action)))


async def clear_static_role(case: "Case", one: Credential) -> None:
    """Leave nothing: the old password is gone with the rotation."""


def place_of(one: Credential) -> tuple[str, str, str]:
    """Return Vault, mount and path."""
    vault, _, rest = one.target.split("/", 2)
    mount, _, path = rest.partition("/")
    return vault, mount, path


def _version(case: "Case", one: Credential) -> int:
    """Return the secret's version before the rotation."""
    vault, mount, path = place_of(one)
    provider = case.parts.vault(vault)

    def read() -> dict[str, int]:
        found = calling(provider, lambda: kv_secret.metadata(provider, mount, path))
        return {"version": found["current_version"] if found else 0}

    return int(standing.once(case, f"rotation/{one.name}/before", read)["version"])
