"""Run Command: a document goes to a host's agent, which runs it and reports.

SSM: SendCommand, ListCommands, GetCommandInvocation, DescribeInstanceInformation: a command is
taken in at once and ends later; a parameter must be as the document's allowedPattern says; one
that no agent took within TimeoutSeconds is dropped. moto says Success at once, runs nothing, and
has no DescribeInstanceInformation. One host a command; documents with one step.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from moto.ssm.models import ssm_backends

from playbooks.drills.range.agent import Command, deliver
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def send(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """SendCommand: taken in; the agent runs it by itself."""
    params = asked.params
    hosts = params.get("InstanceIds", [])
    if len(hosts) != 1 or hosts[0] not in ground.kept.agents:
        raise AwsError("InvalidInstanceId", "Instances not in a valid state for account")
    version, document = _document(asked)
    for name, told in document["parameters"].items():
        given = params.get("Parameters", {}).get(name, [])
        if not all(re.search(told["allowedPattern"], one) for one in given) or not given:
            # AWS quotes the value, which may be a secret: so does the range.
            raise AwsError("InvalidParameters", f"Parameter {name} is not valid: {given}")
    command = Command(
        id=str(ground.uuid()),
        account=asked.account,
        region=asked.region,
        instance=hosts[0],
        document=params["DocumentName"],
        version=version,
        comment=params.get("Comment", ""),
        at=ground.now(),
        seconds=params.get("TimeoutSeconds", 3600),
        parameters=params.get("Parameters", {}),
    )
    ground.kept.commands[command.id] = command
    deliver(ground, command, document, ground.lock)
    return {"Command": _told(ground, command)}


def listed(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """ListCommands: the newest first; the parameters are told again."""
    wanted = asked.params
    found = [
        _told(ground, one)
        for one in reversed(_here(ground, asked))
        if wanted.get("InstanceId", one.instance) == one.instance
        and wanted.get("CommandId", one.id) == one.id
    ]
    return {"Commands": found}


def invocation(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetCommandInvocation: what the agent reported, once it did."""
    params = asked.params
    for one in _here(ground, asked):
        if (one.id, one.instance) == (params["CommandId"], params["InstanceId"]):
            return {
                "CommandId": one.id,
                "InstanceId": one.instance,
                "Comment": one.comment,
                "DocumentName": one.document,
                "DocumentVersion": one.version,
                "PluginName": "collect",
                "ResponseCode": one.code,
                "Status": _status(ground, one),
                "StatusDetails": _status(ground, one),
                "StandardOutputContent": one.out,
                "StandardErrorContent": one.err,
            }
    raise AwsError("InvocationDoesNotExist", "")


def information(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """DescribeInstanceInformation: the hosts whose agents have registered."""
    filters = {f["Key"]: f["Values"] for f in asked.params.get("Filters", [])}
    wanted = filters.get("InstanceIds")
    known = {i.id for i in ground.ec2(asked.account, asked.region).all_instances()}
    return {
        "InstanceInformationList": [
            {"InstanceId": id, "PingStatus": agent.ping, "PlatformType": agent.platform}
            for id, agent in sorted(ground.kept.agents.items())
            if id in known and (wanted is None or id in wanted)
        ]
    }


def _here(ground: Ground, asked: Asked) -> list[Command]:
    place = (asked.account, asked.region)
    return [c for c in ground.kept.commands.values() if (c.account, c.region) == place]


def _status(ground: Ground, one: Command) -> str:
    waited = (ground.now() - one.at).total_seconds()
    return "TimedOut" if one.status == "Pending" and waited > one.seconds else one.status


def _told(ground: Ground, one: Command) -> dict[str, Any]:
    return {
        "CommandId": one.id,
        "DocumentName": one.document,
        "DocumentVersion": one.version,
        "Comment": one.comment,
        "InstanceIds": [one.instance],
        "Parameters": one.parameters,
        "RequestedDateTime": one.at,
        "Status": _status(ground, one),
        "TimeoutSeconds": one.seconds,
    }


def _document(asked: Asked) -> tuple[str, dict[str, Any]]:
    documents = ssm_backends[asked.account][asked.region]._documents
    known = documents.get(asked.params["DocumentName"])
    if known is None:
        raise AwsError("InvalidDocument", "The specified SSM document doesn't exist.")
    version = asked.params.get("DocumentVersion", "$DEFAULT")
    if version == "$DEFAULT":
        version = known.default_version
    found = known.find_by_version(known.latest_version if version == "$LATEST" else version)
    if found is None:
        raise AwsError("InvalidDocumentVersion", "The document version is not valid.")
    content: dict[str, Any] = json.loads(found.content)
    return str(found.document_version), content


CORRECTIONS: Corrections = {
    ("ssm", "SendCommand"): send,
    ("ssm", "ListCommands"): listed,
    ("ssm", "GetCommandInvocation"): invocation,
    ("ssm", "DescribeInstanceInformation"): information,
}
