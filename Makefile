# What a newcomer needs: `make demo`, `make test`. Everything installs into .venv from the hashed locks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-long mutants bench lint schemas install extras pictures lock clean

demo: install
	$(BIN)/sla demo

test: install lint
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not long"

test-long: install
	$(BIN)/python -m pytest -n 2 --dist loadscope

# Faults that the suite must find, one at a time: about half an hour.
mutants: install
	$(BIN)/python -m tests.mutants

bench: install
	$(BIN)/python -m tests.bench

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

# What an editor completes and checks YAML files with; after a change of what they may say.
schemas: install
	$(BIN)/python -m pipeline.rules.write_schemas

install: $(VENV)/installed

# The stamp is newer than both inputs once installed, so a second run touches neither pip nor the network.
$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, and '$(PYTHON)' is older. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Browser and Spark tests: the Python side. Chromium and Java come from the operating system.
extras: $(VENV)/extras-installed
$(VENV)/extras-installed: $(VENV)/installed requirements-extras.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-extras.lock
	@touch $@

# The dashboard's pictures in the README, from the demo; they need `make extras` and a Chromium.
pictures: demo extras
	$(BIN)/python -m tests.pictures

# Needs uv. Host-free and universal: one lock for every platform and for Python 3.11 to 3.13.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-strip-extras pyproject.toml --group dev -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-strip-extras pyproject.toml --group dev --extra browser --extra spark --extra fonts -c requirements.lock -o requirements-extras.lock

clean:
	rm -rf $(VENV) dbt_project/target dbt_project/logs
