"""What went over a network interface, as the flow logs that cover it recorded it in S3."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from evidence.sources.ask import JSON, Client, Question, as_json, ask, code_of
from evidence.sources.flow_lines import MOST, FlowLines
from evidence.sources.flow_place import days, doubts, place_of
from evidence.sources.inflated import Inflated
from evidence.sources.item import Item, Missed
from evidence.sources.object_stream import object_stream
from evidence.sources.outcome import Tally, counted, ended, unsupported
from evidence.sources.paged import paged
from evidence.sources.trail_place import stamp_of

GET = "s3.get_object"
# Files are published every 5 minutes, of records that were gathered for 10 at most; some later.
LATE = timedelta(minutes=30)


class FlowClients(Protocol):
    """boto3 clients: EC2 where the interface is, S3 for the logs' buckets."""

    @property
    def ec2(self) -> Client: ...
    @property
    def s3(self) -> Client: ...


@dataclass(frozen=True, slots=True)
class FlowLogs:
    """Log files of the flow logs of an interface, its subnet and its VPC, between two aware times.

    Each file is kept as it lies, and beside it (`.lines`) the records of the interface. Flow logs
    that were deleted are not described any more, though their files may still be there, for
    `S3Versions` to get. Files over `most_bytes` together are left out, and that is said.
    """

    interface_id: str
    subnet_id: str
    vpc_id: str
    start: datetime
    end: datetime
    account: str
    region: str
    most_bytes: int = 16 << 30

    name: ClassVar[str] = "flow_logs"
    permissions: ClassVar[tuple[str, ...]] = (
        "ec2:DescribeFlowLogs",
        "s3:GetObject",
        "s3:ListBucket",
    )
    AGAIN_AFTER: ClassVar[timedelta] = LATE

    def collect(self, clients: FlowClients) -> Iterator[Item | Missed]:
        """Yield the flow logs, their listings and files, the records, and the outcome."""
        tally = Tally({"files": 0, "bytes": 0, "records": 0, "of_interface": 0})
        operation = "describe_flow_logs"
        covers = [self.interface_id, self.subnet_id, self.vpc_id]
        asked = {"Filter": [{"Name": "resource-id", "Values": covers}]}
        question = Question(f"ec2.{operation}", "ec2", operation, asked)
        pages = yield from counted(ask(clients.ec2, question), tally)
        logs = [log for page in pages for log in page.get("FlowLogs", [])]
        if not logs:
            why = f"no flow log covers {self.interface_id}: what went over it was not recorded"
            told = why if pages else "the flow logs could not be listed"
            yield unsupported(told, tally).item(self.name)
            return
        in_s3 = [log for log in logs if log.get("LogDestinationType") == "s3"]
        for log in logs:
            if log not in in_s3:
                kind = log.get("LogDestinationType", "cloud-watch-logs")
                where = f"{log['FlowLogId']} goes to {kind}, which is not read here"
                tally.lacking.append(where)
        if not in_s3:
            yield unsupported("no flow log goes to S3", tally).item(self.name)
            return
        claims: list[dict[str, Any]] = []
        for log in in_s3:
            tally.lacking += doubts(log, self.start)
            yield from self._log(clients.s3, log, tally, claims)
        yield Item(f"{self.name}.claims", JSON, as_json(claims), False, GET)
        yield ended(tally).item(self.name)

    def _log(
        self, s3: Client, log: dict[str, Any], tally: Tally, claims: list[dict[str, Any]]
    ) -> Iterator[Item | Missed]:
        keys = yield from self._listed(s3, log, tally)
        if not keys:
            tally.lacking.append(f"{log['FlowLogId']} has no file of that time")
        for number, key in enumerate(keys):
            name = f"{GET}.{log['FlowLogId']}.{number:06d}"
            asked = {"Bucket": place_of(log)[0], "Key": key}
            yield from self._file(s3, Question(name, "s3", "get_object", asked), tally, claims)

    def _listed(
        self, s3: Client, log: dict[str, Any], tally: Tally
    ) -> Generator[Item | Missed, None, list[str]]:
        found: list[tuple[datetime, str]] = []
        first, last = self.start - LATE, self.end + LATE
        for number, prefix in enumerate(days(log, self.account, self.region, first, last)):
            operation = "list_objects_v2"
            asked = {"Bucket": place_of(log)[0], "Prefix": prefix}
            name = f"s3.{operation}.{log['FlowLogId']}.{number:03d}"
            for page in paged(s3, Question(name, "s3", operation, asked)):
                if isinstance(page, Missed):
                    yield tally.miss(page)
                    continue
                yield from page.items
                keys = [one["Key"] for one in page.found.get("Contents", [])]
                mine = [key for key in keys if f"_{log['FlowLogId']}_" in key]
                found += [(at, k) for k in mine if (at := stamp_of(k)) and first <= at <= last]
        return [key for _, key in sorted(found)]

    def _file(
        self, s3: Client, question: Question, tally: Tally, claims: list[dict[str, Any]]
    ) -> Iterator[Item | Missed]:
        try:
            stream = object_stream(s3, question)
        except (ClientError, BotoCoreError) as error:
            yield tally.miss(Missed(question.name, question.call, code_of(error)))
            return
        if tally.counts["bytes"] + stream.size > self.most_bytes:
            stream.response["Body"].close()
            over = f"over {self.most_bytes} bytes"
            yield tally.miss(Missed(question.name, question.call, over))
            return
        lines = FlowLines(self.interface_id, self.start.timestamp(), self.end.timestamp())
        inflated = Inflated(stream, lines.take)
        yield Item(question.name, "application/gzip", b"", False, question.call, inflated)
        lines.close()
        tally.add("files")
        tally.add("bytes", stream.at)
        tally.add("records", lines.records)
        tally.add("of_interface", lines.matching)
        told = {"item": question.name, "asked": question.parameters, "claims": stream.claims()}
        claims.append(told | {"records": lines.records, "of_interface": lines.matching})
        if stream.gaps:
            tally.lacking.append(f"{question.name} ends {stream.gaps[0].size} bytes early")
        if not inflated.sha256() or lines.why:
            # Parquet, or altered: it is kept, and nothing is said of what is in it.
            why = lines.why or "it is no whole gzip file"
            tally.lacking.append(f"the records in {question.name} cannot be told apart: {why}")
        elif lines.matching:
            name = f"{question.name}.lines"
            yield Item(name, "text/plain", bytes(lines.kept), False, question.call)
        if lines.cut:
            tally.lacking.append(f"{question.name}.lines ends after {MOST} bytes; the file has all")
