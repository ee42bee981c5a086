"""The records of one interface out of a flow log file, while it passes by. Pure.

A file is text: a first line with the names of the fields, then one record a line, fields parted by
spaces; `start` and `end` are Unix seconds (Amazon VPC User Guide, "Flow log records").
"""

from dataclasses import dataclass, field

MOST = 8 << 20
# The longest record of all fields has some 600 bytes.
_LINE = 1 << 16


@dataclass(slots=True)
class FlowLines:
    """Takes a file's content in pieces; keeps the records of an interface in a window of time.

    Times are Unix seconds. `kept` has the first line too; after `MOST` bytes records are only
    counted. `why` says why records could not be told apart, where they could not.
    """

    interface: str
    start: float
    end: float
    kept: bytearray = field(default_factory=bytearray)
    records: int = 0
    matching: int = 0
    why: str = ""
    _rest: bytes = b""
    _fields: list[str] | None = None

    def take(self, piece: bytes) -> None:
        """Take the next piece of the file's content."""
        if self.why:
            return
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > _LINE:
            self.why = f"a line of over {_LINE} bytes: it is no text of flow log records"

    def close(self) -> None:
        """Take what was left without an end of line."""
        last, self._rest = self._rest, b""
        if last and not self.why:
            self._line(last)

    @property
    def cut(self) -> bool:
        """Whether records of the interface were counted and not kept."""
        return len(self.kept) > MOST

    def _line(self, line: bytes) -> None:
        if self._fields is None:
            self._fields = line.decode("ascii", errors="replace").split()
            if "interface-id" not in self._fields:
                self.why = "the file's fields have no interface-id"
            self.kept += line + b"\n"
            return
        self.records += 1
        values = line.decode("ascii", errors="replace").split()
        record = dict(zip(self._fields, values, strict=False))
        if record.get("interface-id") == self.interface and self._within(record):
            self.matching += 1
            if not self.cut:
                self.kept += line + b"\n"

    def _within(self, record: dict[str, str]) -> bool:
        """Whether a record overlaps the window; one without readable times counts."""
        try:
            start, end = float(record["start"]), float(record["end"])
        except (KeyError, ValueError):
            return True
        return start <= self.end and end >= self.start
