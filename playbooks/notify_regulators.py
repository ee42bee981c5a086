"""Laws may want notices of an incident: derive which, say by when, remind, wait until all are."""

from playbooks.case.case import Case
from playbooks.case.play import play
from playbooks.notification import working


@play
async def notify_regulators(case: Case) -> None:
    """Laws may want notices of an incident: derive which, say by when, remind, wait until all are.

    Sending is a human's act, and so is deciding that nothing is to be sent: the play is entered
    again at each reminder and whenever somebody records something, and ends once every duty that
    was opened is closed or signed off.
    """
    closed = await working.work(case)
    working.wait(case, closed)
    await case.tell(case.stakeholders, "all duties are closed")
    await case.seal("final")
