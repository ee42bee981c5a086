"""A bundle with everything in it, before other people's tools, and exported once more."""

import importlib
import re
import shutil
import subprocess
import sys
import types
from datetime import timedelta
from importlib import metadata
from pathlib import Path

import pytest

from evidence import bag
from tests.evidence.chamber import fill
from tests.evidence.stamping import stamping, three_hours


def import_bagit():
    """Import the tool, which asks setuptools for its own version in a way that is no more."""
    past = types.ModuleType("pkg_resources")
    past.DistributionNotFound = metadata.PackageNotFoundError
    past.get_distribution = metadata.distribution
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pkg_resources", past)
        return importlib.import_module("bagit")


bagit = import_bagit()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Two exports of one case that has artifacts, tokens of two authorities, and erased entries."""
    site = stamping(tmp_path_factory.mktemp("site"), timedelta(), timedelta())
    fill(site.chamber)
    three_hours(site)
    with site.chamber.begin() as conn:
        conn.exec_driver_sql("DELETE FROM ledger_openings WHERE entry_id = 4")
    yield site.export("one"), site.export("two")
    site.chamber.engine.dispose()


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_has_everything_that_a_bundle_can_have(exported):
    names = set(contents(exported[0]))
    assert {bag.STATEMENTS, bag.CASE, bag.REPORT, bag.TIMELINE, bag.TIME_PROOFS} <= names
    for folder in (bag.PROOF_FILES, bag.MANIFESTS, bag.ARTIFACTS, bag.TIME):
        assert len([name for name in names if name.startswith(folder)]) > 3, folder


def test_exported_twice_only_the_signature_of_the_export_differs(exported):
    one, two = map(contents, exported)
    assert one.pop(bag.EXPORT) != two.pop(bag.EXPORT)
    assert one == two


def test_the_library_of_congress_s_tool_finds_the_bag_valid_and_an_altered_one_not(
    exported, tmp_path
):
    assert bagit.Bag(str(exported[0])).validate()
    copy = shutil.copytree(exported[0], tmp_path / "copy")
    (copy / bag.REPORT).write_text("<script>")
    with pytest.raises(bagit.BagValidationError, match=bag.REPORT):
        bagit.Bag(str(copy)).validate()


@pytest.mark.parametrize("listing", [bag.MANIFEST, bag.TAG_MANIFEST])
def test_sha256sum_finds_every_file_as_listed(exported, listing):
    ran = subprocess.run(
        ["sha256sum", "--strict", "-c", listing],
        cwd=exported[0],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = ran.stdout.splitlines()
    assert all(line.endswith(": OK") for line in told)
    listed = {line.removesuffix(": OK") for line in told}
    payload = {name for name in contents(exported[0]) if name.startswith("data/")}
    if listing == bag.MANIFEST:
        assert listed == payload
    else:
        assert listed == set(contents(exported[0])) - payload - {bag.TAG_MANIFEST, bag.EXPORT}


def test_the_page_that_describes_the_bundle_names_every_kind_of_file_in_it(exported):
    page = (Path(__file__).resolve().parents[2] / "docs/evidence/bundle.md").read_text()
    tree = page[page.index("## The files") : page.index("### The bag")]
    for name in contents(exported[0]):
        folder, _, last = name.rpartition("/")
        if folder + "/" == bag.TIME:
            shown = re.sub(r"\d+", "<size>", last).replace("tsa-a", "<authority>")
            shown = shown.replace("tsa-b", "<authority>")
            assert shown.removesuffix(".tsr") in page, name
            continue
        shown = re.sub(r"[0-9a-f]{64}", "<sha256>", last)
        assert re.sub(r"^\d+\.", "<index>.", shown) in tree, name
