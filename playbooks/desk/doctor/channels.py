"""Where alerts come from: senders that sign, queues, and what could not be understood."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from playbooks.case import store
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place, lasted
from playbooks.intake.signed import LEAST_KEY
from playbooks.wiring.settings import resolve

# NIST SP 800-57 part 1, 5.3.6: a key has a cryptoperiod; a year for what signs messages.
OLD_KEY = timedelta(days=365)
# A source that says nothing for so long may have been cut off; a sample finding tells.
QUIET = timedelta(days=7)
DEEP = 1_000
# One that does not say so is taken for real, and acted on where its type may be.
SAMPLE = (
    'Send a sample that says so (GuardDuty\'s, or a body with `"sample": true`) and see it here: '
    "it is taken in, and only proposes."
)


def sender(place: Place, name: str) -> Iterator[Finding]:
    """Say whether a sender's keys can be had, are long enough and not too old."""
    check = f"source {name}"
    for number, reference in enumerate(place.settings.sources[name].keys, 1):
        key = resolve(reference, f"sources.{name}.keys")
        if len(key.encode()) < LEAST_KEY:
            yield bad(
                check,
                f"key {number} has fewer than {LEAST_KEY} bytes",
                "Make one with `openssl rand -hex 32`, for both sides.",
            )
            continue
        age = _age(place, reference)
        if age is None:
            # Where it lies in the environment nobody can tell since when.
            yield ok(check, f"key {number} can be had; its age is not known (not in a file)")
        elif age > OLD_KEY:
            yield warn(
                check,
                f"key {number} is {lasted(age)} old",
                "Add a second key on both sides, let the sender use it, then drop this one.",
            )
        else:
            yield ok(check, f"key {number} can be had, {lasted(age)} old")


def _age(place: Place, reference: str) -> timedelta | None:
    scheme, _, rest = reference.partition(":")
    if scheme != "file":
        return None
    return place.now() - datetime.fromtimestamp(Path(rest).stat().st_mtime, UTC)


def heard(place: Place) -> Iterator[Finding]:
    """Say when each channel last brought something new."""
    settings = place.settings
    channels = [f"siem:{name}" for name in settings.sources]
    channels += [f"queue:{name}" for name in settings.queues]
    last = place.store().read(store.last_received) if channels else {}
    for channel in channels:
        at = last.get(channel)
        if at is None:
            do = SAMPLE
            yield warn(channel, "nothing came from it yet", do)
        elif (age := place.now() - at) > QUIET:
            do = f"If that is unusual: {SAMPLE[0].lower()}{SAMPLE[1:]}"
            yield warn(channel, f"nothing new for {lasted(age)}", do)
        else:
            yield ok(channel, f"last event {lasted(age)} ago")


def rejected(place: Place) -> Iterator[Finding]:
    """Say what known senders sent and could not be understood."""
    db = place.store()
    counts = db.read(store.rejections)
    newest = db.read(lambda conn: store.rejected(conn, 1))
    if not newest:
        yield ok("rejected", "no message was rejected")
        return
    [one] = newest
    told = ", ".join(f"{count} from {channel}" for channel, count in sorted(counts.items()))
    yield warn(
        "rejected",
        f"{told}; the newest, {lasted(place.now() - one.at)} ago: {one.reason}",
        "Correct the sender. The table `rejected` holds the messages; none was acted on.",
    )


def queue(place: Place, name: str) -> Iterator[Finding]:
    """Say whether a queue can be read, how much waits in it, and in its dead-letter queue."""
    known, check = place.settings.queues[name], f"queue {name}"
    sqs = place.sessions().maker(known.account, known.region)("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=known.url, AttributeNames=["All"])["Attributes"]
    waits = int(attributes["ApproximateNumberOfMessages"])
    told = f"reached; {waits} messages wait, {_flight(attributes)} being taken"
    if waits > DEEP:
        yield warn(check, told, "Is `stanch serve` running, and can it keep up?")
    else:
        yield ok(check, told)
    yield _dead_letters(sqs, check, attributes)


def _flight(attributes: Mapping[str, str]) -> str:
    return attributes.get("ApproximateNumberOfMessagesNotVisible", "0")


def _dead_letters(sqs: Any, check: str, attributes: Mapping[str, str]) -> Finding:
    policy = json.loads(attributes.get("RedrivePolicy", "{}"))
    arn = str(policy.get("deadLetterTargetArn", ""))
    if not arn:
        return ok(check, "has no dead-letter queue; Stanch keeps what it cannot read itself")
    account, name = arn.split(":")[4:6]
    try:
        url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        dead = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return warn(
            check,
            f"its dead-letter queue {name} cannot be looked at ({code})",
            "Allow sqs:GetQueueUrl and sqs:GetQueueAttributes on it, or look there by hand.",
        )
    count = int(dead["ApproximateNumberOfMessages"])
    if count:
        return warn(
            check,
            f"{count} messages in its dead-letter queue {name}",
            "They were received and never deleted. Look why, then redrive them.",
        )
    return ok(check, f"its dead-letter queue {name} is empty")
