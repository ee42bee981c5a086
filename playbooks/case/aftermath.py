"""What follows a principal's containment: what it made is shut, and looked for until quiet."""

from typing import TYPE_CHECKING

from actions.aws.deactivate_mfa_device import DeactivateMfaDevice
from actions.aws.principal import Principal
from evidence.sources.cloudtrail_events import CloudTrailEvents
from playbooks.case.countering import countering
from playbooks.case.newly_made import shut_newcomers
from playbooks.case.points import open_point
from playbooks.case.sweeping import added, sweep

if TYPE_CHECKING:
    from playbooks.case.case import Case


async def hunt(case: "Case", who: Principal) -> None:
    """Shut what is new in IAM, and what CloudTrail says the principal made; ask about its MFA.

    A question about one of them holds up none of the others.
    """
    await case.together(shut_newcomers(case, who), _swept(case, who))


async def _swept(case: "Case", who: Principal) -> None:
    await case.keep(CloudTrailEvents((), (who.name,), *case.window, who.account, case.region))
    await sweep(case, who, countering(case, who))
    if who.kind == "user":
        for device in added(case, "mfa_device"):
            act = DeactivateMfaDevice(who, device.id, device.at)
            if yes := await case.ask(act, again=device.id):
                await case.act(act, yes, again=device.id)
                text = f"to do: have the owner enrol MFA anew; {device.id} was taken off for good"
                open_point(case, f"mfa/{device.id}", text)
