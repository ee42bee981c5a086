"""How steps, changes and times read on a screen; JSON has them in full."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.markup import escape

from playbooks.desk.cli.surroundings import printable, visible

# Longer values are cut on a screen.
WIDTH = 300


def clock(stamp: str) -> str:
    """Return an RFC 3339 time in UTC to the second, such as 2026-03-01 03:14:15Z."""
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def name(step: str, target: Mapping[str, str]) -> str:
    """Return a step's name, without the incident's own target: the headline has that."""
    where = f"{target.get('account')}/{target.get('region')}"
    plain = step.replace(f"/{where}/{target.get('id')}", "").replace(f"/{where}", "")
    return printable(plain)


def where(target: Mapping[str, str]) -> str:
    """Return account, region and host."""
    return printable(" ".join(target[k] for k in ("account", "region", "id")))


def once(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a story in which the freeze that stands is told in full by `frozen` alone."""
    freeze = told["frozen"]

    def short(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(freeze, "frozen")
        if isinstance(value, Mapping):
            return {key: short(one) for key, one in value.items()}
        return [short(one) for one in value] if isinstance(value, list | tuple) else value

    return (short(told) | {"frozen": freeze}) if freeze else dict(told)


def change(key: str, before: Any, after: Any) -> str:
    """Return one key's change; of two maps only what differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        differs = [k for k in after if before.get(k) != after[k]] or list(after)
        told = ", ".join(f"{k} {_arrow(before.get(k), after[k])}" for k in differs)
    else:
        told = _arrow(before, after)
    return f"{printable(key)}: {told}"


def folded(texts: list[str]) -> str:
    """Return texts with how often each occurs, in the order of their first."""
    counts = {text: texts.count(text) for text in texts}
    return ", ".join(f"{n} x {text}" if n > 1 else text for text, n in counts.items())


def together(said: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Return each reason once, with the steps that it is given for, in the order of the first."""
    steps: dict[str, list[str]] = {}
    for why, step in said:
        steps.setdefault(why, []).append(step)
    return list(steps.items())


def names(steps: Iterable[str], target: Mapping[str, str]) -> str:
    """Return the steps' names, as `name` has them, with commas."""
    return ", ".join(name(step, target) for step in steps)


def _arrow(before: Any, after: Any) -> str:
    return f"{_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = visible(value)
    return escape(text if len(text) <= WIDTH else text[: WIDTH - 3] + "...")
