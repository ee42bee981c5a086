"""The attacker: a client that holds a host's credentials, and what it can do with them."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


def reach(session: Any, endpoint: str, bucket: str, key: str) -> dict[str, bool]:
    """Return what the credentials in this session can do now."""

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)

    tries: dict[str, Callable[[], Any]] = {
        "list buckets": lambda: client("s3").list_buckets(),
        "read orders": lambda: client("s3").get_object(Bucket=bucket, Key=key),
        "list hosts": lambda: client("ec2").describe_instances(),
        "list roles": lambda: client("iam").list_roles(),
    }
    return {name: _can(act) for name, act in tries.items()}


def _can(act: Callable[[], Any]) -> bool:
    try:
        act()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("AccessDenied", "UnauthorizedOperation", "AccessDeniedException"):
            return False
        raise
    return True
