"""From a decision on a Vault's row to the act that carries it out."""

from collections.abc import Sequence

from actions.vault.block_login import BlockLogin
from actions.vault.disable_entity import DisableEntity
from actions.vault.remove_policy import RemovePolicy
from actions.vault.revoke_tokens import RevokeTokens
from playbooks.case.store.reviews import ReviewRow
from playbooks.review.act import Act


def revoking(row: ReviewRow) -> Act:
    """Return what takes away an entity, a policy or a login, with a way back."""
    vault, _, kind, name = row.principal.split("/", 3)
    action: DisableEntity | RemovePolicy | BlockLogin
    if kind == "entity":
        action = DisableEntity(vault, name)
    elif kind == "policy":
        action = RemovePolicy(vault, name)
    else:
        mount = str(row.about["mount"])
        login = name.removeprefix(f"{mount}/")
        action = BlockLogin(vault, mount, login, str(row.about["method"]))
    return Act(action, (row.id,))


def revoking_tokens(rows: Sequence[ReviewRow]) -> Act:
    """Return what revokes all these tokens of one Vault; they do not come back."""
    vault = rows[0].principal.partition("/")[0]
    accessors = tuple(row.principal.split("/", 3)[3] for row in rows)
    return Act(RevokeTokens(vault, accessors), tuple(row.id for row in rows))
