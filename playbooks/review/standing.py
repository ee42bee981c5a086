"""How the principals of a campaign stand now, in an account or in a Vault."""

from collections.abc import Sequence

from actions.aws.principal import GLOBAL
from playbooks.case.store.reviews import Review, ReviewRow
from playbooks.review.live import Live, live
from playbooks.review.vault_rows import live_vault
from playbooks.wiring.parts import Parts


def standing(parts: Parts, review: Review, rows: Sequence[ReviewRow]) -> Live:
    """Return how the principals of these rows stand, and which rows are stale. Raises what AWS or
    the Vault said."""
    if vault := review.scope.get("vault"):
        return live_vault(parts.vault(vault), list(rows), parts.settings.review.owner_tag)
    return live(parts.aws(review.scope["account"], GLOBAL), rows)
