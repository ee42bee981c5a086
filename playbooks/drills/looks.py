"""What a referee sees of a host from outside: with the attacker's keys, and with the owner's."""

from datetime import datetime
from typing import Any

from playbooks.drills import host
from playbooks.drills.drill import Drill
from playbooks.drills.range.keys import Credentials

# The calls that take something from an attacker: sessions, interfaces, the role itself.
TAKES = {
    "PutRolePolicy",
    "ModifyNetworkInterfaceAttribute",
    "ReplaceIamInstanceProfileAssociation",
}


def contained(drill: Drill, told: dict[str, Any], held: Credentials, which: str = "") -> None:
    """Claim that the attacker can do nothing more, and that Stanch says so honestly."""
    score = drill.score
    after, network = drill.reach(held), drill.network()
    can, passes = ([k for k, v in seen.items() if v] for seen in (after, network))
    score.claim(f"the stolen credentials do nothing{which}", [], can)
    score.claim(f"the network lets nothing through{which}", [], passes)
    if not which:
        drill.seen |= {"attacker after": after, "network after": network}
    steps = told.get("steps", [])
    unsure = [s["step"] for s in steps if s["verdict"] != "verified"] if steps else ["none done"]
    score.claim(f"every step is verified{which}", [], unsure)
    status = "contained, live flows possible"
    score.claim(f"status is honest{which}", status, told.get("status"))


def kept(drill: Drill, incident: str, since: datetime) -> None:
    """Claim that the host lives on as evidence: protected, apart, its disks copied."""
    ec2 = drill.clients("ec2")
    now = host.describe(drill.clients, drill.estate)
    protected = {
        "disableApiTermination": now["disableApiTermination"]["DisableApiTermination"]["Value"],
        "disableApiStop": now["disableApiStop"]["DisableApiStop"]["Value"],
        "volumes kept": not any(
            disk["Ebs"]["DeleteOnTermination"]
            for disk in now["blockDeviceMapping"]["BlockDeviceMappings"]
        ),
    }
    drill.score.claim("the host is protected", [], [k for k, v in protected.items() if not v])
    drill.score.claim("the host is in standby", ["Standby"], now["lifecycle"])
    drill.score.claim("nobody is sent to the host", [], now["registered"])
    copied = {
        shot["VolumeId"]
        for shot in ec2.describe_snapshots(
            Filters=[{"Name": "volume-id", "Values": list(drill.estate.volumes)}]
        )["Snapshots"]
        if shot["StartTime"] >= since.replace(microsecond=0)
    }
    drill.score.claim("every disk is copied", sorted(drill.estate.volumes), sorted(copied))
    drill.score.claim("the host bears its incident", incident, now["tags"].get("stanch:incident"))


def times(drill: Drill, told: dict[str, Any], sent: datetime, since: int, which: str) -> None:
    """Note how long the attacker still had, from the moment the alert was sent."""
    figures = drill.score.figures
    taken = [call.at for call in drill.changes(since) if call.operation in TAKES]
    if taken:
        figures[f"{which} to first denial"] = (min(taken) - sent).total_seconds()
    for step in told.get("steps", []):
        if step["step"].startswith("isolate_instance/") and step["finished"]:
            done = datetime.fromisoformat(step["finished"])
            figures[f"{which} to contained"] = (done - sent).total_seconds()
    known = {f"{which} to first denial", f"{which} to contained"}
    drill.score.claim(f"the times are known, {which}", sorted(known), sorted(known & {*figures}))
