# Each target works from a fresh clone with only python3 (3.10 or newer) and make, and without a network
# once the environment is there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install train lfw test test-all bench bench-growth experiments clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

# Built-in synthetic faces, three minutes of training; more settings in ARGS="model=inception seed=1".
train: $(INSTALLED)
	$(BIN)/python -m facenet_lit.train --config-dir experiments +study=synthetic $(ARGS)

# Real faces, LFW's view 1 on a CPU: make lfw LFW=lfw-deepfunneled.tgz
# The path goes through the environment, quoted for Hydra: it may hold spaces and any of '=,()'.
lfw: export ROOT = '$(subst ',\',$(value LFW))'
lfw: $(INSTALLED)
	@test -n "$$LFW" || { echo "usage: make lfw LFW=archive-or-folder"; exit 2; }
	$(BIN)/python -m facenet_lit.train --config-dir experiments +study=lfw "data.root=$$ROOT" $(ARGS)

test: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

# Slow tests too, and those on real faces where FACENET_LIT_LFW names the archive.
test-all: $(INSTALLED)
	$(BIN)/python -m pytest -m "" --durations=10

# Our way beside the usual way and what the machine allows, under ten minutes; only some rows: ROWS="folds steps".
bench: $(INSTALLED)
	$(BIN)/python experiments/benchmarks/bench.py $(ROWS)

# Time and memory against the number of things.
bench-growth: $(INSTALLED)
	$(BIN)/python experiments/benchmarks/growth.py

# Tables and pictures of the studies from their kept results; RERUN=leak LFW=lfw-deepfunneled.tgz repeats the run
# that took least, and compares.
experiments: export ROOT = '$(subst ',\',$(value LFW))'
experiments: $(INSTALLED)
ifdef RERUN
	@test -n "$$LFW" || { echo "usage: make experiments RERUN=NAME LFW=archive-or-folder"; exit 2; }
	$(BIN)/python experiments/results.py rerun $(RERUN) "data.root=$$ROOT" $(ARGS)
else
	$(BIN)/python experiments/results.py table
	$(BIN)/python experiments/speed_to_rate.py
endif

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
