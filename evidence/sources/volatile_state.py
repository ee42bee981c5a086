"""What a running host wrote down of itself and uploaded, hashed again here: claim against content.

A host under someone else's control may say anything, of its processes as of its hash. Both hashes
are kept, as claims: the host's, and beside it ours of what was read.
"""

import hashlib
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from evidence.manifest_values import Claim, Gap
from evidence.sources.ask import JSON, Client, Question, answer, as_json, code_of
from evidence.sources.contract_only import CONTRACT_ONLY
from evidence.sources.item import Item, Missed
from evidence.sources.object_stream import ObjectStream, object_stream
from evidence.sources.outcome import Outcome, State, Tally, ended, failed, unsupported

CONTENT = "volatile_state.content"
# What of a host's report is believed to be a report: nothing else of its output is kept.
_TOLD = re.compile(
    r"^stanch: (?:(script_sha256|sha256)=([0-9a-f]{64})|(size|upload)=([0-9]{1,12})"
    r"|(missing)=([a-z0-9]{1,20}))$",
    re.MULTILINE,
)
_SECTION = re.compile(
    r"^stanch: section=([a-z_]{1,30}) state=(acquired|partial|unsupported) tool=([a-z0-9]{1,20})$",
    re.MULTILINE,
)
# Of what Systems Manager says of a command; not its output, which is whatever the host wrote.
_MEMBERS = (
    "CommandId InstanceId DocumentName DocumentVersion Status StatusDetails ResponseCode "
    "ExecutionStartDateTime ExecutionEndDateTime ExecutionElapsedTime"
).split()

# What the host told, by name, and of each section its state and tool.
Told = tuple[dict[str, str], list[tuple[str, str, str]]]


class HostClients(Protocol):
    """boto3 clients in the host's account and region."""

    @property
    def ssm(self) -> Client: ...
    @property
    def s3(self) -> Client: ...


@dataclass(slots=True)
class _Hashed:
    """The content, with its SHA-256 as far as it was read."""

    inner: ObjectStream
    running: Any = field(default_factory=hashlib.sha256)

    def read(self) -> bytes:
        block = self.inner.read()
        self.running.update(block)
        return block

    def stable(self) -> bool:
        return self.inner.stable()

    def all_gaps(self) -> tuple[Gap, ...]:
        return self.inner.all_gaps()


@dataclass(frozen=True, slots=True)
class VolatileState:
    """GetCommandInvocation of a collection command, then GetObject of what the host uploaded.

    `script_sha256` is what the collecting script must have had. Without a `command` nothing was
    sent: `why` says why, and `state` whether that is unsupported or failed.
    """

    instance_id: str
    account: str
    region: str
    command: str = ""
    bucket: str = ""
    key: str = ""
    script_sha256: str = ""
    why: str = ""
    state: State = "failed"

    name: ClassVar[str] = "volatile_state"
    # Given with the act that sends the command, and narrowed there to one prefix of one bucket.
    permissions: ClassVar[tuple[str, ...]] = ()

    def collect(self, clients: HostClients) -> Iterator[Item | Missed]:
        """Yield how the command went, the content, and the outcome."""
        tally = Tally({"bytes": 0, "sections": 0})
        tally.notes.append(f"memory is unsupported: {CONTRACT_ONLY['memory']}")
        if not self.command:
            how = unsupported if self.state == "unsupported" else failed
            yield how(self.why, tally).item(self.name)
            return
        tally.notes.append(f"contract only: {CONTRACT_ONLY['agent']}")
        told, sections = yield from self._command(clients.ssm, tally)
        content = yield from self._content(clients.s3, tally, told)
        tally.add("sections", len(sections))
        for section, state, tool in sections:
            if state != "acquired":
                tally.lacking.append(f"{section} is {state}: {tool}")
        yield self._outcome(tally, told, content).item(self.name)

    def _command(self, ssm: Client, tally: Tally) -> Generator[Item | Missed, None, Told]:
        """Yield how the command went; return what the host told, and of its sections."""
        asked = {"CommandId": self.command, "InstanceId": self.instance_id}
        question = Question(f"{self.name}.command", "ssm", "get_command_invocation", asked)
        try:
            found = answer(ssm, question)
        except (ClientError, BotoCoreError) as error:
            yield tally.miss(Missed(question.name, question.call, code_of(error)))
            return {}, []
        output = str(found.get("StandardOutputContent", ""))
        told, sections = dict(_pairs(output)), _SECTION.findall(output)
        body = {k: found[k] for k in _MEMBERS if k in found}
        body |= {"told": told, "sections": [list(one) for one in sections]}
        yield Item(question.name, JSON, as_json(body), False, question.call)
        if (status := found.get("Status")) != "Success":
            tally.lacking.append(f"the command is {status}, as far as the agent could report")
        if tool := told.get("missing"):
            tally.lacking.append(f"the host has no {tool}")
        return told, sections

    def _content(
        self, s3: Client, tally: Tally, told: Mapping[str, str]
    ) -> Generator[Item | Missed, None, _Hashed | None]:
        """Yield the content with the host's claims; return it as it was read."""
        asked = {"Bucket": self.bucket, "Key": self.key, "ExpectedBucketOwner": self.account}
        question = Question(CONTENT, "s3", "get_object", asked | {"ChecksumMode": "ENABLED"})
        try:
            read = _Hashed(object_stream(s3, question))
        except (ClientError, BotoCoreError) as error:
            # Without s3:ListBucket, S3 says AccessDenied of a key that is not there.
            yield tally.miss(Missed(CONTENT, question.call, code_of(error)))
            return None

        def claims() -> tuple[Claim, ...]:
            host = tuple(
                Claim(f"host {self.instance_id}", name, told[name])
                for name in ("sha256", "size", "script_sha256")
                if name in told
            )
            # Of what is encrypted the manifest has no plain hash to hold the host's against.
            ours = Claim("Stanch", "sha256_as_read", read.running.hexdigest())
            return (*host, ours, Claim("Stanch", "expected_script_sha256", self.script_sha256))

        # What processes were started with may be a secret.
        yield Item(CONTENT, "text/plain", b"", True, question.call, read, claims)
        tally.add("bytes", read.inner.at)
        if gaps := read.all_gaps():
            tally.lacking.append(f"the content ends {gaps[0].size} bytes early")
        return read

    def _outcome(self, tally: Tally, told: Mapping[str, str], read: _Hashed | None) -> Outcome:
        """Return how it went; what was not uploaded, is empty, or was not hashed, has failed."""
        found = read.running.hexdigest() if read else ""
        findings = []
        if read and "sha256" in told and told["sha256"] != found:
            findings.append({"finding": "hash_differs", "host": told["sha256"], "stanch": found})
        script = told.get("script_sha256")
        if script and script != self.script_sha256:
            expected = self.script_sha256
            findings.append({"finding": "script_differs", "host": script, "expected": expected})
        why = ""
        if not read:
            why = "the host uploaded nothing"
        elif not read.inner.at:
            why = "what the host uploaded is empty"
        elif "sha256" not in told:
            why = "the host told no hash of what it uploaded"
        return failed(why, tally, findings) if why else ended(tally, findings)


def _pairs(output: str) -> Iterator[tuple[str, str]]:
    for match in _TOLD.finditer(output):
        name, value = (one for one in match.groups() if one is not None)
        yield name, value
