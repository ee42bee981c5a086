"""Runs `stanch` and says at its end where its threads were, sampled each 5 ms.

    python -m bench.rig.sampled serve --port 0

A thread that waits for the interpreter is where it waits; one that waits for work is left out.
"""

import sys
import threading
import time
from collections import Counter
from types import FrameType

from playbooks.__main__ import main

PERIOD = 0.005
SHOWN = 45
IDLE = ("select", "wait", "_worker", "until_told", "_wait_for_tstate_lock", "keep")


def sample(counts: Counter[str], total: Counter[str], ending: threading.Event) -> None:
    me = threading.get_ident()
    while not ending.wait(PERIOD):
        for ident, frame in sys._current_frames().items():
            if ident != me and frame.f_code.co_name not in IDLE:
                name = next((t.name for t in threading.enumerate() if t.ident == ident), "?")
                counts[f"{name.rstrip('0123456789')} {place(frame)}"] += 1
                seen: set[str] = set()
                above: FrameType | None = frame
                while above is not None:
                    seen.add(place(above))
                    above = above.f_back
                total.update(seen)


def place(frame: FrameType) -> str:
    code = frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-2:])}:{code.co_name}"


def report(counts: Counter[str], total: Counter[str]) -> None:
    every = sum(counts.values())
    for title, found in (("itself", counts), ("with what it calls", total)):
        print(f"{title} ({every} samples)", file=sys.stderr)
        for name, count in found.most_common(SHOWN):
            print(f"{100 * count / every:6.1f} %  {name}", file=sys.stderr)


if __name__ == "__main__":
    counts: Counter[str] = Counter()
    total: Counter[str] = Counter()
    ending = threading.Event()
    thread = threading.Thread(target=sample, args=(counts, total, ending), daemon=True)
    thread.start()
    began = time.monotonic()
    try:
        main()
    finally:
        ending.set()
        thread.join()
        print(f"sampled for {time.monotonic() - began:.0f} s", file=sys.stderr)
        report(counts, total)
