"""Takes findings from an SQS queue that EventBridge fills; a message goes once it is durable."""

import logging
import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from playbooks.intake.accepted import Accept, Accepted, Arrival, Came, Reject
from playbooks.intake.alert import Alert
from playbooks.intake.errors import IntakeError
from playbooks.intake.event import read_event
from playbooks.intake.settle import read_or_reject, take_in

log = logging.getLogger("stanch.intake")

# The most that SQS waits is 20 s ("ReceiveMessage"). The clients' read timeout is 20 s too, and an
# answer lost to it would hide its messages for as long as the queue's visibility timeout.
WAIT: Final = 15
BATCH: Final = 10
LONGEST_PAUSE: Final = 60.0
PERMISSIONS: Final = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")


@dataclass(frozen=True, slots=True)
class Polled:
    """How polling goes. `failures` counts rounds in a row; `error` is the last one's kind."""

    queue: str
    succeeded: datetime | None = None
    accepted: int = 0
    rejected: int = 0
    failures: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Pull:
    """One queue: its name, URL and account, and what is done with what it holds.

    `connect` returns the account's SQS client; it may raise, and is asked again each round.
    """

    name: str
    url: str
    account: str
    accounts: Container[str]
    connect: Callable[[], Any]
    accept: Accept
    reject: Reject
    now: Callable[[], datetime]
    wait: int = WAIT


class Poller:
    """Polls one queue from one thread until told to stop; `state` may be read from any."""

    def __init__(self, pull: Pull) -> None:
        self._pull = pull
        self.state = Polled(pull.name)

    def run(self, stop: threading.Event) -> None:
        """Poll until `stop` is set. What fails is tried again, after a pause that grows."""
        while not stop.is_set():
            try:
                self.round()
            except Exception as error:
                # AWS, its credentials or the database: whatever it is, the messages stay in the
                # queue, and a thread that ended would never fetch them.
                failures, kind = self.state.failures + 1, type(error).__name__
                self.state = replace(self.state, failures=failures, error=kind)
                log.warning("queue %s: %s; trying again", self._pull.name, kind)
                stop.wait(min(LONGEST_PAUSE, 0.5 * 2 ** min(failures, 8)))

    def round(self) -> int:
        """Receive once, take in or reject what came, delete that, and return how many came.

        Raises what the client raises, or the first of what kept a message from being recorded;
        such a message comes again after the queue's visibility timeout.
        """
        pull = self._pull
        client = pull.connect()
        messages = client.receive_message(
            QueueUrl=pull.url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=pull.wait
        ).get("Messages", [])
        read = [_read(pull, message["Body"]) for message in messages]
        results = take_in(pull.accept, read)
        done = [m for m, r in zip(messages, results, strict=True) if _recorded(r)]
        if done:
            client.delete_message_batch(QueueUrl=pull.url, Entries=_entries(done))
        accepted = sum(isinstance(r, Accepted) for r in results)
        self.state = replace(
            self.state,
            accepted=self.state.accepted + accepted,
            rejected=self.state.rejected + len(done) - accepted,
        )
        if failed := [r for r in results if isinstance(r, Exception) and not _recorded(r)]:
            raise failed[0]
        self.state = replace(self.state, succeeded=pull.now(), failures=0, error="")
        return len(messages)


def _read(pull: Pull, body: str) -> Arrival | Exception:
    data = body.encode("utf-8", "surrogatepass")

    def read() -> Alert:
        return read_event(data, received=pull.now(), here=pull.account, accounts=pull.accounts)

    return read_or_reject(read, data, Came(f"queue:{pull.name}"), pull.reject)


def _recorded(result: Accepted | Exception) -> bool:
    # What is refused for what it holds has been recorded as that, and comes no better again.
    return isinstance(result, Accepted | IntakeError)


def _entries(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [
        {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]}
        for i, message in enumerate(messages)
    ]
