"""A consumer of a credential, in a process of its own: it calls AWS with it every 100 ms.

    python -m playbooks.drills.consumer HOW NAME ENDPOINT [VAULT]

HOW is `each` (reads the credential before each call), `told` (reads it again when a line comes in
on standard input), or `once` (never again). NAME is the secret: of Secrets Manager, which it reads
with the keys in its environment, or of a KV engine where a VAULT's URL is given. Each call is a
line on standard output: the key's id and `ok`, or what failed. It ends when its standard input
does.
"""

import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
import hvac
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

EVERY = 0.1
# A call that fails has failed: nothing is tried again behind its back.
ONCE = Config(retries={"total_max_attempts": 1})


def _client(service: str, endpoint: str, key: str, secret: str) -> Any:
    session: Any = boto3.Session(key, secret, region_name=os.environ["AWS_DEFAULT_REGION"])
    return session.client(service, endpoint_url=endpoint, config=ONCE)


def _reader(name: str, endpoint: str, vault: str) -> Callable[[], dict[str, str]]:
    """Return what reads the credential as it is now."""
    if vault:
        there: Any = hvac.Client(url=vault, token=os.environ["VAULT_TOKEN"])
        kv = there.secrets.kv.v2
        return lambda: kv.read_secret_version(name, raise_on_deleted_version=True)["data"]["data"]
    own = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    manager = _client("secretsmanager", endpoint, *own)
    return lambda: json.loads(manager.get_secret_value(SecretId=name)["SecretString"])


def _heard() -> str | None:
    """Return a line that came in, "" where none did, or None at the end."""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return (sys.stdin.readline() or None) if ready else ""


def main(how: str, name: str, endpoint: str, vault: str = "") -> None:
    """Call until standard input ends."""
    read = _reader(name, endpoint, vault)
    clients: dict[str, Any] = {}
    held: dict[str, str] | None = None
    while (heard := _heard()) is not None:
        begun, key = time.monotonic(), "?"
        try:
            if held is None or how == "each" or (how == "told" and heard):
                held = read()
            key = held["aws_access_key_id"]
            if key not in clients:
                clients[key] = _client("sts", endpoint, key, held["aws_secret_access_key"])
            clients[key].get_caller_identity()
            said = "ok"
        except (ClientError, BotoCoreError, hvac.exceptions.VaultError) as error:
            said = f"failed {type(error).__name__} {error}"
        sys.stdout.write(f"{key} {said}\n")
        sys.stdout.flush()
        time.sleep(max(0.0, EVERY - (time.monotonic() - begun)))


if __name__ == "__main__":
    main(*sys.argv[1:])
