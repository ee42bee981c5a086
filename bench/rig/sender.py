"""Sends a storm on its own schedule, whatever the answers do (open loop), in a process of its own.

    python -m bench.rig.sender PORT OUT NAME RATE SECONDS < KEY

A request that finds no free connection waits here, and its time runs from when it was due. OUT
gets one JSON line a request: finding, status (0: no answer), seconds, incident. Standard output
gets one JSON object: the processor's seconds that sending took, and its longest own delay.
"""

import asyncio
import gc
import json
import resource
import sys
import time
from collections import deque
from pathlib import Path

from bench.rig.storm import Letter, Storm, letters

CONNECTIONS = 128
# Seconds that what is still unanswered is waited for at the end.
PATIENCE = 60.0


class Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, sender: "Sender") -> None:
        self._sender = sender
        self._buffer = b""
        self.letter: Letter | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def post(self, letter: Letter) -> None:
        self.letter = letter
        self._transport.write(letter.data)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._buffer = b""
            letter, self.letter = self.letter, None
            self._sender.answered(self, letter, int(head[9:12]), body)

    def connection_lost(self, _error: Exception | None) -> None:
        self._sender.gone(self)


class Sender:
    def __init__(self, plan: list[Letter]) -> None:
        self._plan = deque(plan)
        self._due: deque[Letter] = deque()
        self._free: list[Line] = []
        self._left = len(plan)
        self._lines: list[Line] = []
        self._over = asyncio.Event()
        self.told: list[tuple[str, int, float, str]] = []
        self.latest = 0.0

    async def run(self, port: int, start: float) -> None:
        """Send all; `start` is on the monotonic clock, and lies ahead."""
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, line = await loop.create_connection(lambda: Line(self), "127.0.0.1", port)
            self._lines.append(line)
        self._free = list(self._lines)
        self._start = start
        while self._plan:
            now = time.monotonic() - start
            while self._plan and self._plan[0].at <= now:
                self.latest = max(self.latest, now - self._plan[0].at)
                self._due.append(self._plan.popleft())
            self._send()
            if self._plan:
                await asyncio.sleep(max(self._plan[0].at - (time.monotonic() - start), 0.001))
        try:
            await asyncio.wait_for(self._over.wait(), PATIENCE)
        except TimeoutError:
            for line in self._lines:
                self._unanswered(line)

    def _unanswered(self, line: Line) -> None:
        """Note a request of which nobody was told what became of it."""
        if line.letter is not None:
            self.told.append((line.letter.uid, 0, PATIENCE, ""))
            line.letter = None
            self._left -= 1
            if not self._left:
                self._over.set()

    def _send(self) -> None:
        while self._due and self._free:
            self._free.pop().post(self._due.popleft())

    def answered(self, line: Line, letter: Letter | None, status: int, body: bytes) -> None:
        if letter is None:
            return
        took = time.monotonic() - self._start - letter.at
        incident = json.loads(body).get("incident", "") if status == 202 else ""
        self.told.append((letter.uid, status, took, incident))
        self._left -= 1
        self._free.append(line)
        self._send()
        if not self._left:
            self._over.set()

    def gone(self, line: Line) -> None:
        if line in self._free:
            self._free.remove(line)
        self._unanswered(line)


def main() -> None:
    port, out, name, rate, seconds = sys.argv[1:]
    storm = Storm(name, float(rate), float(seconds), sys.stdin.read().strip())
    # Signed before it begins, so that the sender's share of the processor is small.
    ahead = 1.0 + storm.rate * storm.seconds * 60e-6
    start, begins = time.time() + ahead, time.monotonic() + ahead
    sender = Sender(list(letters(storm, start)))
    gc.freeze()
    gc.disable()
    before = time.process_time()
    asyncio.run(sender.run(int(port), begins))
    cpu = time.process_time() - before
    with Path(out).open("w") as file:
        file.writelines(json.dumps(one) + "\n" for one in sender.told)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"cpu": cpu, "latest": sender.latest, "rss": most * 1024}))


if __name__ == "__main__":
    main()
