"""boto3 clients from credentials that AssumeRole gave, which are used at once and not kept."""

from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config

from playbooks.wiring.settings import Settings

# A probe wants the first answer there is: a client that retries would hide what it met.
ONCE = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=5,
    user_agent_extra="stanch-probe",
)


def borrowing(settings: Settings) -> Callable[[Mapping[str, Any]], Callable[[str, str], Any]]:
    """Return what turns such credentials into a function from service and region to client."""

    def borrowed(given: Mapping[str, Any]) -> Callable[[str, str], Any]:
        session = boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        made: dict[tuple[str, str], Any] = {}

        def client(service: str, region: str) -> Any:
            if (service, region) not in made:
                made[service, region] = session.client(  # type: ignore[call-overload]
                    service,
                    region_name=region,
                    endpoint_url=settings.aws_endpoint,
                    config=ONCE,
                )
            return made[service, region]

        return client

    return borrowed
