"""The spool, which takes what the database cannot: there, whole, writable, on a disk of its own."""

from collections.abc import Iterator
from datetime import datetime

from playbooks.case.spool import HEADER, Contents, Spool
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place, lasted

MIB = 1 << 20


def spool(place: Place) -> Iterator[Finding]:
    """Say whether the spool would hold what containment must record while the database is away."""
    path = place.settings.spool_path
    if not path.is_file():
        yield warn(
            "spool",
            f"there is no {path}: while the database is away, all is only proposed",
            "`stanch serve` makes it where it may write; else make its folder, or name another.",
        )
        return
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        yield bad("spool", f"{path} is open to others (mode {mode:04o})", f"chmod go= {path}")
    with path.open("r+b"):
        pass  # What cannot be opened for writing raises, and is told.
    seen = Spool(path).read()
    if seen.damage or seen.torn:
        yield bad(
            "spool",
            f"{len(seen.damage)} places in {path} cannot be read, and {seen.torn} bytes at its end",
            "A disk that loses bytes? What can be read is imported; a copy of the rest is kept.",
        )
    yield _waiting(place, seen)
    if path.parent.stat().st_dev == place.settings.home.stat().st_dev:
        yield warn(
            "spool",
            f"{path} lies on the disk of {place.settings.home}: both are full at once",
            "Name a path on another disk under [spool].",
        )


def _waiting(place: Place, seen: Contents) -> Finding:
    used = f"{(seen.end - HEADER) / MIB:.1f} of {seen.size / MIB:.0f} MiB"
    if not seen.records:
        return ok("spool", f"empty, {seen.size / MIB:.0f} MiB")
    times = [one.body["at"] for one in seen.records if isinstance(one.body.get("at"), str)]
    since = f", the oldest {lasted(place.now() - datetime.fromisoformat(times[0]))} old"
    return warn(
        "spool",
        f"{len(seen.records)} records wait to be imported ({used}){since if times else ''}",
        "Bring the database back; `stanch serve` then imports them. Nothing else runs on those "
        "targets meanwhile.",
    )
