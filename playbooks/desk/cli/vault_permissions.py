"""The least that Stanch needs in a Vault for a set of plays, as a Vault policy."""

import importlib
from collections.abc import Iterable, Mapping

from actions.catalogue import catalogue
from actions.vault.policy import policy
from playbooks.desk.cli.permissions import _imported
from playbooks.respond import plays
from playbooks.wiring import key_terms
from playbooks.wiring.settings import Settings

# The name under which the printed policy is to be written; Stanch may not change it then.
POLICY = "stanch"
# Of what is its own Stanch reads all and changes nothing: a more exact path decides in a Vault.
OWN = {
    "auth/{mount}/role/": "list",
    "auth/{mount}/role/+": "read",
    "auth/{mount}/role/+/secret-id/": "list",
    "auth/{mount}/role/+/secret-id-accessor/lookup": "update",
}
# The modules whose acts and reads happen in a Vault.
ACTS, SOURCES = "actions.vault.", "evidence.sources.vault_"


def needed_in_vault(
    settings: Settings, vault: str, names: Iterable[str] = (), policy_name: str = POLICY
) -> str:
    """Return the policy, in HCL, for what these plays (all for none) do and read in a Vault."""
    known = catalogue()
    modules = sorted({m for name in names or plays.names() for m in _imported(name)})
    acts = [known[m.rpartition(".")[2]] for m in modules if m.startswith(ACTS) and _action(m)]
    reads: dict[str, set[str]] = {}
    for module in (m for m in modules if m.startswith((SOURCES, "playbooks."))):
        for path, names_ in _reads(module).items():
            reads.setdefault(path, set()).update(names_)
    mount = settings.vaults[vault].mount
    own = {f"sys/policies/acl/{policy_name}": {"read"}}
    own |= {path.format(mount=mount): {can} for path, can in OWN.items()}
    own |= key_terms.paths(settings, vault)
    return policy(dict.fromkeys(acts), own_mount=mount, reads=reads | own)


def _action(module: str) -> bool:
    return module.rpartition(".")[2] in catalogue()


def _reads(module: str) -> Mapping[str, tuple[str, ...]]:
    """Return what a module's sources read (`paths`), or what it reads itself (READS)."""
    found = vars(importlib.import_module(module))
    told: dict[str, tuple[str, ...]] = {}
    if module.startswith("playbooks.") and isinstance(found.get("READS"), dict):
        told |= found["READS"]
    for value in found.values():
        if isinstance(value, type) and value.__module__ == module:
            told |= getattr(value, "paths", {})
    return told
