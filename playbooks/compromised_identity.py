"""A user, a role or a person of Identity Center acts for somebody else: take what it acts with."""

from actions.aws.close_trust_policy import CloseTrustPolicy
from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.deny_role_sessions import DenyRoleSessions
from actions.aws.reset_console_password import ResetConsolePassword
from actions.aws.set_permissions_boundary import SetPermissionsBoundary
from actions.identity.deny_in_permission_set import DenyInPermissionSet
from actions.identity.remove_account_assignments import RemoveAccountAssignments
from evidence.sources.cloudtrail_events import CloudTrailEvents
from playbooks.case.aftermath import hunt
from playbooks.case.case import Case
from playbooks.case.latching import issued_before, latch, prove
from playbooks.case.log_files import log_files
from playbooks.case.play import play
from playbooks.case.points import NO_CONSOLE, open_point
from playbooks.case.whose import host_of, person_of

PORTAL = (
    "to do: end the person's portal sessions in the Identity Center console (no API does), and "
    "reset the password and MFA there; sessions in accounts end with their permission set's time"
)


async def cut_off(case: Case) -> None:
    """Take what hits nobody but the suspect: a user, a person, or the sessions of one host.

    A role is others' too: what would hit them waits for a person, who is shown how many they are.
    """
    if case.incident.kind == "sso":
        who, sets = await person_of(case)
        await case.together(*(case.act(DenyInPermissionSet(who, one)) for one in sets))
        await case.act(RemoveAccountAssignments(who))
    elif case.principal.kind == "user":
        user = case.principal
        await latch(case, user)
        await case.together(
            case.in_turn(case.act(DenyPrincipal(user)), case.act(DeactivateAccessKeys(user))),
            prove(case),
        )
    elif host := host_of(case):
        await case.act(DenyInstanceSessions(host, role=case.principal.name))


@play(reflex=cut_off)
async def compromised_identity(case: Case) -> None:
    """A user, a role or a person of Identity Center acts for somebody else.

    What hits the suspect alone goes first. Of a role the sessions issued so far are denied, by
    AWS's own time, and again for those that were issued while the denial came into effect; its
    trust is closed, or whoever had a session gets a new one. What was made meanwhile is looked
    for until that is quiet.
    """
    await case.tell(case.stakeholders, "opened")
    name = case.incident.target["id"].partition("/")[2]
    await case.together(
        case.keep(CloudTrailEvents((), (name,), *case.window, case.place, case.region)),
        cut_off(case),
    )
    if case.incident.kind == "sso":
        open_point(case, "portal", PORTAL)
    elif case.principal.kind == "user":
        await case.act(SetPermissionsBoundary(case.principal))
    how = "contained" if case.contained else "not contained"
    await case.tell(case.stakeholders, how, residual=case.residual)
    await case.seal("interim")
    await log_files(case, actors=(name,))
    if case.incident.kind != "sso" and case.principal.kind == "role":
        await case.together(hunt(case, case.principal), role_wide(case))
    elif case.incident.kind != "sso":
        who = case.principal
        await hunt(case, who)
        if yes := await case.ask(ResetConsolePassword(who)):
            await case.act(ResetConsolePassword(who), yes)
            open_point(case, "password", NO_CONSOLE)


async def role_wide(case: Case) -> None:
    """Deny the role's sessions to everybody who has one, where a person allows it."""
    role, before = case.principal, await issued_before(case)
    closed, denied = await case.together(
        case.ask(CloseTrustPolicy(role)), case.ask(DenyRoleSessions(role, before))
    )
    if closed:
        await case.act(CloseTrustPolicy(role), closed)
    if not denied:
        return
    await case.act(DenyRoleSessions(role, before), denied)
    if case.due(CloudTrailEvents.AGAIN_AFTER, "sessions issued meanwhile"):
        later = DenyRoleSessions(role, await issued_before(case, "again"))
        await case.act(later, again="sessions issued meanwhile")
