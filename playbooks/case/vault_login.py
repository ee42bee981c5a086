"""The login to a Vault that an incident is about: read once, and the same on re-entry."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hvac import exceptions

from actions.engine import calling, patient
from actions.errors import TargetGoneError
from actions.vault.block_login import BlockLogin
from actions.vault.clients import Vault
from actions.vault.own import own as own_of
from playbooks.case import store

if TYPE_CHECKING:
    from playbooks.case.case import Case

KEPT = "vault-login"
# What is read of a login, besides what the acts read; for `stanch permissions --vault`.
READS = {
    "sys/auth": ("read",),
    "auth/{approle}/role/+": ("read",),
    "auth/{approle}/role/+/role-id": ("read",),
    "auth/{userpass}/users/+": ("read",),
    "identity/entity-alias/id/": ("list",),
    "identity/entity/id/+": ("read",),
    "identity/group/id/+": ("read",),
}
# Where each kind of auth method keeps one login.
FOLDERS = {"approle": "role", "userpass": "users"}


@dataclass(frozen=True, slots=True)
class Login:
    """One way in: its auth mount without auth/, its name, the mount's type.

    `entity` is the identity that it logs in as, or empty where it never did; `policies` are the
    names of all that it has.
    """

    vault: str
    mount: str
    name: str
    kind: str
    entity: str
    policies: tuple[str, ...]


async def login(case: "Case") -> Login | None:
    """Return the login that the incident is about; None where it is about a whole Vault.

    Raises TargetGoneError where there is no such mount, role or user.
    """
    if case.incident.kind != "login":
        return None
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, KEPT))
    if known is None:
        mount, _, name = case.incident.target["id"].partition("/")[2].rpartition("/")
        vault = case.parts.vault(case.place)
        # As patiently as the act that it is read for.
        act = BlockLogin(case.place, mount, name)
        found = await case.drive(
            patient(act, lambda: calling(vault, lambda: _read(vault, mount, name)))
        )
        known = asdict(found)
        if not case.dry:
            case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, KEPT, known))
    return Login(**(known | {"policies": tuple(known["policies"])}))


async def auth_mounts(case: "Case") -> tuple[str, ...]:
    """Return the auth mounts whose tokens are others' than Stanch's: the same on re-entry."""
    step = "vault-mounts"
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, step))
    if known is None:
        vault = case.parts.vault(case.place)
        act = BlockLogin(case.place, "", "")
        found = await case.drive(patient(act, lambda: calling(vault, lambda: _mounts(vault))))
        known = {"mounts": found}
        if not case.dry:
            case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, step, known))
    return tuple(known["mounts"])


def _mounts(p: Vault) -> list[str]:
    ours = {own_of(p).mount.removeprefix("auth/"), "token"}
    return sorted(
        mount
        for path in p.client.sys.list_auth_methods()["data"]
        if path.endswith("/") and (mount := path.rstrip("/")) not in ours
    )


def own(case: "Case") -> frozenset[str]:
    """Return the targets of acts that are the incident's own login and its entity."""
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, KEPT)) or {}
    login = case.incident.target["id"].partition("/")[2]
    return frozenset(
        {f"{case.place}/vault/auth/{login}", f"{case.place}/vault/entity/{known.get('entity')}"}
    )


def _read(p: Vault, mount: str, name: str) -> Login:
    methods = p.client.sys.list_auth_methods()["data"]
    method = methods.get(f"{mount}/")
    if method is None:
        raise TargetGoneError(
            f"Vault {p.name} has no auth method at {mount} (any more). Look at `vault auth list`."
        )
    kind = str(method["type"])
    told: dict[str, Any] = {}
    if kind in FOLDERS:
        path = f"auth/{mount}/{FOLDERS[kind]}/{name}"
        there = p.get(path)
        if there is None:
            raise TargetGoneError(f"{path} of Vault {p.name} does not exist (any more).")
        told = there
    names = {*(told.get("token_policies") or ()), *(told.get("policies") or ())}
    if not told.get("token_no_default_policy"):
        names.add("default")
    entity = _entity(p, method["accessor"], _alias(p, kind, mount, name))
    names |= _of_entity(p, entity)
    return Login(p.name, mount, name, kind, entity, tuple(sorted(names)))


def _alias(p: Vault, kind: str, mount: str, name: str) -> str:
    """Return by what name the login is known to identities: a role by its id, told to nobody."""
    if kind != "approle":
        return name
    found = p.client.auth.approle.read_role_id(name, mount_point=mount)
    return str(found["data"]["role_id"])


def _entity(p: Vault, accessor: str, alias: str) -> str:
    # Vault API docs, "Identity secrets engine: entity alias", "List entity aliases by ID".
    try:
        found = p.client.adapter.list("/v1/identity/entity-alias/id")["data"]
    except exceptions.InvalidPath:
        return ""
    for one in (found.get("key_info") or {}).values():
        if (one["mount_accessor"], one["name"]) == (accessor, alias):
            return str(one["canonical_id"])
    return ""


def _of_entity(p: Vault, entity: str) -> set[str]:
    """Return the policies that an identity has by itself and by its groups."""
    found = p.get(f"identity/entity/id/{entity}") if entity else None
    if found is None:
        return set()
    names = set(found.get("policies") or ())
    groups = {*(found.get("direct_group_ids") or ()), *(found.get("inherited_group_ids") or ())}
    for group in sorted(groups):
        names |= set((p.get(f"identity/group/id/{group}") or {}).get("policies") or ())
    return names
