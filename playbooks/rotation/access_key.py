"""Rotates a user's access key: a second one is made, read, and only then the first goes."""

from datetime import timedelta
from typing import TYPE_CHECKING

from actions.aws.access_keys import SLOTS
from actions.aws.create_access_key import CreateAccessKey
from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.delete_access_key import DeleteAccessKey
from actions.aws.move_secret_stages import MoveSecretStages
from actions.aws.principal import Principal
from actions.aws.secret import Secret
from evidence.sources.access_key_use import KeyUse
from playbooks.case import points
from playbooks.rotation import standing
from playbooks.rotation.leaving import may_go
from playbooks.rotation.order import Credential

if TYPE_CHECKING:
    from playbooks.case.answers import Kept
    from playbooks.case.case import Case


async def renew(case: "Case", one: Credential) -> bool:
    """Put a new key where the consumers read, and turn the old off once it may go.

    Returns False where something in between was not done; the incident then says what.
    """
    user = user_of(one)
    kept, found = await standing.use(case, user, "before")
    spare = spare_of(found)
    if spare and not await _deleted(case, user, spare, kept):
        points.open_point(case, f"rotation/{one.name}", _both(user, spare))
        return False
    old = tuple(use.key for use in found if use is not spare)
    # The act is on the user, and writes where its key is kept as well: a freeze there binds too.
    case.gate.watch(one.stored.partition("/")[0])
    made = await case.act(CreateAccessKey(user, one.stored, old))
    new, version = standing.told(made, "key"), standing.told(made, "version")
    if not made or not await _current(case, one, version):
        return False
    standing.since(case, f"rotation/{one.name}/current")

    async def look(why: str) -> tuple[KeyUse, ...]:
        return (await standing.use(case, user, f"{one.name}, {why}"))[1]

    if any(use.active for use in found if use is not spare):
        why = await may_go(case, one, new, look)
        uses = [str(use) for use in found if use is not spare]
        facts = {"old": uses, "why": why, "breaks": _breaks(one, why)}
        await case.tell(case.stakeholders, f"old key of {one.name} goes", **facts)
        if not await case.act(DeactivateAccessKeys(user, old)):
            return False
    standing.since(case, f"rotation/{one.name}/off")
    _kept_long_enough(case, one)
    return True


async def clear(case: "Case", one: Credential) -> None:
    """Ask for the old keys' deletion once they have been off for long enough."""
    if not _kept_long_enough(case, one):
        return
    user = user_of(one)
    _, found = await standing.use(case, user, "before")
    spare = spare_of(found)
    kept, _ = await standing.use(case, user, f"{one.name}, off")
    for use in found:
        if use is not spare:
            await _deleted(case, user, use, kept)
    points.shut_point(case, f"rotation/{one.name}")


def _kept_long_enough(case: "Case", one: Credential) -> bool:
    kept = timedelta(hours=case.parts.settings.rotation.keep_hours)
    if standing.passed(case, f"rotation/{one.name}/off", kept):
        return True
    text = f"the old access key of {one.name} is off, and kept {kept} before it may be deleted"
    points.open_point(case, f"rotation/{one.name}", text)
    return False


def user_of(one: Credential) -> Principal:
    """Return the user whose key it is."""
    account, _, rest = one.target.split("/", 2)
    return Principal(account, "user", rest.partition("/")[2])


def spare_of(found: tuple[KeyUse, ...]) -> KeyUse | None:
    """Return which key has to make room, or None where there is a free slot. Pure.

    One that is off goes before one that works, then one that was used never or longest ago.
    """
    if len(found) < SLOTS:
        return None
    return min(found, key=lambda use: (use.active, use.used, use.made))


async def _deleted(case: "Case", user: Principal, use: KeyUse, kept: "Kept") -> bool:
    action = DeleteAccessKey(user, use.key)
    yes = await case.ask(action, about=kept)
    if not yes and not case.dry:
        return False
    return bool(await case.act(action, yes))


async def _current(case: "Case", one: Credential, version: str) -> bool:
    """Let consumers read the new key; in a Vault they do already."""
    place, region, rest = one.stored.split("/", 2)
    if region == "vault":
        return True
    secret = Secret(place, region, rest.partition("/")[2])
    return bool(await case.act(MoveSecretStages(secret, version)))


def _both(user: Principal, spare: KeyUse) -> str:
    return (
        f"user {user.name} has two access keys, the most that IAM allows, and {spare} was not to "
        "be deleted: no third one can be made. Delete one by hand, then: stanch resume"
    )


def _breaks(one: Credential, why: str) -> list[str]:
    if why == "no longer used":
        return []
    return list(one.consumers) or ["whoever still uses it; nobody is declared"]
