"""What a login to a Vault could get at: by its policies' text alone, read once for an incident."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from actions.engine import calling, patient
from actions.vault import acl_policy
from actions.vault.block_login import BlockLogin
from actions.vault.clients import Vault
from playbooks.case import store
from playbooks.case.points import open_point
from playbooks.case.vault_engines import Thing, things
from playbooks.case.vault_login import Login
from playbooks.case.vault_policy import ALL, Grants, allows, grants

if TYPE_CHECKING:
    from playbooks.case.case import Case

KEPT = "vault-reach"


def reached(policies: Iterable[Grants], held: Iterable[Thing]) -> tuple[Thing, ...]:
    """Return what of all that a Vault holds the holder of these policies could get. Pure.

    Of a thing that is got by several ways the first that is open is named, once.
    """
    known = list(policies)
    found: dict[tuple[str, str, str, str], Thing] = {}
    for one in held:
        path, capability = one.reached
        # The engines take either where there is nothing to send along.
        either = ("read", "update") if one.kind in ("lease", "sts") else (capability,)
        if allows(known, path, *either):
            found.setdefault((one.kind, one.mount, one.name, one.about), one)
    return tuple(found.values())


async def reach(case: "Case", login: Login | None) -> tuple[Thing, ...]:
    """Return what the incident's login could get; of a whole Vault (None) all. Kept on re-entry."""
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, KEPT))
    if known is None:
        vault = case.parts.vault(case.place)
        act = BlockLogin(case.place, "", "")
        known = await case.drive(patient(act, lambda: _read(vault, login)))
        if not case.dry:
            case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, KEPT, known))
    for number, text in enumerate(known["missed"]):
        open_point(case, f"reach/{number}", f"what it could reach was not all read: {text}")
    return tuple(Thing(**(one | {"reached": tuple(one["reached"])})) for one in known["things"])


def _read(p: Vault, login: Login | None) -> dict[str, list[object]]:
    held, missed = things(p)
    policies = [ALL] if login is None else list(_texts(p, login).values())
    return {"things": [asdict(t) for t in reached(policies, held)], "missed": list(missed)}


def _texts(p: Vault, login: Login) -> Mapping[str, Grants]:
    found = {}
    for name in login.policies:
        # Only `root` has no text: it may do everything.
        text = None if name == "root" else calling(p, lambda name=name: acl_policy.read(p, name))  # type: ignore[misc]
        if name == "root":
            found[name] = ALL
        elif text is not None:
            found[name] = grants(text)
    return found
