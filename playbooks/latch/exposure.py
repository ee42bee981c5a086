"""Whether an attacker may win the race against a deny in an account, and why. Pure."""

from playbooks.wiring.latch_part import Latch

RACE_EXPOSED = "race-exposed"


def exposure(part: Latch | None, account: str) -> str:
    """Return why the account is race-exposed, for the incident to say; empty where a latch binds.

    IAM is eventually consistent: whoever may take a denial off again can do so while it does not
    bind yet. That the latch is attached is `stanch latch check`'s to say, not the settings'.
    """
    if part is None:
        why = "there is no latch: no organisation is named in [latch]"
    elif account == part.management:
        why = "it is the management account, which no service control policy binds"
    elif part.policy is None:
        why = "the latch is planned only: [latch] has no policy"
    else:
        return ""
    return (
        f"{RACE_EXPOSED}: account {account}: {why}. Whoever is denied may take the denial off "
        "before it binds"
    )
