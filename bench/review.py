"""What an access review of a large account takes: from the first call to rows in the database.

    python bench/review.py [--principals 10000]

The range is a process of its own, reached over HTTP; the principals are put straight into its
IAM. Each user has a group, two managed policies, an inline one of its own and a key; seven of ten
principals are users. Memory is the highest that this process had at any time (VmHWM), which lists,
flags and records all rows, and then writes the CSV file.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.rig.figures import tell
from bench.rig.served import family_cpu

ACCOUNT, REGION = "111122223333", "eu-west-1"
GOAL_SECONDS, GOAL_MEGABYTES = 60.0, 500.0
GROUPS, POLICIES = 50, 200


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--principals", type=int, default=10_000)
    parser.add_argument("--serve", action="store_true", help="be the range, for this bench's use")
    chosen = parser.parse_args()
    if chosen.serve:
        be_the_range(chosen.principals)
        return
    with range_of(chosen.principals) as reached, tempfile.TemporaryDirectory() as name:
        measure(Path(name), reached, chosen.principals)


@contextmanager
def range_of(principals: int) -> Any:
    """Yield the endpoint and root keys of a range with so many principals."""
    command = [sys.executable, __file__, "--serve", "--principals", str(principals)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        if child.stdout is None or child.stdin is None:
            raise AssertionError("both are pipes")
        try:
            yield json.loads(child.stdout.readline()) | {"pid": child.pid}
        finally:
            child.stdin.close()


def measure(folder: Path, reached: dict[str, Any], principals: int) -> None:
    os.environ |= {
        "AWS_ACCESS_KEY_ID": reached["key"],
        "AWS_SECRET_ACCESS_KEY": reached["secret"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "STANCH_CONFIG": str(folder / "stanch.toml"),
    }
    from playbooks.case.store import Store
    from playbooks.case.store import reviews as stored
    from playbooks.desk.cli.init import make
    from playbooks.review import csv_form
    from playbooks.review.starting import start
    from playbooks.wiring.parts import assemble
    from playbooks.wiring.settings import Account, Settings

    settings = Settings(
        home=folder / "home",
        accounts={ACCOUNT: Account(regions=(REGION,))},
        aws_endpoint=reached["endpoint"],
    )
    make(settings)
    parts = assemble(settings)
    db = Store(parts.engine)
    parts.aws(ACCOUNT, REGION).iam.get_user()  # What connects and reads models, a service has done.
    before, started = memory("VmHWM"), time.perf_counter()
    mine, ranges = time.process_time(), family_cpu(reached["pid"])
    review = asyncio.run(start(parts, db, ACCOUNT, "bench"))
    took = time.perf_counter() - started
    rows = int(review.facts["rows"])
    mine, ranges = time.process_time() - mine, family_cpu(reached["pid"]) - ranges
    goal = f"goal {GOAL_SECONDS:.0f}"
    tell("review_inventory", took, "s", f"{principals} principals, {rows} rows; {goal}")
    tell("review_inventory_cpu", mine, "s")
    tell("review_inventory_range_cpu", ranges, "s", "the range answers meanwhile")
    tell("review_inventory_rate", principals / took, "1/s")
    started = time.perf_counter()
    with (folder / "rows.csv").open("w", newline="") as file:
        found = db.read(lambda conn: list(stored.review_rows(conn, review.id)))
        file.writelines(csv_form.out(review.id, found))
    tell("review_csv_out", time.perf_counter() - started, "s", f"{rows} rows")
    most = memory("VmHWM")
    tell("review_memory_most", most, "MB", f"{before:.0f} MB before the first call")
    parts.engine.dispose()
    # By processor time: what else runs here must not make this fail.
    if mine + ranges > GOAL_SECONDS or most > GOAL_MEGABYTES:
        raise SystemExit(
            f"{mine + ranges:.0f} s of processor time and {most:.0f} MB; expected under "
            f"{GOAL_SECONDS:.0f} s and {GOAL_MEGABYTES:.0f} MB"
        )


def memory(name: str) -> float:
    """Return a figure of this process's memory in MB (proc_pid_status(5))."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def be_the_range(principals: int) -> None:
    """Serve a range with so many principals until standard input ends."""
    from playbooks.drills.range.server import serve
    from playbooks.drills.range.world import World

    world = World(ACCOUNT, REGION, seed=7)
    fill(world, principals)
    with serve(world) as endpoint:
        keys = world.admin
        told = {"endpoint": endpoint, "key": keys.access_key, "secret": keys.secret_key}
        print(json.dumps(told), flush=True)
        sys.stdin.read()


def fill(world: Any, principals: int) -> None:
    """Put groups, managed policies, users and roles into the world's IAM, past its API."""
    from moto.iam.models import AccessKey, Role, User
    from moto.moto_api._internal import mock_random

    client, iam = world.client("iam", world.admin), world.ground.iam(ACCOUNT)
    for i in range(POLICIES):
        client.create_policy(PolicyName=f"p{i}", PolicyDocument=document(i))
    for i in range(GROUPS):
        client.create_group(GroupName=f"g{i}")
        client.put_group_policy(GroupName=f"g{i}", PolicyName="own", PolicyDocument=document(i))
    managed = [p for p in iam.managed_policies.values() if p.name.startswith("p")]
    groups = list(iam.groups.values())
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}],
    }
    trust["Statement"][0]["Principal"] = {"Service": "ec2.amazonaws.com"}  # type: ignore[index]
    for i in range(principals):
        held: Any
        if i % 10 < 7:
            held = User(ACCOUNT, REGION, f"user-{i}")
            key = AccessKey(held.name, "AKIA", ACCOUNT)
            held.access_keys.append(key)
            iam.access_keys[key.access_key_id] = key
            iam.users[held.name] = held
            groups[i % GROUPS].users.append(held)
        else:
            id = f"AROA{mock_random.get_random_string(17).upper()}"
            policy = json.dumps(trust)
            held = Role(ACCOUNT, "aws", id, f"role-{i}", policy, "/", None, "", [], None)
            iam.roles[held.id] = held
        held.policies["own"] = document(i)
        for one in (managed[i % POLICIES], managed[(i * 7 + 1) % POLICIES]):
            held.managed_policies[one.arn] = one


def document(number: int) -> str:
    """Return a policy that no other number has."""
    bucket = f"arn:aws:s3:::bucket-{number}/*"
    statements = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": bucket},
        {"Effect": "Allow", "Action": ["ec2:Describe*", "iam:List*"], "Resource": "*"},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


if __name__ == "__main__":
    main()
