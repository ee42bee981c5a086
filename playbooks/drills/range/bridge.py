"""EventBridge puts an event into a queue: as a service, with what the queue's policy lets it do.

EventBridge: Use resource-based policies, Amazon SQS: the queue's policy names the principal
events.amazonaws.com, with the rule's ARN in aws:SourceArn.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.keys import Principal
from playbooks.drills.range.policy import Policies, Request, Verdict
from playbooks.drills.range.resource_policies import allowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.ground import Ground

EVENTS = "events.amazonaws.com"


def deliver(ground: Ground, event: Mapping[str, Any], queue: str, rule: str) -> str:
    """Send `event` to the queue for the rule (ARNs); returns the message's id.

    Raises AwsError AccessDenied where the queue's policy does not let the rule send.
    """
    service = Principal("service", "", EVENTS, EVENTS, EVENTS)
    context = {
        "aws:sourcearn": (rule,),
        "aws:sourceaccount": (rule.split(":")[4],),
        "aws:principalservicename": (EVENTS,),
        "aws:principalisawsservice": ("true",),
        "aws:securetransport": ("true",),
    }
    request = Request("sqs:SendMessage", queue, context)
    if allowed(ground, request, Policies(), service, {EVENTS}) is not Verdict.ALLOW:
        raise AwsError("AccessDenied", f"{EVENTS} may not send to {queue} for {rule}", 403)
    _, _, _, region, account, name = queue.split(":", 5)
    sent: dict[str, Any] = ground.perform(
        "sqs",
        "SendMessage",
        {"QueueUrl": name, "MessageBody": json.dumps(event)},
        region,
        account,
    )
    return str(sent["MessageId"])
