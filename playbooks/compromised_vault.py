"""A Vault, or one login to it, is in somebody else's hands: shut the way in, take all it gave."""

from actions.vault.block_login import BlockLogin
from actions.vault.disable_entity import DisableEntity
from evidence.sources.vault_facts import VaultFacts
from playbooks.case.asking import ask_all
from playbooks.case.case import Case
from playbooks.case.play import play
from playbooks.case.vault_login import login
from playbooks.case.vault_reach import reach
from playbooks.case.vault_relogin import prove_login
from playbooks.case.vault_taking import renewing, taking


async def cut_off(case: Case) -> None:
    """Let nobody log in by it any more, and its tokens do nothing: both can be taken back.

    Of a whole Vault nothing is shut by itself: that would hit everybody.
    """
    who = await login(case)
    if who is None:
        return
    block = case.act(BlockLogin(who.vault, who.mount, who.name, who.kind))
    if not who.entity:
        await block
    else:
        await case.in_turn(block, case.act(DisableEntity(who.vault, who.entity)))


@play(reflex=cut_off)
async def compromised_vault(case: Case) -> None:
    """A Vault, or one login to it, is in somebody else's hands.

    One login is blocked and its identity disabled at once. What destroys is one question: secret
    ids, tokens and leases end, and what the login could have seen is made anew. Before any of
    that one login must work, or nobody would come back.
    """
    await case.tell(case.stakeholders, "opened")
    await case.together(case.keep(VaultFacts(case.place)), cut_off(case))
    who = await login(case)
    found = await reach(case, who)
    acts = [*taking(case.place, who, found, ()), *renewing(case.place, who, found, {})]
    if yes := await ask_all(case, "take", acts):
        await prove_login(case)
        for one in acts:
            await case.act(one, yes)
    how = "contained" if case.contained else "not contained"
    await case.tell(case.stakeholders, how, residual=case.residual)
    await case.seal("interim")
