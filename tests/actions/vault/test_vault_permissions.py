"""Each action declares the paths and capabilities that its calls need, no fewer and no more.

Source: Vault documentation, "Policies" (Capabilities): GET is read, LIST is list, POST and PUT
are update, or create where there is nothing yet, DELETE is delete; what is root-protected takes
sudo on top.
"""

import re

import pytest

from actions.action import Lens
from actions.catalogue import catalogue
from actions.permission import Permission
from actions.vault.policy import may, policy
from tests.actions.scene import Scene, apart, on_vault, scene

ON_VAULT = [name for name in catalogue() if on_vault(name)]
NEED = {"GET": "read", "LIST": "list", "POST": "update", "DELETE": "delete"}
# Answered to anybody, with a token or without (Vault API docs, "/sys/seal-status", "PKI secrets
# engine": Read certificate, Read CRL).
FREE = re.compile(r"GET (sys/seal-status|pki/crl/pem|pki/cert/[^/]+)")
# Done without a token where the server does not ask for one, as the simulator does not.
TOKENLESS = {"cancel_root_generation"}
# Declared, and not called in one apply and rollback of the arrangement: why it is needed still.
IDLE: dict[str, dict[tuple[str, str], str]] = {
    "block_login": {
        ("read", "auth/{userpass}/users/+"): "a user with a password is read so",
        ("update", "auth/{userpass}/users/+"): "a user with a password is blocked so",
    },
    "issue_secret_id": {
        ("update", "auth/{approle}/role/+/secret-id-accessor/destroy"): "one was lost",
        ("update", "{kv}/metadata/*"): "one was lost, and is noted",
    },
    "restore_policy": {
        ("delete", "sys/policies/acl/+"): "a policy that was not there is to be gone again",
    },
}


def meets(permission: Permission, call: str) -> bool:
    """Return whether a call is one that the permission is for."""
    method, _, path = call.partition(" ")
    capability = permission.action.removeprefix("vault:")
    parts = re.sub(r"\{\w+\}", "+", permission.resource).rstrip("/").split("/")
    pattern = "/".join("[^/]+" if part == "+" else re.escape(part) for part in parts)
    fits = re.fullmatch(pattern.replace(re.escape("*"), ".*"), path.rstrip("/"))
    if method == "LIST" and "+" in permission.resource:
        fits = fits and permission.resource.endswith("/")
    return bool(fits) and capability in (NEED[method], "sudo", "create")


def lifecycle(found: Scene) -> None:
    """Do all that an action is for."""
    found.run(found.enter())
    if isinstance(found.action, Lens):
        found.run(found.back())


def as_(found: Scene, text: str) -> None:
    """Let Stanch act with this policy alone."""
    found.estate.root.sys.create_or_update_acl_policy("stanch", text)


@pytest.mark.parametrize("name", ON_VAULT)
@apart
def test_every_call_is_covered_and_every_permission_is_called_for(name: str) -> None:
    found = scene(name)
    lifecycle(found)
    calls = {operation for _, operation, _ in found.seen if not FREE.fullmatch(operation)}
    declared = catalogue()[name].permissions
    bare = [c for c in calls if not any(meets(p, c) for p in declared if _grants(p, c))]
    assert bare == [], "called, and not declared"
    unused = {
        (p.action.removeprefix("vault:"), p.resource)
        for p in declared
        if not any(meets(p, c) for c in calls)
    }
    assert unused == set(IDLE.get(name, {})), "declared, and not called"


def _grants(permission: Permission, call: str) -> bool:
    return permission.action == f"vault:{NEED[call.partition(' ')[0]]}"


@pytest.mark.parametrize("name", ON_VAULT)
@apart
def test_the_printed_policy_is_enough_to_do_it_and_undo_it(name: str) -> None:
    found = scene(name)
    as_(found, policy([catalogue()[name]], own_mount="stanch", own_policies=["stanch"]))
    lifecycle(found)


@pytest.mark.parametrize("name", [n for n in ON_VAULT if n not in TOKENLESS])
@apart
def test_without_a_policy_vault_says_no(name: str) -> None:
    """So the simulator does judge by the policy, and the law above does not hold for nothing."""
    found = scene(name)
    as_(found, policy([]) or 'path "nothing" { capabilities = ["read"] }')
    with pytest.raises(Exception, match="permission denied"):
        lifecycle(found)


def test_the_policy_names_the_mounts_and_denies_what_is_stanchs_own() -> None:
    class Reads(Lens):  # type: ignore[type-arg]
        permissions = (*may("{kv}/data/*", "read"), *may("sys/audit", "read", "sudo"))

    text = policy([Reads], mounts={"kv": ["team/kv", "secret"]}, own_mount="stanch")
    assert text == "\n".join(
        f'path "{path}" {{\n  capabilities = [{capabilities}]\n}}\n'
        for path, capabilities in (
            ("auth/stanch/*", '"deny"'),
            ("secret/data/*", '"read"'),
            ("sys/audit", '"read", "sudo"'),
            ("sys/auth/stanch", '"deny"'),
            ("sys/auth/stanch/*", '"deny"'),
            ("team/kv/data/*", '"read"'),
        )
    )


def test_an_action_on_aws_adds_nothing_to_a_vault_policy() -> None:
    assert policy([catalogue()["terminate_instance"]]) == ""


def test_no_reason_is_given_for_what_is_gone() -> None:
    for name, reasons in IDLE.items():
        declared = {
            (p.action.removeprefix("vault:"), p.resource) for p in catalogue()[name].permissions
        }
        assert reasons.keys() <= declared


@pytest.mark.parametrize("name", ["remove_policy"])
@apart
def test_the_denial_of_its_own_stands_above_what_is_allowed(name: str) -> None:
    found = scene(name)
    whole = policy((catalogue()[n] for n in ON_VAULT), own_mount="stanch", own_policies=["stanch"])
    as_(found, whole)
    for path in ("auth/stanch/role/stanch", "sys/policies/acl/stanch", "sys/auth/stanch"):
        assert found.world.core.capabilities(_token(found), path) == {"deny"}, path
    assert "update" in found.world.core.capabilities(_token(found), "auth/approle/role/web")


def _token(found: Scene) -> object:
    return found.world.core.tokens.living(found.estate.stanch, found.world.core.now)
