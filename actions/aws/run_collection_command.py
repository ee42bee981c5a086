"""Let a host write down what it would forget, and upload that: by one document, once."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Takes
from actions.aws import collection_document as pinned
from actions.aws.clients import Aws
from actions.aws.instance import Instance, describe
from actions.errors import UnfitError
from actions.journal import Json, State
from actions.one_way import OneWay, Result
from actions.permission import Permission

_DOCUMENT = f"arn:{{partition}}:ssm:{{region}}:{{account}}:document/{pinned.NAME}"
_NO_DOCUMENT = (
    f"document {pinned.NAME} is not there, or is not this version's. Put there what "
    "`stanch collection` prints"
)


@dataclass(frozen=True)
class RunCollectionCommand(OneWay[Aws]):
    """Send the collection document to the host's agent (Systems Manager, "SendCommand").

    The result is {"command", "bucket", "key", "script_sha256"}: the command was taken in, and
    nothing is known yet of how it ends. SendCommand takes no client token: the comment carries the
    step's mark, and ListCommands is asked for it before anything is sent again. The command has no
    credentials: the host uploads by an address that is signed for one PUT of one new object, for
    two minutes. Systems Manager keeps that address in the account's command history.
    """

    host: Instance

    destroys: ClassVar = False
    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        Permission("ec2:DescribeInstances"),
        Permission("ssm:DescribeInstanceInformation"),
        Permission("ssm:GetCommandInvocation"),
        Permission("ssm:ListCommands"),
        Permission("ssm:GetDocument", _DOCUMENT),
        Permission("ssm:SendCommand", _DOCUMENT),
        Permission("ssm:SendCommand", "arn:{partition}:ec2:{region}:{account}:instance/*"),
        Permission("s3:PutObject", f"arn:{{partition}}:s3:::{pinned.BUCKET}/{pinned.PREFIX}*"),
        Permission("s3:GetObject", f"arn:{{partition}}:s3:::{pinned.BUCKET}/{pinned.PREFIX}*"),
    )

    @property
    def target(self) -> str:
        return self.host.key

    def facts(self, p: Aws) -> Result:
        describe(p, self.host)
        agent = _agent(p, self.host)
        # Most hosts have no agent, and a denial waits for the answer: ask no more than is needed.
        return {**agent, "document": _version(p) if agent["ping"] else ""}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        if why := unfit(before):
            raise UnfitError(f"{self.host.instance_id}: {why}")
        return Foreseen(
            blast=(f"a script that only reads runs on the host for {pinned.EXECUTION} s at most",),
            lost=(),
        )

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        bucket, key = self._place(mark)
        address = _signed(p, bucket, key, self.host.account)
        if not (version := _version(p)):
            raise UnfitError(f"{self.host.instance_id}: {_NO_DOCUMENT}")
        try:
            p.ssm.send_command(
                InstanceIds=[self.host.instance_id],
                DocumentName=pinned.NAME,
                # The version that was compared; whoever adds another does not get it run.
                DocumentVersion=version,
                TimeoutSeconds=pinned.DELIVERY,
                Comment=_comment(mark),
                Parameters={
                    "Upload": [address],
                    "Owner": [self.host.account],
                    "ScriptSha256": [pinned.script_sha256()],
                },
            )
        except ClientError as error:
            raise _without_address(error) from None

    def find(self, p: Aws, mark: str) -> Result | None:
        asked = {"InstanceId": self.host.instance_id}
        found: Result | None = None
        for page in p.ssm.get_paginator("list_commands").paginate(**asked):
            for command in page["Commands"]:
                # The answer repeats the parameters, and with them the address: nothing but these.
                named = (command.get("DocumentName"), command.get("Comment"))
                if named == (pinned.NAME, _comment(mark)):
                    bucket, key = self._place(mark)
                    sha256 = pinned.script_sha256()
                    # The newest come first. Of two, the earliest is the one that could upload.
                    found = {"command": command["CommandId"], "bucket": bucket, "key": key}
                    found = {**found, "script_sha256": sha256}
        return found

    def _place(self, mark: str) -> tuple[str, str]:
        bucket = pinned.bucket_of(self.host.account, self.host.region)
        return bucket, f"{pinned.PREFIX}{self.host.instance_id}/{_digest(mark)}"


def ended(p: Aws, host: Instance, command: str) -> bool:
    """Return whether the agent has reported the command's end, whatever that was."""
    try:
        found = p.ssm.get_command_invocation(CommandId=command, InstanceId=host.instance_id)
    except ClientError as error:
        # It shows a moment after it was taken in ("GetCommandInvocation", errors).
        if error.response["Error"]["Code"] == "InvocationDoesNotExist":
            return False
        raise
    return found["Status"] not in ("Pending", "InProgress", "Delayed", "Cancelling")


def unfit(facts: Mapping[str, Json]) -> str:
    """Return why the host cannot be asked, or nothing; `facts` are those of the action."""
    if not facts["ping"]:
        return "no Systems Manager agent has registered itself from there"
    if facts["ping"] != "Online":
        return f"its Systems Manager agent is {facts['ping']}"
    if facts["platform"] != "Linux":
        return f"it runs {facts['platform']}, and the collection document is for Linux"
    if not facts["document"]:
        return _NO_DOCUMENT
    return ""


def _agent(p: Aws, host: Instance) -> dict[str, Json]:
    asked = [{"Key": "InstanceIds", "Values": [host.instance_id]}]
    found = p.ssm.describe_instance_information(Filters=asked)["InstanceInformationList"]
    one = found[0] if found else {}
    return {"ping": one.get("PingStatus", ""), "platform": one.get("PlatformType", "")}


def _version(p: Aws) -> str:
    """Return the number of the document's default version, or nothing unless it is ours."""
    try:
        found = p.ssm.get_document(Name=pinned.NAME, DocumentFormat="JSON")
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidDocument":
            return ""
        raise
    try:
        same = json.loads(found["Content"]) == pinned.document()
    except ValueError:
        same = False
    return str(found["DocumentVersion"]) if same else ""


def _signed(p: Aws, bucket: str, key: str, owner: str) -> str:
    """Return the address that the host may PUT one new object to; a secret while it lasts."""
    asked = {"Bucket": bucket, "Key": key, "IfNoneMatch": "*", "ExpectedBucketOwner": owner}
    address = p.s3.generate_presigned_url("put_object", asked, ExpiresIn=pinned.ADDRESS)
    if "&X-Amz-Signature=" not in address:
        # An older signature covers no header, and would let the object be overwritten.
        raise UnfitError("the S3 client does not sign with Signature Version 4. Make it so.")
    return str(address)


def _without_address(error: ClientError) -> ClientError:
    """Return the error without the message where that may quote a parameter."""
    told = dict(error.response["Error"])
    if told.get("Code") == "InvalidParameters" or "X-Amz-" in str(told.get("Message", "")):
        told["Message"] = "(left out: it may quote the address to upload to)"
    return ClientError({**error.response, "Error": told}, error.operation_name)  # type: ignore[typeddict-item]


def _comment(mark: str) -> str:
    return f"stanch:{_digest(mark)}"


def _digest(mark: str) -> str:
    # A mark names the incident's pseudonym and may be longer than a comment, which has 100 places.
    return hashlib.sha256(mark.encode()).hexdigest()[:32]
