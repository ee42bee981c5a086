"""Vaults: can Stanch log in there, as whom, and is there anything to compare an incident with."""

from collections.abc import Iterator

from playbooks.case.vault_known import path_of
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place
from playbooks.wiring.vaults import Vaults


def vault(place: Place, name: str) -> Iterator[Finding]:
    """Say whether the Vault takes Stanch's login, as whom, and whether it has a baseline."""
    check = f"vault {name}"
    client = Vaults(place.settings, place.now).client(name)
    policies = sorted(client.auth.token.lookup_self()["data"]["policies"])
    if "root" in policies:
        yield bad(
            check,
            "Stanch's token is a root token: it may do everything, and cannot be told from a thief",
            f"Give it a login of its own, with what `stanch vault permissions {name}` prints.",
        )
    else:
        yield ok(check, f"logged in, with the policies {', '.join(policies)}")
    if path_of(place.settings, name).is_file():
        yield ok(f"baseline of {name}", "kept: what is new can be told from what was always there")
    else:
        yield warn(
            f"baseline of {name}",
            "none: a sweep cannot tell what an attacker left from what was always there",
            f"Run `stanch vault baseline {name}` now, and after each change that you make.",
        )


def latch(place: Place) -> Iterator[Finding]:
    """Say whether denials can be made from above the accounts."""
    if not place.settings.accounts:
        return
    if place.settings.latch is None:
        yield warn(
            "latch",
            "none: whoever is denied in IAM may take the denial off before it binds",
            "If you have an organisation: stanch latch plan (docs/operations/latch.md).",
        )
    elif place.settings.latch.policy is None:
        yield warn("latch", "planned, and not made", "Make what `stanch latch plan` prints.")
    else:
        yield ok("latch", "named in the settings; `stanch latch check` tries it")
