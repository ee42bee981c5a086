"""What a storm of alerts is: who is told of what at which time, half of it for the second time."""

import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

SENDER = "bench"
INCIDENTS = 20
# A copy comes within so many seconds of the finding that it repeats.
SOON = 5.0


@dataclass(frozen=True, slots=True)
class Storm:
    """`name` makes its findings other ones than those of another storm."""

    name: str
    rate: float
    seconds: float
    key: str
    incidents: int = INCIDENTS


@dataclass(frozen=True, slots=True)
class Letter:
    """One request: when it is to be sent (seconds from the start), its finding, its bytes."""

    at: float
    uid: str
    data: bytes


def letters(storm: Storm, start: float) -> Iterator[Letter]:
    """Yield the storm's requests in order; `start` is its Unix time. The same for the same name."""
    rng = random.Random(storm.name)
    recent: list[tuple[float, int]] = []
    copies: dict[int, int] = {}
    signing = hmac.new(storm.key.encode(), digestmod=hashlib.sha256)
    for slot in range(int(storm.rate * storm.seconds)):
        at = slot / storm.rate
        if slot % 2 == 0:
            number = slot // 2
            recent.append((at, number))
        else:
            while recent[0][0] < at - SOON:
                recent.pop(0)
            number = rng.choice(recent)[1]
            copies[number] = copies.get(number, 0) + 1
        body = finding(storm, number, start)
        # Signed at another second than the copies before it, or it would be a replay of one.
        stamp = int(start + at) + copies.get(number, 0)
        made = signing.copy()
        made.update(f"{stamp}.".encode() + body)
        yield Letter(at, uid(storm, number), _request(stamp, made.hexdigest(), body))


def uid(storm: Storm, number: int) -> str:
    return f"{storm.name}-{number}"


def finding(storm: Storm, number: int, start: float) -> bytes:
    """Return the finding in our form; all findings of a storm are about `incidents` hosts."""
    seen = datetime.fromtimestamp(int(start), UTC).isoformat().replace("+00:00", "Z")
    host = hashlib.sha256(f"{storm.name} {number % storm.incidents}".encode()).hexdigest()[:17]
    told = {
        "uid": uid(storm, number),
        "type": "EDR:Malware/Beacon",
        "title": "A process on the host talks to a command and control server",
        "severity": 8.0,
        "account": "111122223333",
        "region": "eu-west-1",
        "resource": {"kind": "instance", "uid": f"i-{host}"},
        "first_seen": seen,
        "last_seen": seen,
        "count": 1,
        "remote_ips": ["203.0.113.77"],
    }
    return json.dumps(told).encode()


def _request(stamp: int, signature: str, body: bytes) -> bytes:
    head = (
        "POST /intake/generic HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nStanch-Source: {SENDER}\r\nStanch-Timestamp: {stamp}\r\n"
        f"Stanch-Signature: v1={signature}\r\n\r\n"
    )
    return head.encode() + body
