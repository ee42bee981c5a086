"""Timestamp authorities: pinned well, not about to expire, and heard from."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection

from evidence import timestamp_store
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place, lasted
from playbooks.wiring import timestamp_terms
from playbooks.wiring.timestamp_terms import Askable

# Before a certificate ends, its successor is to be pinned and given to auditors.
SOON = timedelta(days=30)
# What this machine's clock may differ from an authority's.
SKEW = timedelta(seconds=60)


def timestamps(place: Place, name: str) -> Iterator[Finding]:
    """Say how one authority stands."""
    check = f"timestamps {name}"
    [one] = [a for a in timestamp_terms.authorities(place.settings) if a.pinned.name == name]
    yield _certificate(place, check, one)
    if one.url is None:
        yield ok(check, "is not asked any more; its tokens still count")
        return
    yield from _asked(place, check, name)


def _certificate(place: Place, check: str, one: Askable) -> Finding:
    left = one.pinned.certificate.not_valid_after_utc - place.now()
    if left > SOON or one.url is None:
        return ok(check, f"its certificate is pinned, {lasted(abs(left))} before its end")
    do = (
        "Pin the authority's next certificate under a new name, drop this one's `url`, and give "
        "auditors what `stanch trust` writes."
    )
    if left > timedelta():
        return warn(check, f"its certificate ends in {lasted(left)}", do)
    return bad(check, f"its certificate ended {lasted(-left)} ago, so no token is taken", do)


def _asked(place: Place, check: str, name: str) -> Iterator[Finding]:
    def read(conn: Connection) -> tuple[timestamp_store.Tried | None, bool]:
        tried = {one.authority: one for one in timestamp_store.tries(conn)}.get(name)
        size = timestamp_store.last_sizes(conn).get(name, 0)
        return tried, bool(timestamp_store.unstamped(conn, size))

    db = place.store()
    tried, waits = db.read(read)
    stamped = db.read(timestamp_store.last_times).get(name)
    late = timedelta(minutes=2 * place.settings.timestamping.minutes)
    if tried is None:
        do = "Is `stanch serve` or `stanch worker` running? `stanch export` asks too."
        yield warn(check, "was never asked", do) if waits else ok(check, "has nothing to stamp yet")
    elif tried.failed:
        yield warn(
            check,
            f"gives no token since {lasted(place.now() - tried.since)}: {tried.failed}",
            "Look at the authority and at what is pinned of it. Nothing else is held up.",
        )
    elif waits and place.now() - tried.at > late:
        yield warn(
            check,
            f"new entries wait, and it was last asked {lasted(place.now() - tried.at)} ago",
            "Is `stanch serve` or `stanch worker` running?",
        )
    elif stamped is not None and abs(tried.at - stamped) > SKEW:
        yield warn(
            check,
            f"its clock and this machine's differ by {lasted(abs(tried.at - stamped))}",
            "Set this machine's clock (NTP): what entries claim of their time is compared.",
        )
    else:
        yield ok(check, f"gave a token {lasted(place.now() - tried.at)} ago")
