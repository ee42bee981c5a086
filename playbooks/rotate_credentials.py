"""Credentials leaked: make new ones, let their consumers move, and only then take the old away."""

from playbooks.case.case import Case
from playbooks.case.play import play
from playbooks.rotation import rotating
from playbooks.rotation.order import lines


@play
async def rotate_credentials(case: Case) -> None:
    """Credentials leaked: make new ones, let their consumers move, then take the old away.

    What can change another credential goes first, and the next only once the old of it is off:
    whoever holds it would undo the other's rotation. A new one is stored before anything else is
    done with it, and tried before consumers read it. The old stays as long as anybody uses it,
    unless the incident records abuse; deletion is for a person to allow.
    """
    found = await rotating.to_rotate(case)
    await case.tell(case.stakeholders, "opened", order=lines(found))
    if await rotating.renew(case, found):
        await case.tell(case.stakeholders, "rotated", residual=case.residual)
        await case.seal("interim")
        await rotating.clear(case, found)
