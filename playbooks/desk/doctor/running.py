"""Runs checks side by side, each for a bounded time."""

import threading
import time
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy.exc import DBAPIError

from evidence.errors import EvidenceError
from playbooks.desk.doctor.finding import Check, Finding, bad, warn
from playbooks.errors import PlaybookError
from playbooks.intake.errors import IntakeError
from playbooks.wiring.hidden import redact

# With everything down, the whole of it ends within ten seconds.
PATIENCE = 8.0


def run(checks: Mapping[str, Check], patience: float = PATIENCE) -> list[Finding]:
    """Run all checks at once and return what they found, in their order, secrets masked.

    One that does not end within `patience` seconds is a warning of its own.
    """
    found: dict[str, list[Finding]] = {}

    def one(name: str, check: Check) -> None:
        found[name] = _guarded(name, check)

    # Daemons: a pool's threads would be waited for at the end, however long they hang.
    threads = {
        name: threading.Thread(target=one, args=(name, check), daemon=True)
        for name, check in checks.items()
    }
    for thread in threads.values():
        thread.start()
    end = time.monotonic() + patience
    for thread in threads.values():
        thread.join(max(end - time.monotonic(), 0))
    told = []
    for name in checks:
        late = warn(
            name,
            f"no answer within {patience:.0f} s",
            "Look whether the network, the database or the disk is slow, and try again.",
        )
        told += found.get(name, [late])
    return [Finding(f.check, f.level, redact(f.what), redact(f.do)) for f in told]


def _guarded(name: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except (PlaybookError, EvidenceError, IntakeError, OSError) as error:
        # These say themselves what to do next.
        return [bad(name, str(error), "")]
    except DBAPIError as error:
        why = str(error.orig).strip().partition("\n")[0]
        return [
            bad(name, f"the database cannot be used: {why}", "Check that it runs, and its disk.")
        ]
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        why = code or type(error).__name__
        return [
            bad(name, f"AWS answered {why}", "Check the network, the role and its permissions.")
        ]
    except Exception as error:
        # One check that breaks must not keep the others from being read.
        why = f"the check itself broke: {type(error).__name__}"
        return [bad(name, why, "Please report it with what `stanch doctor --json` says.")]
