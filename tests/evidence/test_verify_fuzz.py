"""Whatever stands in a bundle or in trust input, the verifier gives a verdict and never breaks."""

import copy as copying
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from evidence import bag, jws
from evidence.canonical import canonical
from evidence.leaf import actor_commitment, body_commitment, read_leaf, write_leaf
from evidence.manifest import TYP
from evidence.strict_json import canonical_form, parse
from evidence.verify import verify_bundle
from tests.evidence.forgery import payload, read_lines, rebag, restate, retell, write_lines

ODD = [None, True, -1, 0, 2**52, "", "x", "00" * 32, "\u202e\x1b", [], {}, [[]], {"x": {}}, ["00"]]


def places(value, path=()):
    """Every place in a JSON value at which something else could stand."""
    yield path
    inner = dict(enumerate(value)) if isinstance(value, list) else value
    for name, item in inner.items() if isinstance(inner, dict) else ():
        yield from places(item, (*path, name))


def put(value, path, new):
    """A copy of `value` with `new` at `path`."""
    if not path:
        return new
    changed = copying.deepcopy(value)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = new
    return changed


@pytest.mark.parametrize("name", [bag.ENTRIES, bag.PROOFS])
def test_odd_values_anywhere_in_entries_and_proofs(original, copy, name):
    chance = random.Random(name)
    lines = read_lines(original[1], name)
    for _ in range(120):
        number = chance.randrange(len(lines))
        path = chance.choice(list(places(lines[number])))
        odd = put(lines[number], path, chance.choice(ODD))
        if odd == lines[number]:
            continue
        write_lines(copy, name, [*lines[:number], odd, *lines[number + 1 :]])
        rebag(copy)
        verdict = verify_bundle(copy, original[0].trust)
        assert verdict.exit_code in (1, 2), (path, odd)


def test_odd_values_anywhere_in_a_leaf(original, copy):
    lines = read_lines(original[1], bag.ENTRIES)
    leaf = parse(lines[3]["leaf"].encode())
    for path in places(leaf):
        for odd in ODD:
            changed = put(leaf, path, odd)
            if changed == leaf:
                continue
            text = canonical_form(changed).decode()
            write_lines(copy, bag.ENTRIES, [*lines[:3], {**lines[3], "leaf": text}, *lines[4:]])
            verdict = verify_bundle(copy, original[0].trust)
            assert verdict.exit_code == 1, (path, odd)


def test_odd_values_anywhere_in_a_manifest_and_in_the_statement(original, copy):
    chamber = original[0]
    keys = {chamber.signer.kid: chamber.signer.key.public_key()}
    manifest = next(n for n in payload(copy) if n.startswith(bag.MANIFESTS))
    for name, typ in ((manifest, TYP), (bag.EXPORT, bag.EXPORT_TYP)):
        token = (copy / name).read_text()
        content = parse(jws.verify(token, keys, typ))
        for path in places(content):
            for odd in ODD:
                changed = put(content, path, odd)
                if changed == content:
                    continue
                forged = jws.sign(canonical(changed), chamber.signer.key, chamber.signer.kid, typ)
                (copy / name).write_text(forged)
                verdict = verify_bundle(copy, chamber.trust)
                assert verdict.exit_code in (1, 2), (name, path, odd)
        (copy / name).write_text(token)
    assert verify_bundle(copy, chamber.trust).exit_code == 3


def test_odd_values_anywhere_in_trust_input(original):
    chamber, bundle = original
    trust = chamber.trust
    for path in places(trust):
        for odd in ODD:
            changed = put(trust, path, odd)
            if changed == trust or not isinstance(changed, dict):
                continue
            verdict = verify_bundle(bundle, changed)
            # Another kid is well formed, and then no token is of a trusted key.
            assert verdict.exit_code in ((1, 4) if path[-1:] == ("kid",) else (4,)), (path, odd)


def test_a_body_nested_as_deep_as_json_may_be(original, copy):
    chamber = original[0]
    lines = read_lines(original[1], bag.ENTRIES)
    value: dict = {}
    for _ in range(63):
        value = {"x": value}
    body, salt = canonical_form(value), bytes(32)
    last = read_leaf(lines[-1]["leaf"].encode())
    leaf = replace(last, body=body_commitment(salt, body), actor=actor_commitment(salt, "a"))
    opening = {"actor": "a", "body": body.decode(), "salt": salt.hex()}
    forged = {**lines[-1], "leaf": write_leaf(leaf).decode(), "opening": opening}
    write_lines(copy, bag.ENTRIES, [*lines[:-1], forged])
    rebag(copy)
    restate(copy, chamber.signer)
    verdict = verify_bundle(copy, chamber.trust)
    assert verdict.exit_code == 1
    assert "timeline.json" in {Path(p.file).name for p in verdict.problems}


def test_random_bytes_in_any_file(original, copy):
    chance = random.Random(5)
    for path in sorted(p for p in copy.rglob("*") if p.is_file()):
        good = path.read_bytes()
        for size in (0, 1, 100, 5000):
            path.write_bytes(chance.randbytes(size))
            assert verify_bundle(copy, original[0].trust).exit_code in (1, 2), path
        path.write_bytes(good)
    retell(copy)
    assert verify_bundle(copy, original[0].trust).exit_code == 3


def test_a_folder_that_cannot_be_listed_is_named(original, copy, monkeypatch):
    honest = os.scandir

    def refuse(path):
        if str(path).endswith("custody"):
            raise PermissionError(13, "Permission denied")
        return honest(path)

    monkeypatch.setattr(os, "scandir", refuse)
    verdict = verify_bundle(copy, original[0].trust)
    assert verdict.exit_code in (1, 2)
    assert "data/custody" in {p.file for p in verdict.problems}
