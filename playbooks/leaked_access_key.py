"""A user's access key is in somebody else's hands: deny the user, turn its credentials off."""

from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.deactivate_service_credentials import DeactivateServiceCredentials
from actions.aws.deactivate_signing_certificates import DeactivateSigningCertificates
from actions.aws.deactivate_ssh_keys import DeactivateSshKeys
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.reset_console_password import ResetConsolePassword
from actions.aws.set_permissions_boundary import SetPermissionsBoundary
from evidence.sources.principal_facts import PrincipalFacts
from playbooks.case.aftermath import hunt
from playbooks.case.case import Case
from playbooks.case.holding_key import holder
from playbooks.case.latching import latch, prove
from playbooks.case.log_files import log_files
from playbooks.case.play import play
from playbooks.case.points import NO_CONSOLE, open_point


async def cut_off(case: Case) -> None:
    """Take the user's credentials: what is pre-approved, and cannot wait for anything.

    The latch first: IAM takes seconds to bind a denial, and whoever holds the key can take it off
    meanwhile. The denial before the keys: a key that is off leaves its sessions, a denial neither.
    """
    who = await holder(case)
    await latch(case, who)
    await case.together(
        case.in_turn(case.act(DenyPrincipal(who)), case.act(DeactivateAccessKeys(who))),
        prove(case),
    )


@play(reflex=cut_off)
async def leaked_access_key(case: Case) -> None:
    """A user's access key is in somebody else's hands: deny the user, turn its credentials off.

    Everything that the user signs in with is turned off and nothing deleted, for CloudTrail is
    searched by its ids. What the key made meanwhile is looked for until that is quiet; the console
    is shut by the denial, and its password changed only where a person says so.
    """
    await case.tell(case.stakeholders, "opened")
    who = await holder(case)
    await case.together(
        case.keep(PrincipalFacts(who.kind, who.name, who.account, case.region)),
        cut_off(case),
    )
    await case.together(
        case.act(SetPermissionsBoundary(who)),
        case.act(DeactivateSshKeys(who)),
        case.act(DeactivateServiceCredentials(who)),
        case.act(DeactivateSigningCertificates(who)),
    )
    how = "contained" if case.contained else "not contained"
    await case.tell(case.stakeholders, how, residual=case.residual)
    await case.seal("interim")
    await case.together(hunt(case, who), log_files(case, actors=(who.name,)))
    if yes := await case.ask(ResetConsolePassword(who)):
        await case.act(ResetConsolePassword(who), yes)
        open_point(case, "password", NO_CONSOLE)
