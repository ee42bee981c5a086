"""One ACL policy of a Vault, as its text."""

from hvac import exceptions

from actions.errors import UnfitError
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may

# What reading and writing a policy needs (Vault API docs, "/sys/policies/acl").
POLICY = (
    *may("auth/token/lookup-self", "read"),
    *may("sys/policies/acl/+", "read", "update", "delete"),
)
KEY = "policy"
# Vault documentation, "Policies": root has no text, and default is never deleted.
KEPT = ("root", "default")


def read(p: Vault, name: str) -> str | None:
    """Return the policy's text, or None when there is no such policy."""
    try:
        return str(p.client.sys.read_acl_policy(name)["data"]["policy"])
    except exceptions.InvalidPath:
        return None


def write(p: Vault, name: str, text: str | None) -> None:
    """Make the policy have this text; None removes it."""
    if text is None:
        p.client.sys.delete_acl_policy(name)
    else:
        # The text itself: hvac would write a dict in its own spelling.
        p.post(f"sys/policies/acl/{name}", {"policy": text})


def must_be_theirs(p: Vault, name: str) -> None:
    """Raise UnfitError for a policy that Stanch lives by, or that Vault itself keeps."""
    if name in KEPT:
        raise UnfitError(
            f"Vault itself keeps the policy {name}, and nobody takes it away. Revoke the tokens "
            "that have it instead (revoke_tokens), or give default its text back by hand."
        )
    own(p).spare_policy(name)
