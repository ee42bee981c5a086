"""Opens the store of artifacts that the settings name."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from botocore.config import Config

from evidence.artifact_store import ArtifactStore
from evidence.errors import StoreRefusedError
from evidence.locker import Locker
from evidence.s3_bucket import Bucket
from evidence.s3_store import S3Store, Terms
from playbooks.errors import SettingsError
from playbooks.wiring.sessions import Sessions
from playbooks.wiring.settings import Settings
from playbooks.wiring.store_terms import place

# A part is sent in one request, and S3 may take its time to answer.
PATIENT = Config(
    read_timeout=120,
    retries={"mode": "standard", "total_max_attempts": 4},
    # What is read is hashed here, and S3 has no checksum of a part's range.
    response_checksum_validation="when_required",
)


def open_store(
    settings: Settings,
    sessions: Sessions,
    now: Callable[[], datetime],
    randomness: Callable[[int], bytes] = os.urandom,
) -> ArtifactStore:
    """Return the store of the settings. A bucket is not asked anything before it is used."""
    folder = Locker(settings.home / "evidence", randomness)
    found = place(settings.store)
    if found is None:
        return folder
    said = settings.storing
    account, region = said.account or "", said.region or ""
    made: list[Any] = []

    def client() -> Any:
        try:
            if not made:
                made.append(sessions.storing(account, region, PATIENT, said.endpoint))
        except SettingsError as error:
            # For a keep, this is a store that cannot be had, and holds no containment up.
            raise StoreRefusedError(str(error), "NoCredentials") from error
        return made[0]

    return S3Store(
        Bucket(*found, account, client),
        folder.keys,
        settings.home / "staging",
        Terms(
            timedelta(days=said.retention_days or 0),
            said.mode.upper(),
            said.kms_key,
            said.part_mebibytes << 20,
        ),
        now,
        randomness,
    )
