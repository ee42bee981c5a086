"""What an incident is about, from a finding or a person: its target, in the form plays take."""

import re
from collections.abc import Mapping
from typing import Final

from actions.aws.principal import GLOBAL
from playbooks.errors import SettingsError
from playbooks.intake.alert import Alert
from playbooks.intake.identifiers import PATTERNS
from playbooks.notification import subject
from playbooks.respond import plays
from playbooks.wiring.settings import Settings

# What stands for a region where a Vault is meant.
VAULT: Final = "vault"
LOGIN: Final = "login"
# What each play can act on; one that is not here takes nothing (a test compares the two).
ACTS_ON: Final[Mapping[str, frozenset[str]]] = {
    "access_review": frozenset({"account"}),
    "compromised_identity": frozenset({"user", "role", "sso"}),
    "compromised_instance": frozenset({"instance"}),
    "compromised_vault": frozenset({"vault", "login"}),
    "leaked_access_key": frozenset({"access_key", "user"}),
    "notify_regulators": frozenset({subject.KIND}),
    "rotate_credentials": frozenset({"access_key", "user", "secret", "database", "vault"}),
}
_INCIDENT: Final = re.compile(r"INC-\d{4,9}", re.ASCII)
_INSTANCE: Final = re.compile(r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?")
# IAM Identity Center API Reference, "AccountAssignment", PrincipalId.
_PERSON: Final = re.compile(
    r"(?:[0-9a-f]{10}-)?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
)
# One login of a Vault: the auth mount, which may have folders, and the role's or user's name.
_LOGIN: Final = re.compile(r"[\w.@+-]{1,128}(?:/[\w.@+-]{1,128}){1,8}", re.ASCII)
_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


def aim(alert: Alert) -> dict[str, str]:
    """Return the target that a finding names: account, region, id, kind.

    A key is its user's where the finding says whose it is. A principal is the same wherever its
    calls were made, so it stands in no region.
    """
    resource = alert.resource
    kind, id = str(resource.kind), resource.uid or ""
    if kind == "access_key" and resource.user_name and resource.user_type in (None, "IAMUser"):
        kind, id = "user", resource.user_name
    if kind in ("access_key", "user", "role") and id:
        return _principal(alert.account, kind, id)
    return {"account": alert.account, "region": alert.region, "id": id, "kind": kind}


def fitting(play: str | None, alert: Alert) -> str:
    """Return the play if there is one by that name that acts on what the finding names; else ""."""
    if play is None or play not in plays.names():
        return ""
    return play if aim(alert)["kind"] in ACTS_ON.get(play, frozenset()) else ""


def aim_by_hand(
    settings: Settings, play: str, target: str, account: str, region: str
) -> dict[str, str]:
    """Return the target that a person names, checked. Raise SettingsError with what was expected.

    `target` is an instance id, user/NAME, role/NAME, an access key id, the name of a Vault in the
    settings, NAME/MOUNT/LOGIN in it, secret/NAME and database/NAME with a region, or an incident.
    """
    kind, id = _read(settings, target)
    allowed = ACTS_ON.get(play.replace("-", "_"), frozenset())
    if kind not in allowed:
        raise SettingsError(
            f"{target!r} is {'no target' if not kind else f'one of kind {kind}'}, and {play} acts "
            f"on {' or '.join(sorted(allowed)) or 'nothing'}. Expected i- and 8 or 17 hex "
            "digits (an instance), user/NAME, role/NAME, sso/ID, AKIA... (a key), secret/NAME, "
            "database/NAME, account, the name of a Vault in the settings, or one login of it: "
            "NAME/MOUNT/LOGIN, such as prod/approle/web; or an incident: INC-0001."
        )
    if kind == subject.KIND:
        return dict(subject.target(id))
    if kind == VAULT:
        return {"account": id, "region": VAULT, "id": f"vault/{id}", "kind": kind}
    if kind == LOGIN:
        vault, _, login = id.partition("/")
        return {"account": vault, "region": VAULT, "id": f"login/{login}", "kind": kind}
    if account not in settings.accounts:
        raise SettingsError(
            f"account {account!r} is not in the settings. Give --account, one of "
            f"{', '.join(settings.accounts) or 'none so far'}."
        )
    if kind in ("access_key", "user", "role"):
        return _principal(account, kind, id)
    if kind == "account":
        return {"account": account, "region": GLOBAL, "id": f"account/{account}", "kind": kind}
    if not PATTERNS["region"].fullmatch(region):
        raise SettingsError(f"{region!r} is no region. Give --region, one such as eu-west-1.")
    id = id if kind == "instance" else f"{kind}/{id}"
    return {"account": account, "region": region, "id": id, "kind": kind}


def _principal(account: str, kind: str, name: str) -> dict[str, str]:
    return {"account": account, "region": GLOBAL, "id": f"{kind}/{name}", "kind": kind}


def _read(settings: Settings, target: str) -> tuple[str, str]:
    """Return the kind and the name of what a person wrote; no kind where it is nothing known."""
    kind, _, name = target.partition("/")
    if _INSTANCE.fullmatch(target):
        return "instance", target
    if PATTERNS["access key id"].fullmatch(target):
        return "access_key", target
    if kind in ("user", "role") and _NAME.fullmatch(name):
        return kind, name
    if kind == "sso" and _PERSON.fullmatch(name):
        return kind, name
    if kind in ("secret", "database") and PATTERNS["resource name"].fullmatch(name):
        return kind, name
    if _INCIDENT.fullmatch(target):
        return subject.KIND, target
    if target == "account":
        return "account", ""
    if kind in settings.vaults and _LOGIN.fullmatch(name):
        return LOGIN, target
    return (VAULT, target) if target in settings.vaults else ("", target)
