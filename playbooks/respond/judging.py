"""What an alert means for this deployment, and every reason why nothing may happen by itself."""

from playbooks.case import guard
from playbooks.intake.alert import Alert
from playbooks.intake.automatic import AutomaticPolicy, hindrances
from playbooks.intake.known_types import known_types
from playbooks.intake.meaning import Meaning, meaning
from playbooks.respond.aims import ACTS_ON, aim, fitting
from playbooks.wiring.settings import Settings


def policy(settings: Settings) -> AutomaticPolicy:
    """Return what the team lets happen by itself; nothing set means the cautious default."""
    automatic = settings.automatic
    if automatic is None:
        return AutomaticPolicy()
    return AutomaticPolicy(frozenset(automatic.types), automatic.severity_floor)


def judge(
    alert: Alert, settings: Settings, own: frozenset[str] = frozenset()
) -> tuple[Meaning, tuple[str, ...]]:
    """Return what the alert means, and why a person must be asked; nothing where none must.

    `own` holds ids and ARNs of the role and host that Stanch runs as.
    """
    rule = alert.source.startswith("siem:")
    meant = _rule_meaning(alert, settings) if rule else meaning(alert, known_types())
    allowed = policy(settings)
    if rule and settings.automatic is None:
        # The default is made of GuardDuty's types; no sender may borrow one of their names.
        allowed = AutomaticPolicy(frozenset(), allowed.severity_floor)
    why = list(hindrances(alert, meant, allowed))
    if not fitting(meant.play, alert):
        why.append(f"there is no play for it yet ({meant.play or 'none fits'})")
    if alert.account not in settings.accounts:
        why.append(f"account {alert.account} is not in the settings")
    if hit := own_parts(alert, settings, own):
        why.append(f"{', '.join(hit)} is Stanch's own role or host; act on it by hand")
    return meant, tuple(why)


def own_parts(alert: Alert, settings: Settings, own: frozenset[str]) -> list[str]:
    """Return which of Stanch's own roles, hosts and ids the finding is about."""
    resource, account = alert.resource, alert.account
    roles = {known.role for known in settings.accounts.values() if known.role}
    keys = [f"policy/{resource.role_name}"] if resource.role_name else []
    ids = set(guard.touched(account, keys, f"{account}/{alert.region}/{resource.uid or ''}"))
    ids |= {resource.instance_id or "", f"{account}:{resource.user_name or ''}"}
    return guard.among(frozenset(ids), frozenset(settings.guard.own) | roles | own)


def _rule_meaning(alert: Alert, settings: Settings) -> Meaning:
    name = alert.source.removeprefix("siem:")
    sender = settings.sources.get(name)
    play = sender.plays.get(alert.finding_type, "").replace("-", "_") if sender else ""
    if not play:
        why = f"[sources.{name}.plays] says nothing of {alert.finding_type}: a person decides"
        return Meaning(False, "unknown", why, None, "none", ())
    kind, needs = aim(alert)["kind"], ACTS_ON.get(play, frozenset())
    if needs and kind not in needs:
        wanted = " or ".join(sorted(needs))
        why = f"{play} acts on {wanted}, not on {kind}: a person decides"
        return Meaning(True, "unknown", why, play, "none", ())
    why = f"the team says that {alert.finding_type} means {play}"
    return Meaning(True, "suspect", why, play, "none", ())
