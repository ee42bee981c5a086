"""A C2SP tlog-policy: which cosignatures are enough."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from tests.evidence.second.findings import need
from tests.evidence.second.texts import DECIMAL
from tests.evidence.second.vkeys import COSIGNATURE, ML_DSA_44, NOTE, Vkey, parse_vkey


@dataclass(frozen=True)
class Policy:
    witnesses: Mapping[str, Vkey]
    groups: Mapping[str, tuple[int, tuple[str, ...]]]
    quorum: str

    def met(self, signed: Set[Vkey], name: str | None = None) -> bool:
        """Whether those who signed are a quorum; `quorum none` asks for nobody and proves none."""
        name = self.quorum if name is None else name
        if name in self.witnesses:
            return self.witnesses[name] in signed
        if name not in self.groups:
            return False
        threshold, names = self.groups[name]
        return sum(self.met(signed, one) for one in names) >= threshold


def parse_policy(text: str) -> Policy:
    """Return the policy of this text, or raise `WrongError`."""
    need(all(mark >= " " or mark in "\t\n" for mark in text), "has a control character")
    need(text.endswith("\n"), "its last line does not end")
    witnesses: dict[str, Vkey] = {}
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    quorums: list[str] = []
    used: set[str] = set()
    for line in text.split("\n"):
        words = line.replace("\t", " ").split(" ")
        match [word for word in words if word]:
            case []:
                continue
            case [first, *_] if first.startswith("#"):
                continue
            case ["log", vkey, *rest] if len(rest) <= 1:
                parse_vkey(vkey, (NOTE, ML_DSA_44))
            case ["witness", name, vkey, *rest] if len(rest) <= 1:
                need(name not in {*witnesses, *groups, "none"}, f"{name} is defined twice")
                made = parse_vkey(vkey, (COSIGNATURE, ML_DSA_44))
                same = {one.key for one in witnesses.values()}
                need(made.key not in same, "two witnesses have one key")
                witnesses[name] = made
            case ["group", name, many, *names] if names:
                need(name not in {*witnesses, *groups, "none"}, f"{name} is defined twice")
                for one in names:
                    need(one in {*witnesses, *groups} and one not in used, f"{one} is no member")
                    used.add(one)
                counts = {"any": "1", "all": str(len(names))}
                count = counts.get(many, many)
                need(bool(DECIMAL.fullmatch(count)), f"{many} is no threshold")
                need(1 <= int(count) <= len(names), f"{many} is no threshold")
                groups[name] = int(count), tuple(names)
            case ["quorum", name]:
                need(name in {*witnesses, *groups, "none"}, f"{name} is not defined")
                quorums.append(name)
            case _:
                need(False, f"a line is not known: {line:.60}")
    need(len(quorums) == 1, "there is not one quorum line")
    return Policy(witnesses, groups, quorums[0])
