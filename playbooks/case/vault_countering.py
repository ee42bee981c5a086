"""What is done about each thing that an attacker left in a Vault; what no act answers is said.

Pure but for what it is handed. Nothing of it happens by itself, but audit devices: whether a
policy or a way in is an attacker's or a colleague's of this morning is a person's to know.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from actions.action import Action
from actions.vault.block_login import BlockLogin
from actions.vault.cancel_root_generation import CancelRootGeneration
from actions.vault.destroy_secret_ids import DestroySecretIds
from actions.vault.disable_auth_mount import DisableAuthMount
from actions.vault.disable_entity import DisableEntity
from actions.vault.enable_audit_device import EnableAuditDevice
from actions.vault.remove_alias import RemoveAlias
from actions.vault.remove_policy import RemovePolicy
from actions.vault.restore_policy import RestorePolicy
from actions.vault.revoke_tokens import RevokeTokens
from actions.vault.suspend_group import SuspendGroup
from evidence.sources.vault_left import Finding
from playbooks.case.vault_known import Known

# Where a role or user is; its folder tells the kind of login.
LOGIN = re.compile(r"auth/(?P<mount>.+)/(?P<folder>role|users)/(?P<name>[^/]+)")
KINDS = {"role": "approle", "users": "userpass"}
# How a sweep says whose a new secret id is: mount.role.
ISSUED = re.compile(r"issued for (?P<mount>[^.]+)\.(?P<role>.+) since")


def answer(vault: str, one: Finding, known: Known) -> Action[Any] | None:
    """Return the act that answers a finding; None where a person has to look at it."""
    if not one.sure:
        return None
    act = ACTS.get(one.kind)
    return act(vault, one, known) if act else None


def implied(one: Finding, found: Collection[Finding]) -> bool:
    """Return whether the answer to another finding answers this one too.

    Whoever logs in for the first time gets an identity with its alias; and what is on an auth
    mount goes with it.
    """
    if one.kind == "alias":
        whose = one.why.rpartition(" ")[2]
        return any(f.kind == "entity" and f.sure and f.name == whose for f in found)
    at = LOGIN.fullmatch(one.name) if one.kind == "login" else None
    mount = f"{at['mount']}/" if at else ""
    return any(f.kind == "auth_mount" and f.sure and f.name == mount for f in found)


def _policy(vault: str, one: Finding, known: Known) -> Action[Any]:
    text = known.policies.get(one.name)
    return RemovePolicy(vault, one.name) if text is None else RestorePolicy(vault, one.name, text)


def _secret_id(vault: str, one: Finding, known: Known) -> Action[Any] | None:
    whose = ISSUED.match(one.why)
    return DestroySecretIds(vault, whose["mount"], whose["role"], (one.name,)) if whose else None


def _login(vault: str, one: Finding, known: Known) -> Action[Any] | None:
    at = LOGIN.fullmatch(one.name)
    return BlockLogin(vault, at["mount"], at["name"], KINDS[at["folder"]]) if at else None


def _audit(vault: str, one: Finding, known: Known) -> Action[Any] | None:
    path = one.name.rstrip("/")
    told = known.audit.get(path)
    if told is None:
        return None
    options: Mapping[str, Any] = told.get("options") or {}
    pairs = tuple(f"{name}={value}" for name, value in sorted(options.items()))
    return EnableAuditDevice(vault, path, told["type"], pairs, told.get("description") or "")


ACTS: Mapping[str, Callable[[str, Finding, Known], Action[Any] | None]] = {
    "alias": lambda vault, one, known: RemoveAlias(vault, one.name),
    "audit_device": _audit,
    "auth_mount": lambda vault, one, known: DisableAuthMount(vault, one.name.rstrip("/")),
    "entity": lambda vault, one, known: DisableEntity(vault, one.name),
    "group": lambda vault, one, known: SuspendGroup(vault, one.name),
    "login": _login,
    "policy": _policy,
    "root_attempt": lambda vault, one, known: CancelRootGeneration(vault, one.name),
    "root_token": lambda vault, one, known: RevokeTokens(vault, (one.name,)),
    "secret_id": _secret_id,
    "token": lambda vault, one, known: RevokeTokens(vault, (one.name,)),
}
