"""AWS accounts: is the role ours to assume, and do the clocks agree."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place, lasted

# AWS refuses signatures five minutes off (Signature Version 4, "Eliminate the time window"), and so
# does Stanch; leases and cut-off times suffer long before.
AHEAD, FAR = timedelta(seconds=5), timedelta(seconds=60)
# A Date header has whole seconds (RFC 9110 section 5.6.7).
COARSE = timedelta(seconds=1)


def account(place: Place, id: str, region: str) -> Iterator[Finding]:
    """Say whether the account's role can be assumed, and whether AWS's clock is ours."""
    sts = place.sessions().maker(id, region)("sts")
    before = place.now()
    answer = sts.get_caller_identity()
    after = place.now()
    yield ok(f"{id}/{region}", "session assumed, account confirmed")
    if at := _date(answer):
        yield _skew(f"clock of AWS ({id}/{region})", at, before - COARSE, after)


def database_clock(place: Place) -> Iterator[Finding]:
    """Say whether the database's clock, which leases and timers go by, is ours."""
    db = place.store()

    def read(conn: Connection) -> datetime | None:
        same = conn.dialect.name == "sqlite"
        return None if same else store.clock(conn, place.now)

    before = place.now()
    at = db.read(read)
    after = place.now()
    if at is None:
        yield ok("clock of the database", "this host's: the database is a file")
    else:
        yield _skew("clock of the database", at, before, after)


def _date(answer: Any) -> datetime | None:
    text = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _skew(check: str, theirs: datetime, before: datetime, after: datetime) -> Finding:
    """Compare with the nearest time in which the answer may have been given."""
    off = max(theirs - after, before - theirs, timedelta(0))
    way = "ahead of" if theirs > after else "behind"
    what = f"{lasted(off)} {way} this host's"
    do = "Synchronise this host's clock (chrony, or systemd-timesyncd)."
    if off > FAR:
        return bad(check, what + "; AWS and senders may be refused, or refuse us", do)
    if off > AHEAD:
        return warn(check, what, do)
    return ok(check, "agrees with this host's")
