"""The least that could take an alert in durably: a bare handler, and one SQLite insert each.

    python -m bench.rig.bare FILE

As bare as Stanch's door is guarded: no signature, no reading, no correlation, no ledger. One
thread commits what waits together, as Stanch does; what is left is HTTP, the hand-over, the disk.
"""

import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playbooks.desk.door import bind, url
from playbooks.intake.listen import listening
from playbooks.intake.together import Together


def main() -> None:
    database = sqlite3.connect(Path(sys.argv[1]), check_same_thread=False, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE taken (id INTEGER PRIMARY KEY, body BLOB)")

    def insert(bodies: list[bytes]) -> list[str]:
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO taken (body) VALUES (?)", [(one,) for one in bodies])
        database.execute("COMMIT")
        return [""] * len(bodies)

    together = Together(insert, ThreadPoolExecutor(1))

    async def intake(request: Request) -> Response:
        await together.do(await request.body())
        return Response(b'{"incident":"", "new":false}', 202, media_type="application/json")

    made = Starlette(routes=[Route("/intake/generic", intake, methods=["POST"])])
    bound = bind(0)
    print(f"ready {url(bound)}", flush=True)
    uvicorn.Server(listening(made, bound.getsockname()[1])).run(sockets=[bound])


if __name__ == "__main__":
    main()
