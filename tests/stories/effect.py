"""What containment left in the world and in the journal, without ids that differ by chance."""

from collections import Counter
from typing import Any

from evidence import ledger
from playbooks.case import store
from playbooks.case.store import Store
from playbooks.drills import host
from playbooks.wiring.parts import Parts
from tests.deployment import Deployment


def effect(deployment: Deployment, parts: Parts, incident: str) -> dict[str, Any]:
    """Return world and journal after an entry: one effect, none unrecorded, provable."""
    clients = deployment.maker("", deployment.world.region)
    estate = deployment.estate
    ec2 = clients("ec2")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    named = {g["GroupId"]: g["GroupName"] for g in groups}
    told = host.describe(clients, estate)
    for nic in estate.interfaces:
        told[nic] = [named[g] for g in told[nic]]
    nics = ec2.describe_network_interfaces(NetworkInterfaceIds=list(estate.interfaces))
    told["tracking"] = [n.get("ConnectionTrackingConfiguration") for n in nics["NetworkInterfaces"]]
    told["open to all"] = sorted(
        named[g["GroupId"]]
        for n in nics["NetworkInterfaces"]
        for g in n["Groups"]
        if any(
            rule.get("IpProtocol") == "-1" and rule.get("IpRanges")
            for group in groups
            if group["GroupId"] == g["GroupId"]
            for rule in group["IpPermissions"]
        )
    )
    marked = [
        {t["Key"]: t["Value"] for t in s.get("Tags", [])}.get("stanch:mark")
        for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    ]
    told["snapshots"] = dict(Counter(m for m in marked if m))
    told["commands"] = len(deployment.world.ground.kept.commands)
    return {"world": told, "journal": journal(parts, incident)}


def journal(parts: Parts, incident: str) -> dict[str, Any]:
    """Return the steps and how often the ledger has each; raises when the ledger is broken."""
    db = Store(parts.engine)
    steps = [i for i, _ in db.read(lambda conn: store.steps(conn, incident))]
    entries = db.read(lambda conn: list(ledger.entries(conn, incident)))
    db.read(ledger.replay)
    counted = Counter(
        (e.leaf.kind, e.body["step"]) for e in entries if e.leaf.kind.startswith("action.")
    )
    return {
        "steps": {i.step: [i.phase, i.verdict] for i in steps},
        "ledger": sorted([*kind, n] for kind, n in counted.items()),
        "unindexed": sum(e.index is None for e in entries),
    }
