"""How every figure is printed: one line, with how busy the machine was by then."""

import os
from collections.abc import Sequence


def tell(name: str, value: float, unit: str, note: str = "") -> None:
    """Print one figure; the load is the machine's over the last minute, this run's own included."""
    load = os.getloadavg()[0]
    print(f"BENCH {name} {value:.3f} {unit} (load {load:.1f}{'; ' + note if note else ''})")


def skip(what: str, why: object) -> None:
    print(f"SKIP {what}: {why}", flush=True)


def at(share: float, values: Sequence[float]) -> float:
    """Return the value that so large a share of them does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def spread(name: str, seconds: Sequence[float], note: str = "") -> None:
    """Print p50, p99 and the largest in milliseconds."""
    for what, value in (("p50", at(0.5, seconds)), ("p99", at(0.99, seconds))):
        tell(f"{name}_{what}", value * 1e3, "ms", note)
    tell(f"{name}_max", max(seconds) * 1e3, "ms", note)
