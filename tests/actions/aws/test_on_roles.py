"""What takes a user or a role keeps the laws on a role too; they are tried on a user elsewhere."""

import pytest

from actions.aws.deny_principal import DenyPrincipal
from actions.aws.narrow_instance_sessions import cut_off
from actions.aws.narrow_principal_sessions import NarrowPrincipalSessions
from actions.aws.principal import Kind, Principal
from actions.aws.set_permissions_boundary import SetPermissionsBoundary
from actions.catalogue import catalogue
from actions.errors import UnfitError
from actions.policy import policies
from tests.actions.aws.people import role
from tests.actions.scene import Scene, apart, crashes, floor, in_child, mutates
from tests.actions.test_laws import is_as, wrote
from tests.actions.test_laws_hostile import deceived, strikes
from tests.actions.test_permissions import lifecycle, stranger

MADE = {
    "deny_principal": lambda world: DenyPrincipal(role(world)),
    "narrow_principal_sessions": lambda world: NarrowPrincipalSessions(
        role(world), cut_off(world.now())
    ),
    "set_permissions_boundary": lambda world: SetPermissionsBoundary(role(world)),
}


def on_a_role(name: str) -> Scene:
    found = floor()
    found.action = MADE[name](found.world)
    found.seen.clear()
    return found


@pytest.mark.parametrize("name", MADE)
@apart
def test_a_crash_after_any_call_is_finished_or_undone(name: str) -> None:
    found = on_a_role(name)
    before, digest = found.read(), found.world.digest()
    wanted = dict(found.action.wanted(before))

    def finished() -> None:
        found.run(found.enter())
        is_as(found, wanted)
        found.run(found.back())
        is_as(found, before)
        assert found.world.digest() == digest

    said = list(crashes(found, found.enter(), finished))
    assert said == [""] * len(wrote(found))
    assert any(mutates(operation) and "Role" in operation for _, operation, _ in found.seen)


@pytest.mark.parametrize("fault", ["ignored", "late", "reverted", "stale", "lost"])
@pytest.mark.parametrize("name", MADE)
@apart
def test_done_is_never_recorded_of_what_is_not_so(name: str, fault: str) -> None:
    found = on_a_role(name)
    calls = strikes(found)
    assert calls
    said = [in_child(lambda call=call: deceived(found, fault, *call)) for call in calls]
    assert set(said) == {""}, "\n".join(said)


@pytest.mark.parametrize("name", MADE)
@apart
def test_the_printed_policy_is_enough(name: str) -> None:
    found = on_a_role(name)
    where = {"account": found.world.account, "region": found.world.region}
    found.p = found.provider(stranger(found, policies([catalogue()[name]], **where)))
    lifecycle(found)


OF_USERS = """
deactivate_access_keys deactivate_ssh_keys deactivate_signing_certificates deactivate_mfa_device
deactivate_service_credentials reset_console_password delete_login_profile leave_groups
"""
OF_ROLES = "close_trust_policy deny_role_sessions"
MORE = {
    "created": "2026-03-01T00:00:00Z",
    "serial": "arn:x",
    "since": "2026-03-01T00:00:00Z",
    "issued_before": "2026-03-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [*((n, "user") for n in OF_USERS.split()), *((n, "role") for n in OF_ROLES.split())],
)
def test_what_is_of_one_kind_is_not_done_to_the_others_namesake(name: str, kind: Kind) -> None:
    action = catalogue()[name]
    other: Kind = "role" if kind == "user" else "user"
    more = {k: v for k, v in MORE.items() if k in action.__annotations__}
    action(Principal("111122223333", kind, "deploy"), **more)  # type: ignore[call-arg]
    with pytest.raises(UnfitError, match=f"{other} deploy is no {kind}"):
        action(Principal("111122223333", other, "deploy"), **more)  # type: ignore[call-arg]
