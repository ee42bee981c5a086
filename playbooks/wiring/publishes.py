"""Opens the place where the settings say that the ledger is published."""

from typing import Any

from botocore.config import Config

from evidence.s3_bucket import Bucket
from evidence.tiles_bucket import TilesBucket
from evidence.tiles_folder import TilesFolder
from evidence.tiles_publish import Place
from playbooks.wiring.publish_terms import folder_of
from playbooks.wiring.sessions import Sessions
from playbooks.wiring.settings import Settings
from playbooks.wiring.store_terms import place

PATIENT = Config(read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3})


def open_place(settings: Settings, sessions: Sessions) -> Place | None:
    """Return where the ledger is published, None where it is not. Nothing is asked yet."""
    said = settings.publishing
    if said is None:
        return None
    if (folder := folder_of(said.uri)) is not None:
        return TilesFolder(folder)
    name, prefix = place(said.uri) or ("", "")
    made: list[Any] = []

    def client() -> Any:
        if not made:
            made.append(
                sessions.storing(said.account or "", said.region or "", PATIENT, said.endpoint)
            )
        return made[0]

    return TilesBucket(Bucket(name, prefix, said.account or "", client))
