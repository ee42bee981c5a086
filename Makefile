# Every target sets up what it needs: a bare Python >= 3.11 with ensurepip is enough.
PYTHONS := python3 python3.13 python3.12 python3.11
PYTHON ?= $(shell for p in $(PYTHONS); do command -v $$p >/dev/null 2>&1 && \
	$$p -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := --require-hashes --only-binary :all:
HERE := --no-index --no-deps --no-build-isolation --editable .

.PHONY: drill test cover lint bench crash-full contract-vault lock verifier clean
.DEFAULT_GOAL := drill

drill: $(VENV)/run.done
	$(BIN)/stanch drill

TESTS := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/dev.done
	$(TESTS)

# The tests again, counting branches; each of thousands of forks writes what it saw, which takes long.
cover: $(VENV)/dev.done
	$(TESTS) --cov --cov-report=term

lint: $(VENV)/dev.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/dev.done
	@for f in bench/*.py; do PYTHONPATH=. $(BIN)/python $$f || exit 1; done

crash-full: $(VENV)/dev.done
	STANCH_CRASH=full $(TESTS) -rP \
		tests/stories tests/actions/test_laws_hostile.py tests/playbooks/respond \
		tests/playbooks/case/test_freezing.py tests/playbooks/case/test_holds.py

# The Vault contract, against the server that VAULT_ADDR and VAULT_TOKEN name besides the simulator.
contract-vault: $(VENV)/dev.done
	$(BIN)/python -m pytest -rs tests/contract_vault

# What an auditor gets: one file that needs only Python and `cryptography`.
verifier: $(VENV)/run.done
	$(BIN)/python -m evidence.zipapp_build stanch-verify.pyz

# The maintainer's tool: needs `uv`. No index address ever stands in a lock.
UV := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-annotate --custom-compile-command "make lock"
lock:
	echo 'setuptools>=80' | $(UV) pyproject.toml - -o requirements.lock
	echo 'setuptools>=80' | $(UV) --extra dev -c requirements.lock pyproject.toml - -o requirements-dev.lock

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Stanch needs Python 3.11 to 3.13 with ensurepip. On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.done: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install $(LOCKED) -r requirements.lock
	$(PIP) install $(HERE)
	@touch $@

$(VENV)/dev.done: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install $(LOCKED) -r requirements-dev.lock
	$(PIP) install $(HERE)
	@touch $@ $(VENV)/run.done

clean:
	rm -rf $(VENV) build dist *.egg-info
