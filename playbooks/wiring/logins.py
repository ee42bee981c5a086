"""How to see whether a new secret opens anything, before its readers are given it."""

import json
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from playbooks.wiring.sessions import CONFIG
from playbooks.wiring.settings import Settings

Login = Callable[[Mapping[str, str]], bool]
# What AWS answers to a key that is not known, or not known yet (STS, IAM: common errors).
UNKNOWN = {"InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"}
# Seconds that a login program has.
PATIENCE = 30.0


def logins(settings: Settings, region: str) -> dict[str, Login]:
    """Return a login for each kind of secret that can be tried: "access_key", or a secret's place.

    An access key is tried with GetCallerIdentity, which no policy denies (STS API reference). A
    stored value goes to the program that the team named for it, on standard input: so it stands
    in no argument and no environment.
    """
    found: dict[str, Login] = {"access_key": lambda held: _opens_aws(settings, region, held)}
    for one in settings.rotation.credentials.values():
        if one.login:
            found[one.stored or one.target] = _program(one.login)
    return found


def _opens_aws(settings: Settings, region: str, held: Mapping[str, str]) -> bool:
    # A session of its own: the key is held by nothing else, and goes with it.
    client: Any = boto3.Session(held["id"], held["secret"], region_name=region).client(
        "sts", config=CONFIG, endpoint_url=settings.aws_endpoint
    )
    try:
        client.get_caller_identity()
    except ClientError as error:
        if error.response["Error"]["Code"] in UNKNOWN:
            return False
        raise
    finally:
        client.close()
    return True


def _program(command: tuple[str, ...]) -> Login:
    def login(held: Mapping[str, str]) -> bool:
        # What it prints may hold the secret: nobody reads it.
        try:
            done = subprocess.run(  # noqa: S603 - named by the team in its settings
                command,
                input=json.dumps(dict(held)).encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    return login
