"""The scenario's queue: EventBridge puts GuardDuty's findings in, the responder takes them out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.bridge import EVENTS

if TYPE_CHECKING:
    from playbooks.drills.range.world import World

QUEUE = "stanch-findings"
# Received so often without being deleted, a message is moved to the dead-letter queue.
TRIES = 5


@dataclass(frozen=True, slots=True)
class EstateQueue:
    """The queue's URL and ARN, its dead-letter queue's ARN, and the rule that sends to it."""

    url: str
    arn: str
    dead_letters: str
    rule: str


def make_queue(world: World) -> EstateQueue:
    """Make the queue and its dead-letter queue; nobody but the rule may send to it."""
    sqs: Any = world.client("sqs", world.admin)
    arn = f"arn:aws:sqs:{world.region}:{world.account}:{QUEUE}"
    dead = f"{arn}-dead"
    rule = f"arn:aws:events:{world.region}:{world.account}:rule/guardduty-to-stanch"
    sqs.create_queue(QueueName=f"{QUEUE}-dead", Attributes={"MessageRetentionPeriod": "1209600"})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": EVENTS},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    url = sqs.create_queue(
        QueueName=QUEUE,
        Attributes={
            "VisibilityTimeout": "30",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": TRIES}),
            "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        },
    )["QueueUrl"]
    return EstateQueue(url, arn, dead, rule)
