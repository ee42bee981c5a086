"""What is still open, or a person's to do: said in the incident until it is shut."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from playbooks.case import store

if TYPE_CHECKING:
    from playbooks.case.case import Case

NO_CONSOLE = (
    "to do: give the owner a new password once the user is released; nobody knows the one that "
    "was set, and the old one cannot be given back"
)


def open_point(case: "Case", name: str, text: str) -> None:
    """Put it on the list; once, and until shut. In a dry run nothing is put anywhere."""
    _put(case, name, {"kind": "open", "error": text})


def shut_point(case: "Case", name: str) -> None:
    """Take it off the list, if it stands there."""
    if case.store.read(lambda conn: name in store.left(conn, case.incident.id)):
        _put(case, name, {"kind": "needless", "error": "no longer open"})


def _put(case: "Case", name: str, what: dict[str, str]) -> None:
    known = case.store.read(lambda conn: store.left(conn, case.incident.id))
    if case.dry or known.get(name) == what:
        return

    def work(conn: Connection) -> None:
        store.leave(conn, case.incident.id, name, what)
        body = {"point": name} | what
        case.record.note(conn, case.incident.id, f"point.{what['kind']}", body)

    case.store.commit(work)
