"""What the rooms may contain, as checks over source text; each returns its complaints.

A check takes a `Source` and reads its syntax tree; nothing is imported or run.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

ROOMS = {"actions": set(), "evidence": set(), "playbooks": {"actions", "evidence"}}
SHOWS_PREFECT = {"playbooks.case.play", "playbooks.case.shown"}
# Top-level files of playbooks/ that are not plays.
NOT_PLAYS = {"__init__", "__main__", "errors"}
# What a schedule of Prefect's enters, as plays by their layer.
SCHEDULES = {"follow_ups"}
# What a reflex may ask of its case: what is pre-approved, and nothing that waits for people.
REFLEX = {"act", "together", "in_turn"}
# Each layer may import those to the right of it (architecture, "The house").
LAYERS = (
    "drills",
    "desk",
    "intake respond",
    "PLAYS",
    "review rotation notification",
    "case",
    "wiring",
    "duties",
)
NEVER_NAMED = {"utils", "helpers", "common", "base", "manager", "handler", "misc"}
OUTSIDE = {"boto3", "botocore", "hvac", "requests", "httpx", "urllib3", "socket", "subprocess"}
CLOCK_OR_CHANCE = {"datetime", "time", "random", "secrets", "uuid", "asyncio"}
HARD_CAP = 400


@dataclass(frozen=True)
class Source:
    """One module: its dotted name and its text."""

    module: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        return self.module.partition(".")[0]

    @property
    def stem(self) -> str:
        return self.module.rpartition(".")[2]

    @property
    def is_play(self) -> bool:
        return (
            self.module.count(".") == 1
            and self.room == "playbooks"
            and (self.stem not in NOT_PLAYS | SCHEDULES)
        )

    def nodes(self, kind: type[ast.AST]) -> Iterator[ast.AST]:
        return (n for n in ast.walk(self.tree) if isinstance(n, kind))


def imports(source: Source, *, running: bool = False) -> set[str]:
    """Return every dotted name that is imported, anywhere; `running` leaves out TYPE_CHECKING."""
    typing_only = {
        id(inner)
        for node in source.nodes(ast.If)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(source.tree):
        if running and id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = source.module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            found |= {origin} | {f"{origin}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return {name for name in found if isinstance(name, str)}


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def _tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def walls(source: Source) -> list[str]:
    """A room imports itself and what is under it; tests are imported by none."""
    alien = _tops(imports(source)) & {*ROOMS, "tests", "bench"}
    return [f"imports {a}" for a in sorted(alien - ROOMS[source.room] - {source.room})]


def layers(source: Source) -> list[str]:
    """In playbooks/, imports go one way, from the desk to the wiring."""
    here = _layer(source.module)
    if here is None:
        return []
    above = {i: name for i, name in enumerate(LAYERS) if i < here}
    return [
        f"imports {name} of {above[i]}, a layer above"
        for name in sorted(imports(source))
        if (i := _layer(name)) in above
    ]


def _layer(module: str) -> int | None:
    parts = module.split(".")
    if parts[0] != "playbooks" or len(parts) < 2 or parts[1] in NOT_PLAYS:
        return None
    named = [i for i, names in enumerate(LAYERS) if parts[1] in names.split()]
    return named[0] if named else (LAYERS.index("PLAYS") if len(parts) == 2 else None)


def prefect(source: Source) -> list[str]:
    """Prefect schedules and shows, from two files; nothing else may lean on it."""
    if source.module in SHOWS_PREFECT or "prefect" not in _tops(imports(source)):
        return []
    return ["imports prefect"]


def clients(source: Source) -> list[str]:
    """In the leaves, clients are passed in."""
    if source.room == "playbooks":
        return []
    wrong = ["imports boto3"] if "boto3" in _tops(imports(source, running=True)) else []
    for node in source.nodes(ast.Call):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("client", "resource") and node.args:
                wrong.append(f"makes a client in line {node.lineno}")
    return wrong


def plays(source: Source) -> list[str]:
    """A play reads as the runbook it replaces: one @play, no try, no provider, no clock."""
    if not source.is_play:
        return []
    wrong = [f"has try in line {n.lineno}" for n in source.nodes(ast.Try)]  # type: ignore[attr-defined]
    wrong += [f"has while in line {n.lineno}" for n in source.nodes(ast.While)]  # type: ignore[attr-defined]
    tops = _tops(imports(source))
    wrong += [f"imports {name}" for name in sorted(tops & (OUTSIDE | CLOCK_OR_CHANCE))]
    if {n for n in imports(source) if n.endswith(".clients") or n.startswith("playbooks.wiring")}:
        wrong.append("reaches for a provider")
    marked = [
        node
        for node in source.nodes(ast.AsyncFunctionDef)
        if isinstance(node, ast.AsyncFunctionDef)
        and any(ast.unparse(d).startswith("play") for d in node.decorator_list)
    ]
    if len(marked) != 1:
        return [*wrong, f"has {len(marked)} @play functions, expected one"]
    for one in marked[0].decorator_list:
        if isinstance(one, ast.Call):
            wrong += _reflex(source, marked[0], one)
    return wrong


def _reflex(source: Source, play: ast.AsyncFunctionDef, decorator: ast.Call) -> list[str]:
    """A reflex is the play's own beginning: of this file, acts alone, and before all others."""
    given = {word.arg: ast.unparse(word.value) for word in decorator.keywords}
    if decorator.args or given.keys() != {"reflex"}:
        return [f"says {ast.unparse(decorator)}, expected @play(reflex=...)"]
    name = given["reflex"]
    found = [
        node
        for node in source.nodes(ast.AsyncFunctionDef)
        if isinstance(node, ast.AsyncFunctionDef) and node.name == name
    ]
    if len(found) != 1:
        return [f"has no function {name} in this file"]
    more = {v for v in _verbs(found[0]) if v not in REFLEX}
    wrong = [f"asks {v} of the case in its reflex" for v in sorted(more)]
    begins = next((s for s in play.body if _verbs(s) & {"act", "ask", "keep"}), None)
    calls = [n for n in ast.walk(begins or play) if isinstance(n, ast.Call)]
    if begins is None or [ast.unparse(n.func) for n in calls].count(name) != 1:
        wrong.append(f"does not begin with {name}")
    return wrong


def _verbs(node: ast.AST) -> set[str]:
    """Return the names of what is called on the case."""
    called = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    return {
        f.attr for f in called if isinstance(f, ast.Attribute) and ast.unparse(f.value) == "case"
    }


NAIVE = {"utcnow", "utcfromtimestamp", "today"}


def naive_time(source: Source) -> list[str]:
    """Every time knows its zone."""
    wrong = []
    for node in source.nodes(ast.Call):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if ast.unparse(node.func.value).rpartition(".")[2] not in ("datetime", "date"):
            continue
        zoned = len(node.args) + len(node.keywords) > (node.func.attr == "fromtimestamp")
        if node.func.attr in NAIVE or (node.func.attr in ("now", "fromtimestamp") and not zoned):
            wrong.append(f"naive time in line {node.lineno}: {ast.unparse(node)}")
    return wrong


def unsafe(source: Source) -> list[str]:
    """No shell, pickle, eval; no TLS verification off; no error swallowed unnamed."""
    wrong = [f"imports {n}" for n in sorted(_tops(imports(source)) & {"pickle", "marshal"})]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in ("eval", "exec", "os.system", "os.popen"):
                wrong.append(f"calls {ast.unparse(node.func)} in line {node.lineno}")
            for word in node.keywords:
                said = (word.arg, ast.unparse(word.value))
                if said in (("shell", "True"), ("verify", "False")):
                    wrong.append(f"says {said[0]}={said[1]} in line {node.lineno}")
        elif isinstance(node, ast.ExceptHandler):
            broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
            if broad and all(isinstance(s, ast.Pass | ast.Continue) for s in node.body):
                wrong.append(f"swallows every error in line {node.lineno}")
    return wrong


def size(source: Source) -> list[str]:
    """No file is longer than a person reads in one go."""
    lines = source.text.count("\n")
    return [f"has {lines} lines, at most {HARD_CAP}"] if lines > HARD_CAP else []


def naming(source: Source) -> list[str]:
    """A file says what it holds; folders too."""
    vague = [part for part in source.module.split(".") if part in NEVER_NAMED]
    return [f"is named {part}, which says nothing" for part in vague]


# A folder of one machine: a root that code elsewhere does not have.
MACHINE = re.compile(r"(?<![\w.}])/(?:work|tmp|home|root)/\w")
INDEX = "index" + "-url"


def machine_paths(source: Source) -> list[str]:
    """No path of somebody's machine, no package index."""
    return [
        f"names a machine's path in line {i}"
        for i, line in enumerate(source.text.splitlines(), 1)
        if MACHINE.search(line) or INDEX in line
    ]


Check = Callable[[Source], list[str]]
EVERYWHERE: tuple[Check, ...] = (naive_time, unsafe, size, naming)
IN_ROOMS: tuple[Check, ...] = (walls, layers, prefect, clients, plays, machine_paths)
