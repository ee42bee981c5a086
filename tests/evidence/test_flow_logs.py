"""What went over an interface is found in its flow logs, and what they cannot tell is said."""

import gzip
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.sources.flow_lines import FlowLines
from evidence.sources.flow_logs import FlowLogs
from evidence.sources.flow_place import days, doubts, place_of
from evidence.sources.item import Item, Missed
from tests.evidence.chamber import Chamber
from tests.evidence.cloud import ACCOUNT, REGION, client, moto_server

# moto dates a flow log by the clock; the window is after that, on two days.
START = datetime.now(UTC).replace(hour=22, minute=0, second=0, microsecond=0) + timedelta(days=1)
END = START + timedelta(hours=3)
ENI, OTHER = "eni-0a1b", "eni-0c2d"
HEADER = "version account-id interface-id srcaddr dstaddr start end action log-status"
NUMBERS = itertools.count()


def record(at: datetime, interface: str = ENI) -> str:
    begin = int(at.timestamp())
    return f"2 {ACCOUNT} {interface} 10.0.0.1 192.0.2.7 {begin} {begin + 60} ACCEPT OK"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        yield url


class Net:
    """A VPC at moto with a flow log into a bucket, and what was written there."""

    def __init__(self, endpoint: str, **how: Any) -> None:
        self.ec2, self.s3 = client("ec2", endpoint), client("s3", endpoint)
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.bucket = f"flows-{next(NUMBERS)}"
        where = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=where)
        asked = {
            "ResourceIds": [self.vpc],
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": f"arn:aws:s3:::{self.bucket}",
        } | how
        self.id = self.ec2.create_flow_logs(**asked)["FlowLogIds"][0]
        self.calls: set[str] = set()
        for made in (self.ec2, self.s3):
            made.meta.events.register("before-call", lambda model, **_: self.calls.add(model.name))

    def write(self, at: datetime, text: str | bytes, id: str = "") -> str:
        name = f"{ACCOUNT}_vpcflowlogs_{REGION}_{id or self.id}_{at:%Y%m%dT%H%MZ}_ab12.log.gz"
        key = f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{at:%Y/%m/%d}/{name}"
        body = gzip.compress(text.encode()) if isinstance(text, str) else text
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return key

    def collect(self, chamber: Chamber, **changes: Any) -> "Found":
        fields = {"vpc_id": self.vpc} | changes
        source = FlowLogs(
            ENI, "subnet-1", start=START, end=END, account=ACCOUNT, region=REGION, **fields
        )
        return Found(chamber, source.collect(SimpleNamespace(ec2=self.ec2, s3=self.s3)))


class Found:
    def __init__(self, chamber: Chamber, found: Iterator[Item | Missed]) -> None:
        chamber.say("case.open", {})
        self.items: dict[str, Item] = {}
        self.bodies: dict[str, Any] = {}
        self.missed: list[Missed] = []
        for one in found:
            if isinstance(one, Missed):
                self.missed.append(one)
                continue
            self.items[one.name] = one
            self.bodies[one.name] = chamber.keep(one)
        self.outcome = json.loads(self.items["flow_logs.outcome"].data)

    @property
    def lines(self) -> list[bytes]:
        return [i.data for n, i in sorted(self.items.items()) if n.endswith(".lines")]


@pytest.fixture
def net(endpoint: str) -> Net:
    return Net(endpoint)


def test_the_files_of_the_window_are_kept_and_the_interfaces_records_told_apart(
    net: Net, chamber: Chamber
) -> None:
    inside = [START + timedelta(minutes=5), END - timedelta(minutes=5)]
    texts = [
        "\n".join([HEADER, record(at), record(at, OTHER), record(at - timedelta(days=1))]) + "\n"
        for at in inside
    ]
    for at, text in zip(inside, texts, strict=True):
        net.write(at, text)
    net.write(START - timedelta(hours=5), "before")
    net.write(END + timedelta(hours=1), "after")
    net.write(inside[0], "another flow log's", id="fl-other")
    found = net.collect(chamber)
    assert found.outcome == {
        "state": "acquired",
        "why": [],
        "counts": {
            "files": 2,
            "bytes": found.outcome["counts"]["bytes"],
            "records": 6,
            "of_interface": 2,
        },
        "findings": [],
    }
    assert found.lines == [f"{HEADER}\n{record(at)}\n".encode() for at in inside]
    kept = [found.bodies[f"s3.get_object.{net.id}.{n:06d}"]["stored_sha256"] for n in range(2)]
    assert [gzip.decompress(chamber.locker.read(h)).decode() for h in kept] == texts
    needs = {
        "DescribeFlowLogs": "ec2:DescribeFlowLogs",
        "ListObjectsV2": "s3:ListBucket",
        "GetObject": "s3:GetObject",
    }
    assert {needs[c] for c in net.calls if not c.startswith("Put")} == set(FlowLogs.permissions)


def test_without_a_flow_log_nothing_was_recorded_and_that_is_said(
    net: Net, chamber: Chamber
) -> None:
    found = net.collect(chamber, vpc_id="vpc-0")
    assert found.outcome["state"] == "unsupported"
    assert f"no flow log covers {ENI}" in found.outcome["why"][0]


def test_a_flow_log_without_a_file_of_the_time_is_partial(net: Net, chamber: Chamber) -> None:
    found = net.collect(chamber)
    assert found.outcome["state"] == "partial"
    assert found.outcome["why"] == [f"{net.id} has no file of that time"]


def test_a_flow_log_to_cloudwatch_is_unsupported(endpoint: str, chamber: Chamber) -> None:
    group = f"flows-{next(NUMBERS)}"
    client("logs", endpoint).create_log_group(logGroupName=group)
    net = Net(
        endpoint,
        LogDestinationType="cloud-watch-logs",
        LogDestination=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}",
        DeliverLogsPermissionArn=f"arn:aws:iam::{ACCOUNT}:role/flows",
    )
    found = net.collect(chamber)
    assert found.outcome["state"] == "unsupported"
    assert "goes to cloud-watch-logs" in " ".join(found.outcome["why"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PAR1" + bytes(50), "it is no whole gzip file"),
        (gzip.compress(f"{HEADER}\n".encode())[:-4], "it is no whole gzip file"),
        (gzip.compress(b"srcaddr dstaddr\n1 2\n"), "the file's fields have no interface-id"),
        (gzip.compress(bytes(1 << 20)), "a line of over"),
    ],
    # Its bytes hold the time, and so would a name made from them: two workers collect the same.
    ids=["parquet", "cut", "without an interface", "one long line"],
)
def test_a_file_that_cannot_be_read_as_records_is_kept_and_told(
    net: Net, chamber: Chamber, content: bytes, why: str
) -> None:
    net.write(START, content)
    found = net.collect(chamber)
    name = f"s3.get_object.{net.id}.000000"
    assert chamber.locker.read(found.bodies[name]["stored_sha256"]) == content
    assert found.outcome["state"] == "partial"
    assert why in found.outcome["why"][0]
    assert found.lines == []


def test_files_over_the_limit_are_left_out_and_told(net: Net, chamber: Chamber) -> None:
    for minutes in (5, 10):
        net.write(START + timedelta(minutes=minutes), f"{HEADER}\n{record(START)}\n")
    found = net.collect(chamber, most_bytes=200)
    assert found.outcome["counts"]["files"] == 1
    assert [m.error_code for m in found.missed] == ["over 200 bytes"]
    assert found.outcome["state"] == "partial"


def test_what_a_flow_log_cannot_tell_and_where_it_lies() -> None:
    log = {
        "FlowLogId": "fl-1",
        "CreationTime": START + timedelta(hours=1),
        "TrafficType": "REJECT",
        "DeliverLogsStatus": "FAILED",
        "DeliverLogsErrorMessage": "Access error",
        "LogDestination": "arn:aws:s3:::bucket",
    }
    told = list(doubts(log, START))
    assert [
        word in text
        for word, text in zip(("was made", "REJECT", "Access error"), told, strict=True)
    ]
    assert place_of(log) == ("bucket", "")
    day = datetime(2026, 2, 28, tzinfo=UTC)
    hive = log | {"DestinationOptions": {"HiveCompatiblePartitions": True}}
    folder = f"AWSLogs/aws-account-id=1/aws-service=vpcflowlogs/aws-region={REGION}"
    assert list(days(hive, "1", REGION, day, day + timedelta(days=1))) == [
        f"{folder}/year=2026/month=02/day=28/",
        f"{folder}/year=2026/month=03/day=01/",
    ]


@given(st.lists(st.sampled_from([ENI, OTHER]), max_size=20), st.integers(1, 200), st.booleans())
def test_records_are_told_apart_however_the_file_is_cut(
    interfaces: list[str], size: int, ended: bool
) -> None:
    lines = [record(START, interface) for interface in interfaces]
    text = ("\n".join([HEADER, *lines]) + ("\n" if ended else "")).encode()
    found = FlowLines(ENI, START.timestamp(), END.timestamp())
    for at in range(0, len(text), size):
        found.take(text[at : at + size])
    found.close()
    assert (found.records, found.matching) == (len(lines), interfaces.count(ENI))
    mine = [line for line in lines if ENI in line]
    assert bytes(found.kept).decode().splitlines() == [HEADER, *mine]
