"""The verifier needs only the standard library and cryptography, as source and as one file."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from evidence import zipapp_build
from tests.evidence.chamber import fill, make_chamber

ROOT = Path(__file__).resolve().parents[2]

# Refuses every import but the standard library's, ours, and cryptography's with what that needs.
HOOK = """
import importlib.abc, json, sys

class Gate(importlib.abc.MetaPathFinder):
    allowed = {*sys.stdlib_module_names, "__main__", "evidence"}
    allowed |= {"cryptography", "_cffi_backend", "cffi"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed:
            raise ImportError(f"the verifier may not import {name}")

sys.meta_path.insert(0, Gate())
"""

VERIFY = (
    HOOK
    + """
sys.argv = ["evidence", "verify", *sys.argv[1:]]
from evidence.__main__ import main
code = main()
ours = sorted(name for name in sys.modules if name.partition(".")[0] == "evidence")
print(json.dumps({"code": code, "ours": ours}))
"""
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(chamber)
    bundle, trust = chamber.export(), chamber.write_trust()
    yield bundle, trust
    chamber.engine.dispose()


def python(code: str, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("module", ["rfc8785", "jose", "sqlalchemy", "boto3", "evidence.jws"])
def test_the_gate_holds(module):
    done = python(f"{HOOK}\nimport {module}")
    assert done.returncode == 1
    assert "the verifier may not import" in done.stderr


def test_behind_the_gate_the_verdict_is_the_same_and_only_its_own_modules_are_loaded(exported):
    bundle, trust = exported
    done = python(VERIFY, bundle, "--trust", trust)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["code"] == 3
    expected = {f"evidence.{name}".removesuffix(".__init__") for name in zipapp_build.MODULES}
    assert set(seen["ours"]) == expected


def run_file(pyz: Path, *arguments: object) -> subprocess.CompletedProcess:
    # Isolated, elsewhere, and behind the gate: nothing of the repository can be reached.
    code = (
        HOOK
        + "import runpy\nsys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", code, str(pyz), *map(str, arguments)],
        cwd=pyz.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_one_file_gives_the_same_verdicts(exported, tmp_path):
    bundle, trust = exported
    pyz = tmp_path / "stanch-verify.pyz"
    zipapp_build.build(pyz)
    good = run_file(pyz, "verify", bundle, "--trust", trust)
    assert (good.returncode, good.stderr) == (3, "")
    assert run_file(pyz, "verify", bundle).returncode == 4
    assert run_file(pyz, "verify", tmp_path, "--trust", trust).returncode != 3
    assert pyz.stat().st_mode & 0o111
    # Its code comes from the file and from nowhere else.
    assert "evidence/verify.py" in zipfile.ZipFile(pyz).namelist()


def test_the_same_sources_give_the_same_file(tmp_path):
    one, two = tmp_path / "one.pyz", tmp_path / "two.pyz"
    assert zipapp_build.build(one) == zipapp_build.build(two)
    assert one.read_bytes() == two.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "evidence.zipapp_build", str(tmp_path / "three.pyz")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (tmp_path / "three.pyz").read_bytes() == one.read_bytes()
    assert done.stdout.split()[0] == zipapp_build.build(one)
