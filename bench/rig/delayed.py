"""Stands before a server and holds each of its answers back.

python -m bench.rig.delayed PORT SECONDS
"""

import asyncio
import sys

from playbooks.desk.door import bind, url


async def main() -> None:
    port, delay = int(sys.argv[1]), float(sys.argv[2])

    async def connected(near: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        far, to = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(passed(near, to, 0.0), passed(far, out, delay))
        except ConnectionError:
            return
        finally:
            to.close()
            out.close()

    bound = bind(0)
    server = await asyncio.start_server(connected, sock=bound)
    print(f"ready {url(bound)}", flush=True)
    async with server:
        await server.serve_forever()


async def passed(near: asyncio.StreamReader, far: asyncio.StreamWriter, delay: float) -> None:
    while data := await near.read(65536):
        await asyncio.sleep(delay)
        far.write(data)
        await far.drain()
    far.close()


if __name__ == "__main__":
    asyncio.run(main())
