# `make demo` and `make test` each work as the only command on a fresh clone.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Threads that wait for work sleep instead of spinning: spinning ones slow every other busy process down.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: demo test real-data-tests install clean

demo: $(INSTALLED)
	$(BIN)/kgxfer demo

test: export OMP_NUM_THREADS := 1
test: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses auto --dist loadfile $(PYTEST_ARGS)

real-data-tests: $(INSTALLED)
	$(BIN)/pytest -m "real_data or slow or neo4j"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[demo,dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find graph_schema loaders kgxfer tests -name __pycache__ -type d -prune -exec rm -rf {} +
