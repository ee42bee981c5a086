"""The last resort: what could not be taken back in a Vault is sealed in, if two people say so."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actions.vault.seal_vault import SealVault
from playbooks.case.answers import Refusal
from playbooks.case.points import open_point

if TYPE_CHECKING:
    from playbooks.case.case import Case


async def offer_seal(case: "Case", taken: Sequence[Any]) -> None:
    """Ask whether a whole Vault is to be sealed, where something in it could not be taken back.

    Two questions, to two people: nobody seals it alone.
    """
    if case.incident.kind != "vault" or all(taken):
        return
    first = await case.ask(SealVault(case.place))
    if isinstance(first, Refusal):
        return
    seal = SealVault(case.place, seconded=first.question)
    second = await case.ask(seal)
    if isinstance(second, Refusal):
        return
    if second.approver != first.approver:
        await case.act(seal, second)
    else:
        text = f"{first.approver} said yes twice: Vault {case.place} is not sealed by one alone"
        open_point(case, "seal", text)
