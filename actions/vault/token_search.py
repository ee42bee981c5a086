"""Which tokens there are, and which of them somebody may have left behind."""

from collections.abc import Iterator
from typing import Any

from hvac import exceptions

from actions.vault.clients import Vault
from actions.vault.policy import may

# Vault API docs, "Token auth method": "List accessors" (needs sudo), "Lookup a token (Accessor)".
SEARCHING = (
    *may("auth/token/accessors", "list", "sudo"),
    *may("auth/token/lookup-accessor", "update"),
)


def accessors(p: Vault) -> list[str]:
    """Return the accessor of every service token; batch tokens have none."""
    return p.names("auth/token/accessors")


def tokens(p: Vault) -> Iterator[dict[str, Any]]:
    """Yield what Vault tells of every service token, one lookup each; not the token itself."""
    for accessor in accessors(p):
        try:
            yield dict(p.client.auth.token.lookup_accessor(accessor)["data"])
        except (exceptions.InvalidRequest, exceptions.Forbidden, exceptions.InvalidPath):
            # It ended since it was listed, unless it is refused to us: then it is still listed.
            if accessor in accessors(p):
                raise


def left_behind(token: dict[str, Any]) -> bool:
    """Return whether a token outlives the one that made it: an orphan that is no login."""
    return bool(token["orphan"]) and str(token["path"]).startswith("auth/token/create")
