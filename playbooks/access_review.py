"""People decided who keeps what access: carry out what they signed, and read it back."""

from playbooks.case.case import Case
from playbooks.case.play import play
from playbooks.review.acts import recorded


@play
async def access_review(case: Case) -> None:
    """People decided who keeps what access: carry out what they signed, and read it back.

    One principal after the other: what cannot be done for one is said, and holds up no other.
    """
    await case.tell(case.stakeholders, "opened")
    for one in recorded(case.incident):
        await case.act(one.action)
    await case.tell(case.stakeholders, "carried out", left=case.residual)
    await case.seal("final")
