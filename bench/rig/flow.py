"""Prefect alone: how long an empty flow takes from its call until it runs, in a warm process."""

import asyncio
import json
import time

from prefect import flow

RUNS = 20


@flow(persist_result=False, retries=0)
async def empty() -> float:
    return time.perf_counter()


async def main() -> None:
    await empty()
    took = []
    for _ in range(RUNS):
        called = time.perf_counter()
        took.append(await empty() - called)
    print(json.dumps(took))


if __name__ == "__main__":
    asyncio.run(main())
