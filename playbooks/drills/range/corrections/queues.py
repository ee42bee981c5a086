"""A queue's messages follow the world's clock, and waiting for one holds nobody else up.

SQS: Short and long polling: a ReceiveMessage waits up to WaitTimeSeconds for the first message;
SQS: Visibility timeout: a received message is hidden until its timeout has passed, then seen
again with ApproximateReceiveCount one higher; SQS: Dead-letter queues: received maxReceiveCount
times without being deleted, it is moved. moto measures by the machine's clock, hides a message
for a moment even with a timeout of nought, and sleeps within the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.sqs import models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def receive(_ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """ReceiveMessage without the waiting, which is the front's (front.py)."""
    return onward({**asked.params, "WaitTimeSeconds": 0})


def patience(asked: Asked, account: str) -> float:
    """How many seconds a request may wait for a message; 0 for all but a long poll."""
    if asked.service != "sqs" or asked.operation != "ReceiveMessage":
        return 0.0
    given = asked.params.get("WaitTimeSeconds")
    if given is None:
        name = str(asked.params.get("QueueUrl", "")).rpartition("/")[2]
        queue: Any = models.sqs_backends[account][asked.region].queues.get(name)
        given = queue.receive_message_wait_time_seconds if queue else 0
    return float(min(given, 20))


def mend(ground: Ground) -> None:
    """Give moto's queues this world's clock; a timeout that ends now has ended."""
    patched: Any = models
    patched.unix_time = ground.seconds
    patched.unix_time_millis = lambda: ground.seconds() * 1000
    message: Any = models.Message
    message.visible = property(lambda self: ground.seconds() * 1000 >= self.visible_at)


CORRECTIONS: Corrections = {("sqs", "ReceiveMessage"): receive}
