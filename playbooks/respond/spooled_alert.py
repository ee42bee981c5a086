"""An alert as JSON and back, whole: for the spool, from which it is accepted later."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from playbooks.intake.accepted import Came
from playbooks.intake.alert import Alert, Resource

_TIMES = ("first_seen", "last_seen", "received")
_LISTS = ("remote_ips", "problems")


def written(alert: Alert, came: Came) -> dict[str, Any]:
    """Return the alert, and how it came, as JSON values."""
    told = asdict(alert)
    told |= {name: told[name].isoformat() for name in _TIMES}
    told |= {name: list(told[name]) for name in _LISTS}
    how = asdict(came) | {"signed": came.signed.isoformat() if came.signed else None}
    return {"alert": told, "came": how}


def read(told: Mapping[str, Any]) -> tuple[Alert, Came]:
    """Return the alert and how it came. Raise KeyError or ValueError when it is not one."""
    values = {f.name: told["alert"][f.name] for f in fields(Alert)}
    values |= {name: datetime.fromisoformat(values[name]) for name in _TIMES}
    values |= {name: tuple(values[name]) for name in _LISTS}
    values["resource"] = Resource(**values["resource"])
    how = dict(told["came"])
    how["signed"] = datetime.fromisoformat(how["signed"]) if how["signed"] else None
    return Alert(**values), Came(**how)
