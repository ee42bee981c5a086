"""Takes the copies of a host's disks out of the attacker's reach: other key, other account, lock.

AWS copies a snapshot only once it is complete, which takes minutes or hours. Nothing waits for it:
the play is entered again, later each time, until it is.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from actions.aws.copy_snapshot import CopySnapshot
from actions.aws.instance import Instance
from actions.aws.lock_snapshot import LockSnapshot
from actions.aws.lock_snapshot_for_good import LockSnapshotForGood
from actions.aws.share_snapshot import ShareSnapshot
from actions.aws.snapshot import Snapshot
from evidence.sources.snapshot_blocks import SnapshotBlocks
from evidence.sources.snapshot_facts import SnapshotFacts
from playbooks.case import store
from playbooks.case.answers import Done, Failed
from playbooks.case.points import open_point

if TYPE_CHECKING:
    from playbooks.case.case import Case

# When it is looked again whether a copy is complete; after the last, AWS's own no is recorded.
LOOKS = tuple(timedelta(minutes=m) for m in (10, 60, 360, 1440))


async def preserve(case: "Case", host: Instance, disks: Done | Failed) -> None:
    """Copy, share, copy again and lock each snapshot, as far as the settings say."""
    terms = case.parts.settings.forensics
    if not (terms.keys or terms.account or terms.lock or terms.blocks):
        return
    made = disks.ids("snapshots")
    shots = [Snapshot(host.account, host.region, host.instance_id, one) for one in made]
    await case.together(*(_one(case, shot) for shot in shots))


async def _one(case: "Case", shot: Snapshot) -> None:
    terms, last = case.parts.settings.forensics, shot
    if terms.blocks or terms.keys or terms.account:
        if not await _complete(case, shot):
            return
        if terms.blocks:
            blocks = SnapshotBlocks(shot.snapshot_id, shot.account, shot.region)
            await case.keep(blocks, again=shot.snapshot_id)
    if key := terms.keys.get(shot.region):
        made = await _copied(case, shot, shot.account, key)
        if made is None:
            return
        last = made
    if terms.account is not None and shot.region not in terms.account_keys:
        text = f"to do: copy {last.snapshot_id} to {terms.account}: account_keys has no key there"
        open_point(case, f"forensic/{shot.snapshot_id}", f"{text} for {shot.region}")
    elif terms.account is not None:
        if last is not shot and not await _complete(case, last):
            return
        await case.act(ShareSnapshot(last, terms.account), again=last.snapshot_id)
        made = await _copied(case, last, terms.account, terms.account_keys[shot.region])
        if made is None:
            return
        last = made
    await _lock(case, last)


async def _copied(case: "Case", shot: Snapshot, account: str, key: str) -> Snapshot | None:
    done = await case.act(CopySnapshot(shot, account, key), again=shot.snapshot_id)
    made = done.ids("copies")
    if not made:
        return None
    await case.keep(SnapshotFacts(made, account, shot.region), again=made[0])
    return Snapshot(account, shot.region, shot.host_id, made[0])


async def _lock(case: "Case", shot: Snapshot) -> None:
    terms = case.parts.settings.forensics.lock
    if terms is None:
        return
    if terms.mode == "governance":
        await case.act(LockSnapshot(shot, terms.days), again=shot.snapshot_id)
        return
    # Until somebody says yes, the lock that can be taken off holds.
    await case.act(LockSnapshot(shot, terms.days), again=shot.snapshot_id)
    good = LockSnapshotForGood(shot, terms.days, terms.cool_off)
    if yes := await case.ask(good, again=shot.snapshot_id):
        await case.act(good, yes, again=shot.snapshot_id)


async def _complete(case: "Case", shot: Snapshot) -> bool:
    """Return whether AWS has completed a snapshot; else note when it is looked again."""
    if case.dry:
        return True
    step = f"complete/{shot.snapshot_id}"
    if case.store.read(lambda conn: store.kept(conn, case.incident.id, step)) is not None:
        return True
    if await case.call(lambda: _state(case, shot) == "completed"):
        case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, step, {}))
        return True
    return all(case.due(after, f"disks are copied, after {after}") for after in LOOKS)


def _state(case: "Case", shot: Snapshot) -> str:
    ec2 = case.parts.reading(shot.account, shot.region).ec2
    try:
        found = ec2.describe_snapshots(SnapshotIds=[shot.snapshot_id])["Snapshots"]
    except (ClientError, BotoCoreError):
        # What cannot be looked at is not complete; the act itself says what is wrong with it.
        return ""
    return str(found[0]["State"]) if found else ""
