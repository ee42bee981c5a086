"""What a person may want besides in a Vault: to let go of leases, and to refuse old ciphertexts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actions.action import Action
from actions.vault.force_revoke_leases import ForceRevokeLeases
from actions.vault.raise_min_decryption import RaiseMinDecryption
from playbooks.case.answers import Done
from playbooks.case.asking import ask_all, fit
from playbooks.case.vault_login import login
from playbooks.case.vault_reach import reach

if TYPE_CHECKING:
    from playbooks.case.case import Case

LEASES = "/vault/leases/"


async def offer(case: "Case", taken: Sequence[Any]) -> None:
    """Ask about both at once, each where there is something of it; nothing happens by itself."""
    found = await reach(case, await login(case)) if taken else ()
    stuck = [
        t.step.partition(LEASES)[2]
        for t in taken
        if isinstance(t, Done) and t.result.get("irrevocable")
    ]
    old = [t for t in found if t.kind == "transit"]
    await case.together(
        _offered(case, "abandon", [ForceRevokeLeases(case.place, prefix) for prefix in stuck]),
        _offered(
            case,
            "refuse-old",
            [RaiseMinDecryption(case.place, t.mount, t.name, int(t.about) + 1) for t in old],
        ),
    )


async def _offered(case: "Case", name: str, acts: Sequence[Action[Any]]) -> None:
    yes = await ask_all(case, name, acts) if acts else None
    if yes:
        for one in fit(case, acts):
            await case.act(one, yes)
