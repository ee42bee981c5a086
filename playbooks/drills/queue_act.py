"""Act 1: a finding comes through the queue, is answered, proven, and undone as a false positive."""

from pathlib import Path
from typing import Any

from playbooks.drills import asking, host, looks
from playbooks.drills.asking import answered
from playbooks.drills.drill import COMMAND_AND_CONTROL, Drill
from playbooks.drills.range.injectors import CallBack
from playbooks.drills.scenario import finding

SENT = "queue"


def play(drill: Drill, out: Path) -> None:
    """Run the act and score every claim; leaves bundle and trust in `out`."""
    score, target = drill.score, drill.estate.target
    before = drill.seen["host before"] = host.describe(drill.clients, drill.estate)
    held = drill.world.instance_credentials(target)
    drill.seen["attacker before"] = drill.reach(held)
    drill.seen["network before"] = drill.network()
    # An outbound shell that stands already: tracked, for the way back is not open to all.
    shell = drill.world.open_flow(target, COMMAND_AND_CONTROL, 443)
    score.claim("a reverse shell stands before", True, shell.send())
    shut = [k for k, v in drill.seen["attacker before"].items() if not v]
    score.claim("the attacker gets in before", [], shut)
    event = finding(drill.world, drill.estate)
    incident = contain(drill, event)
    looks.contained(drill, drill.told, held)
    first = (drill.told.get("residual") or [""])[0]
    score.claim("residual names tracked flows first", True, "tracked flows" in first)
    sibling = drill.reach(drill.world.instance_credentials(drill.estate.sibling))
    drill.seen["sibling"] = sibling
    score.claim("the sibling still works", [], [k for k, v in sibling.items() if not v])
    drill.seen["shell after"] = shell.send()
    score.claim("an established flow outlives isolation, as said", True, shell.alive())
    again(drill, event)
    drill.tick(300)
    score.claim("and is gone once idle", False, shell.alive())
    survives(drill)
    prove(drill, out)
    undo(drill, incident, before)


def contain(drill: Drill, event: dict[str, Any]) -> str:
    """Put the finding into the queue, and look from outside at what that did."""
    score, since, sent = drill.score, len(drill.world.calls), drill.world.now()
    durable: list[bool] = []

    def look() -> None:
        durable.append(bool(drill.watch.findings()))

    for operation in ("DeleteMessage", "DeleteMessageBatch"):
        drill.world.inject(CallBack(look), operation)
    drill.world.deliver(event, drill.estate.queue.arn, drill.estate.queue.rule)
    incident = drill.opened(1)
    drill.told = drill.run("show", incident or "INC-0001", "--json").json
    score.claim("one incident is open", 1, len(drill.watch.incidents()))
    score.claim("the finding is durable before its message goes", [True], durable)
    looks.times(drill, drill.told, sent, since, SENT)
    looks.kept(drill, incident, sent)
    return incident


def again(drill: Drill, event: dict[str, Any]) -> None:
    """Deliver the same finding once more, as SQS may (at-least-once delivery)."""
    since = len(drill.world.calls)
    drill.world.deliver(event, drill.estate.queue.arn, drill.estate.queue.rule)
    taken = drill.waited(lambda: _waiting(drill) == 0)
    drill.rests()
    done = [call.operation for call in drill.changes(since)]
    seen = (taken, len(drill.watch.findings()), len(drill.watch.incidents()), done)
    drill.score.claim("the same message again starts nothing", (True, 1, 1, []), seen)


def _waiting(drill: Drill) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = drill.clients("sqs").get_queue_attributes(
        QueueUrl=drill.estate.queue.url, AttributeNames=names
    )
    return sum(int(told["Attributes"][name]) for name in names)


def survives(drill: Drill) -> None:
    """See that the scaling group, which checks health, has not ended the evidence."""
    state = drill.clients("ec2").describe_instances(InstanceIds=[drill.estate.target])
    alive = state["Reservations"][0]["Instances"][0]["State"]["Name"]
    drill.score.claim("the scaling group did not end the host", "running", alive)


def prove(drill: Drill, out: Path) -> None:
    """See that evidence was kept; then as in every scenario."""
    collected = drill.told.get("evidence", [])
    missed = [one["name"] for each in collected for one in each["missed"]]
    kept = any(each["artifacts"] for each in collected)
    drill.score.claim("evidence was kept and none missed", [True, []], [kept, missed])
    names = [one["name"] for each in collected for one in each["artifacts"]]
    told = "volatile_state.content" in names
    drill.score.claim("the host told its volatile state before it was cut off", True, told)
    asking.prove(drill, drill.told.get("id", ""), out)


def undo(drill: Drill, incident: str, before: dict[str, Any]) -> None:
    """Roll back as a false positive: one asks, another approves, the host is as it was."""
    score = drill.score
    done = answered(drill, incident, "rollback", "false positive")
    score.claim("the rollback ends well", 0, done.status)
    if done.status != 0:
        drill.seen["rollback"] = done.out + done.err
    after = drill.seen["host after"] = host.describe(drill.clients, drill.estate)
    score.claim("the host is exactly as it was", before, after)
