"""One object version of S3 as a stream that goes on where its connection broke.

It never raises for the provider: what could not be read is a gap behind the content, so that what
came is kept and said to be partial.
"""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from evidence.ingest import BLOCK
from evidence.manifest_values import Gap
from evidence.sources.ask import Client, Question, answer, code_of
from evidence.sources.object_claims import Check, Verdict, check_of, claims_of

ATTEMPTS = 4


@dataclass(slots=True)
class ObjectStream:
    """The content of one version; `size` is what S3 said it is, in bytes."""

    client: Client
    question: Question
    response: dict[str, Any]
    size: int
    check: Check | None
    uncompared: str
    at: int = 0
    attempts: int = 1
    broken: str = ""
    changed: bool = False
    gaps: list[Gap] = field(default_factory=list)

    def read(self) -> bytes:
        """Return the next block; empty at the end, or where nothing more can be had."""
        while self.at < self.size and not self.gaps:
            try:
                block: bytes = self.response["Body"].read(min(BLOCK, self.size - self.at))
            except (BotoCoreError, HTTPError, OSError) as error:
                block, self.broken = b"", type(error).__name__
            if block:
                self.at += len(block)
                if self.check:
                    self.check.running.update(block)
                return block
            self._go_on()
        return b""

    def stable(self) -> bool:
        """Return whether all parts were read of one version."""
        return not self.changed

    def all_gaps(self) -> tuple[Gap, ...]:
        """Return what is missing at the end."""
        return tuple(self.gaps)

    def claims(self) -> dict[str, Any]:
        """Return what S3 says of the object, and how that stands to what was read."""
        verdict: Verdict = "not compared"
        why = self.uncompared
        if self.check and self.at == self.size:
            verdict = self.check.verdict()
        elif self.check:
            why = "the content was not read to its end"
        compared = {"algorithm": self.check.algorithm} if self.check else {}
        compared |= {"verdict": verdict} | ({"why": why} if why else {})
        return claims_of(self.response) | {"read": self.at, "compared": compared}

    def _go_on(self) -> None:
        """Ask for the rest of the same bytes; give up, with a gap, after some attempts."""
        self.response["Body"].close()
        if self.attempts >= ATTEMPTS:
            self._give_up(self.broken or "the answer ended before its length")
            return
        self.attempts += 1
        asked = {k: v for k, v in self.question.parameters.items() if k != "ChecksumMode"}
        asked |= {"Range": f"bytes={self.at}-{self.size - 1}", "IfMatch": self.response["ETag"]}
        again = Question(self.question.name, "s3", self.question.operation, asked)
        try:
            rest = answer(self.client, again)
        except (ClientError, BotoCoreError) as error:
            self.changed = self.changed or code_of(error) in ("PreconditionFailed", "412")
            self._give_up(code_of(error))
            return
        # What begins elsewhere would be stitched into the wrong place.
        if not str(rest.get("ContentRange", "")).startswith(f"bytes {self.at}-"):
            rest["Body"].close()
            self._give_up("the rest was given from another place")
            return
        self.response = self.response | {"Body": rest["Body"]}

    def _give_up(self, why: str) -> None:
        self.gaps.append(Gap(self.at, self.size - self.at, why))


def object_stream(client: Client, question: Question) -> ObjectStream:
    """Ask for an object (a GetObject question) and return its content as a stream.

    What boto3 raises, passes. Nothing of the content was read yet.
    """
    response = answer(client, question)
    check, why = check_of(response)
    return ObjectStream(client, question, response, int(response["ContentLength"]), check, why)
