"""The agent on a simulated host: it runs the document that it was sent, really, in a shell.

What is real: the document's own text, parameters put in as Systems Manager does, `/bin/sh` on it in
an empty folder with a closed environment, its hashes, and its upload over HTTP. What is not: the
host. The tools that look around (ss, ps and so on) are stand-ins which tell of a made-up host, for
whoever drills must not find their own machine in a bundle. The agent speaks with its host's role
and through its host's security groups, checked when it takes a command and when it reports; a
script that runs meanwhile is not cut off by either, which its own upload would be in AWS. Held
against the documentation and botocore's model of Systems Manager; never against AWS's own agent.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playbooks.drills.range.agent_tools import TOOLS
from playbooks.drills.range.errors import AwsError, UnknownThingError
from playbooks.drills.range.identity import policies_of
from playbooks.drills.range.keys import Principal
from playbooks.drills.range.metadata import role_of
from playbooks.drills.range.network import can_egress
from playbooks.drills.range.policy import Request, Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from playbooks.drills.range.ground import Ground

# Which of this machine's programs the script finds besides the stand-ins: they say nothing of it.
REAL = "cat curl cut date head mktemp rm sed sh sha256sum timeout tr wc".split()
# Seconds, and what a script may use of this machine: CPU seconds, 512-byte blocks, open files.
PATIENCE = 60.0
LIMITS = "ulimit -t 20 -f 262144 -n 128"
# Where a host would find Systems Manager, of which only the outside counts here.
OUTSIDE = "198.51.100.1"
# SSM: GetCommandInvocation: of the output the first so many characters are returned.
TOLD, ERRORS_TOLD = 24_000, 8_000


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent that has registered itself. `tools` replaces stand-ins: None takes one away."""

    platform: str = "Linux"
    ping: str = "Online"
    tools: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class Command:
    """One command on one host; `parameters` hold what must never be told by the range either."""

    id: str
    account: str
    region: str
    instance: str
    document: str
    version: str
    comment: str
    at: datetime
    seconds: int
    parameters: dict[str, list[str]] = field(repr=False)
    status: str = "Pending"
    code: int = -1
    out: str = ""
    err: str = ""


def deliver(ground: Ground, command: Command, document: Mapping[str, Any], lock: Any) -> None:
    """Let the host's agent take the command, in a thread of its own; `lock` guards the world.

    Where the upload does not go to this machine nothing is run, and the command waits.
    """
    upload = urlsplit("".join(command.parameters.get("Upload", [])))
    if upload.hostname != "127.0.0.1":
        return
    Thread(target=_serve, args=(ground, command, document, lock), daemon=True).start()


def may_speak(ground: Ground, instance_id: str) -> bool:
    """Whether the host's role and its network let its agent speak with Systems Manager now."""
    try:
        role = role_of(ground, instance_id)
    except UnknownThingError:
        return False
    arn = f"arn:aws:ec2:{ground.region}:{ground.account}:instance/{instance_id}"
    session = Principal(
        kind="role",
        account=ground.account,
        arn=f"arn:aws:sts::{ground.account}:assumed-role/{role.name}/{instance_id}",
        user_id=f"{role.id}:{instance_id}",
        name=role.name,
        instance_arn=arn,
    )
    context = {
        "ec2:sourceinstancearn": (arn,),
        "aws:principalarn": (str(role.arn),),
        "aws:tokenissuetime": (ground.now().isoformat(),),
    }
    asked = Request("ssm:UpdateInstanceInformation", "*", context)
    try:
        verdict = decide(asked, policies_of(ground, session))
    except AwsError:
        return False
    ec2 = ground.ec2()
    host = next(i for i in ec2.all_instances() if i.id == instance_id)
    return verdict is Verdict.ALLOW and can_egress(ec2, host, OUTSIDE, 443)


def _serve(ground: Ground, command: Command, document: Mapping[str, Any], lock: Any) -> None:
    with lock:
        if not may_speak(ground, command.instance):
            return
        agent: Agent = ground.kept.agents[command.instance]
        command.status = "InProgress"
    code, out, err = run(agent, _script(document, command.parameters))
    with lock:
        # An agent that may not speak reports nothing: to whoever looks, the command goes on.
        if may_speak(ground, command.instance):
            command.code, command.out, command.err = code, out[:TOLD], err[:ERRORS_TOLD]
            command.status = "Success" if code == 0 else "Failed"


def _script(document: Mapping[str, Any], parameters: Mapping[str, list[str]]) -> str:
    lines = document["mainSteps"][0]["inputs"]["runCommand"]

    def value(found: re.Match[str]) -> str:
        return "".join(parameters[found[1]])

    return re.sub(r"\{\{ *(\w+) *\}\}", value, "\n".join(lines))


def run(agent: Agent, script: str) -> tuple[int, str, str]:
    """Run a script as this host would; returns its exit status, output and errors."""
    with tempfile.TemporaryDirectory(prefix="range-host-") as name:
        folder = Path(name)
        tools, work = folder / "tools", folder / "work"
        for made in (tools, work):
            made.mkdir()
        for real in REAL:
            if found := shutil.which(real):
                (tools / real).symlink_to(found)
        for tool, told in {**TOOLS, **agent.tools}.items():
            (tools / tool).unlink(missing_ok=True)
            if told is not None:
                (tools / tool).write_text(told)
                (tools / tool).chmod(0o700)
        (folder / "_script.sh").write_text(f"{LIMITS}\n{script}\n")
        host = subprocess.Popen(  # noqa: S603 - the pinned document, of this repository
            ["/bin/sh", str(folder / "_script.sh")],
            cwd=work,
            env={"PATH": str(tools), "TMPDIR": str(work), "HOME": str(work), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = host.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(host.pid, signal.SIGKILL)
            out, err = host.communicate()
        return host.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
