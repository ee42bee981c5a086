"""The range with many hosts, in a process of its own, and a note of each call that it was asked.

    python -m bench.rig.cloud HOSTS TOLD CALLS

TOLD gets what a deployment must know; CALLS one JSON line a call: operation, the host that it
changes (or nothing), and when it began and ended on the monotonic clock, which processes share.
"""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from playbooks.drills.range.estate import Estate, build_estate
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World

# As many as one role has room to deny: 10,240 characters of inline policies.
A_ROLE = 10


def main() -> None:
    count, told, calls = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    world = World()
    estate = build_estate(world)
    hosts, names = made(world, estate, count)
    with calls.open("w", buffering=1) as log:
        watch(world, names, log)
        with serve(world) as endpoint:
            told.write_text(json.dumps(facts(estate, hosts, endpoint)))
            print(f"ready {endpoint}", flush=True)
            signal.sigwait(stops)


def made(world: World, estate: Estate, count: int) -> tuple[list[str], dict[str, str]]:
    """Start hosts that no scaling group watches; return them, and whose each of their ids is."""
    ec2: Any = world.client("ec2", world.admin)
    hosts: list[str] = []
    names: dict[str, str] = {}
    while len(hosts) < count:
        more = min(A_ROLE, count - len(hosts))
        started = ec2.run_instances(
            ImageId=estate.image,
            InstanceType="m6i.large",
            MinCount=more,
            MaxCount=more,
            SubnetId=estate.subnets[0],
            SecurityGroupIds=[estate.app_group],
            IamInstanceProfile={"Arn": _profile(world, f"bench-{len(hosts) // A_ROLE}")},
        )
        for one in started["Instances"]:
            host = one["InstanceId"]
            hosts.append(host)
            faces = [face["NetworkInterfaceId"] for face in one["NetworkInterfaces"]]
            names |= dict.fromkeys([host, *faces], host)
    return hosts, names


def _profile(world: World, name: str) -> str:
    iam: Any = world.client("iam", world.admin)
    who = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2"}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [who]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    arn: str = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return arn


def facts(estate: Estate, hosts: list[str], endpoint: str) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "account": estate.account,
        "region": estate.region,
        "role": estate.responder_role,
        "external_id": estate.external_id,
        "access_key": estate.responder.access_key,
        "secret_key": estate.responder.secret_key,
        "hosts": hosts,
    }


def watch(world: World, names: dict[str, str], log: Any) -> None:
    handle = world.handle

    def noted(environ: dict[str, Any]) -> Any:
        began = time.monotonic()
        answer = handle(environ)
        ended = time.monotonic()
        id = answer.headers["x-amzn-RequestId"]
        # Others may have been logged since, but not many.
        call = next(one for one in reversed(world.calls) if one.request_id == id)
        host = about(names, call.params) if call.mutating else ""
        log.write(json.dumps([call.operation, host, began, ended, call.status]) + "\n")
        return answer

    world.handle = noted  # type: ignore[method-assign]


def about(names: dict[str, str], params: Any) -> str:
    text = json.dumps(params, default=str)
    return next((host for name, host in names.items() if name in text), "")


if __name__ == "__main__":
    main()
