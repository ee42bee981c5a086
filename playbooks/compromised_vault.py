"""A Vault, or one login to it, is in somebody else's hands: shut the way in, take all it gave."""

from actions.vault.block_login import BlockLogin
from actions.vault.disable_entity import DisableEntity
from playbooks.case.asking import ask_all, fit
from playbooks.case.case import Case
from playbooks.case.play import play
from playbooks.case.vault_hunting import audit_log, audit_log_later, hunt
from playbooks.case.vault_last_resort import offer_seal
from playbooks.case.vault_login import login
from playbooks.case.vault_offering import offer
from playbooks.case.vault_reach import reach
from playbooks.case.vault_relogin import prove_login
from playbooks.case.vault_sts import deny_again
from playbooks.case.vault_sweeping import answer_first, look, sweep
from playbooks.case.vault_taking import everything, new_halves, no_longer, pending, remaining


async def cut_off(case: Case) -> None:
    """Let nobody log in by it any more, and its tokens do nothing: both can be taken back.

    Of a whole Vault nothing is shut by itself: that would hit everybody.
    """
    who = await login(case)
    if who is not None and who.entity:
        await case.in_turn(
            case.act(BlockLogin(who.vault, who.mount, who.name, who.kind)),
            case.act(DisableEntity(who.vault, who.entity)),
        )
    elif who is not None:
        await case.act(BlockLogin(who.vault, who.mount, who.name, who.kind))


@play(reflex=cut_off)
async def compromised_vault(case: Case) -> None:
    """A Vault, or one login to it, is in somebody else's hands.

    One login is blocked and its identity disabled at once. What destroys is one question: secret
    ids, tokens and leases end, and what the login could have had is made anew. Before any of it
    one login must work, or nobody would come back. What was left in the Vault is another question,
    and looked for until nothing is new; sessions in AWS are denied there.
    """
    await case.tell(case.stakeholders, "opened")
    await case.together(case.keep(look(case), again="round 0"), cut_off(case))
    await audit_log(case)
    await hunt(case)
    taken, _ = await case.together(take(case), answer_first(case))
    how = "contained" if case.contained else "not contained"
    await case.tell(case.stakeholders, how, residual=case.residual)
    await case.seal("interim")
    await audit_log_later(case)
    await sweep(case)
    await offer(case, taken)
    await offer_seal(case, taken)


async def take(case: Case) -> list[object]:
    """Take away and make anew what the login could have had, once a person saw what that is."""
    who = await login(case)
    found = await reach(case, who)
    acts = await everything(case, who, found)
    remaining(case, who, found)
    pending(case, acts)
    yes = await ask_all(case, "take", acts)
    if not yes and yes.question:
        return []  # A person said no, or nobody said anything: it stays on the list.
    taken: list[object] = []
    if yes:
        await prove_login(case)
        taken += [await case.act(one, yes) for one in fit(case, acts)]
        new_halves(case, who)
        await deny_again(case, who, found)
    no_longer(case)
    return taken
