"""A consumer of a credential, in a process of its own: it calls AWS with it every 100 ms.

    python -m tests.stories.consumer HOW ENDPOINT [VAULT]

HOW is `each` (reads the credential before each call), `told` (reads it again when a line comes in
on standard input), or `once` (never again). It reads from Secrets Manager with the keys in its
environment or, where a VAULT's URL is given, from its KV engine. Each call is a line on standard
output: the key's id and `ok`, or what failed. It ends when its standard input does.
"""

import json
import os
import select
import sys
import time

import boto3
import hvac
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.actions.aws.rotating import NAME

EVERY = 0.1
ONCE = Config(retries={"total_max_attempts": 1})


def client(service: str, endpoint: str, key: str, secret: str):
    return boto3.Session(key, secret, region_name=os.environ["AWS_DEFAULT_REGION"]).client(
        service, endpoint_url=endpoint, config=ONCE
    )


def reader(endpoint: str, vault: str):
    """Return what reads id and secret of the credential as they are now."""
    if vault:
        there = hvac.Client(url=vault, token=os.environ["VAULT_TOKEN"])
        kv = there.secrets.kv.v2
        return lambda: kv.read_secret_version(NAME, raise_on_deleted_version=True)["data"]["data"]
    own = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    manager = client("secretsmanager", endpoint, *own)
    return lambda: json.loads(manager.get_secret_value(SecretId=NAME)["SecretString"])


def told() -> str | None:
    """Return a line that came in, "" where none did, or None at the end."""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return (sys.stdin.readline() or None) if ready else ""


def main(how: str, endpoint: str, vault: str = "") -> None:
    read, clients, held = reader(endpoint, vault), {}, None
    while (heard := told()) is not None:
        begun, key = time.monotonic(), "?"
        try:
            if held is None or how == "each" or (how == "told" and heard):
                held = read()
            key = held["aws_access_key_id"]
            if key not in clients:
                clients[key] = client("sts", endpoint, key, held["aws_secret_access_key"])
            clients[key].get_caller_identity()
            said = "ok"
        except (ClientError, BotoCoreError, hvac.exceptions.VaultError) as error:
            said = f"failed {type(error).__name__} {error}"
        print(key, said, flush=True)
        time.sleep(max(0.0, EVERY - (time.monotonic() - begun)))


if __name__ == "__main__":
    main(*sys.argv[1:])
