# Every target sets up what it needs in .venv, once, and again when pyproject.toml changes or the folder has moved.
# Console scripts cannot start from a path with spaces, so everything runs as `.venv/bin/python -m ...`.

PYTHON ?= python3
RUN := .venv/bin/python
RUNTIME := .venv/.ready-runtime
DEV := .venv/.ready-dev

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint types schemas schemas-check docs docs-check bench clean moved

help:
	@echo "make demo     walk a sample consultation from the form to the follow-up schedule"
	@echo "make test     run the tests with branch coverage"
	@echo "make lint     check style and format        make types    check types"
	@echo "make schemas  write schemas/                make docs     write the generated pages of docs/"
	@echo "make bench    measure                       make clean    remove everything that can be made again"

demo: $(RUNTIME)
	@$(RUN) -m pore_plugin demo

test: $(DEV)
	$(RUN) -m pytest --numprocesses auto --dist loadfile --cov --cov-report=term

lint: $(DEV)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(DEV)
	$(RUN) -m mypy

schemas: $(DEV)
	$(RUN) tools/build_schemas.py
	$(RUN) tools/example_documents.py
	$(RUN) tools/build_schemas.py

schemas-check: $(DEV)
	$(RUN) tools/build_schemas.py --check
	$(RUN) tools/example_documents.py --check

docs: $(DEV)
	$(RUN) tools/build_docs.py

docs-check: $(DEV)
	$(RUN) tools/build_docs.py --check

bench: $(DEV)
	$(RUN) benchmarks/run.py

clean:
	rm -rf .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache dist demo-out

define venv
@command -v "$(PYTHON)" >/dev/null || { \
	echo "There is no '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "pore-plugin needs Python 3.11 or newer, and '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1). Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
@"$(PYTHON)" -m venv .venv || { \
	echo "'$(PYTHON)' cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
endef

$(RUNTIME): pyproject.toml
	$(venv)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@pwd > .venv/.where && touch $@

$(DEV): pyproject.toml
	$(venv)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@pwd > .venv/.where && touch $(RUNTIME) $@

# An editable install points at the folder it was made in: a moved or copied tree must not run the old one's code.
ifneq ($(shell cat .venv/.where 2>/dev/null),$(shell pwd))
$(RUNTIME) $(DEV): moved
endif
