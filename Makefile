# Every target sets up .venv by itself when it is missing, or older than setup.py or the lock.

# Each variable's line says what it is; docs/reference.md has these lines too.
# The Python that makes `.venv`: 3.11 to 3.13.
PYTHON ?= python3
PY := .venv/bin/python
READY := .venv/.ready
TRACKING := .venv-mlflow/bin/python

# The data set: `--dataset` of `run`; for `bench` the model.
DATASET ?=
# The recipe: `--preset` of `run`.
PRESET ?=
# The folder of the data set's original files: `--manual-dir` of `run`.
MANUAL_DIR ?=
# The folder of artifacts, history and logs: `--runs`.
RUNS ?= runs
# The folder of promoted models: `--models`.
MODELS ?= models
# What `score` scores, and `bench` measures with.
IMAGES ?= images.npy
# Everything else that the target's command takes, as it is typed.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup pipeline score bench test test-all test-faults check clean lock

help:  ## list the targets and variables
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile
	@echo "  variables: DATASET PRESET MANUAL_DIR RUNS MODELS IMAGES ARGS PYTHON"

setup: $(READY)  ## make .venv with the locked versions

$(READY): setup.py requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "$(PYTHON) is not Python 3.11 to 3.13: name one that is with make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "installing the locked versions into .venv (2 GB; some minutes the first time)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m compileall -q pipeline components serving
	@touch $(READY)

pipeline: $(READY)  ## ingest, train, evaluate, export, verify and promote
	@$(PY) -m pipeline run $(if $(DATASET),--dataset "$(DATASET)") $(if $(PRESET),--preset "$(PRESET)") \
		$(if $(MANUAL_DIR),--manual-dir "$(MANUAL_DIR)") --runs "$(RUNS)" --models "$(MODELS)" $(ARGS)

score: $(READY)  ## score IMAGES with the promoted model
	@$(PY) -m serving.batch_score "$(IMAGES)" --models "$(MODELS)" $(ARGS)

bench: $(READY)  ## runs, the scorer and the data's way against peers, on IMAGES repeated (an hour, 12 GB of disk)
	@$(PY) -m benchmarks.runs $(if $(MANUAL_DIR),--manual-dir "$(MANUAL_DIR)")
	@$(PY) -m benchmarks.int8 "$(MODELS)/$(or $(DATASET),mnist)" "$(IMAGES)"
	@$(PY) -m benchmarks.scoring "$(MODELS)/$(or $(DATASET),mnist)" "$(IMAGES)" $(ARGS)
	@$(PY) -m benchmarks.data $(if $(MANUAL_DIR),--manual-dir "$(MANUAL_DIR)")
	@$(PY) -m benchmarks.pictures
	@$(PY) -m benchmarks.tables
	@$(PY) -m benchmarks.nightly
	@$(PY) -m benchmarks.growth "$(IMAGES)" "$(IMAGES:.npy=.labels.npy)"

# A process that crashed in a test, or waited in it for ever, is not replaced: the new one would begin with the same test.
PYTEST := -m pytest -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --durations=10

test: $(READY)  ## run the tests, except the exhaustive ones
	@$(PY) $(PYTEST) -m "not exhaustive" $(ARGS)

test-all: $(READY) $(TRACKING)  ## run all tests, as CI does
	@BEAMLINE_TRACKING_PYTHON=$(TRACKING) $(PY) $(PYTEST) $(ARGS)

test-faults: $(READY)  ## fail every call that changes a file once, in each command (some 20 minutes)
	@$(PY) -m tests.faults $(ARGS)

# MLflow's client beside what .venv has, in a place of its own: what it brings makes every start slower.
$(TRACKING): $(READY) requirements-mlflow.lock
	@test -x $@ || $(PYTHON) -m venv .venv-mlflow
	@$(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
		"$$($@ -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/beamline.pth"
	@$@ -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-mlflow.lock
	@touch $@

check: $(READY)  ## lint, types, import rules, prose, and that the documents' commands exist
	@$(PY) -m ruff check . && $(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m tools.prose
	@$(PY) -m pytest --quiet tests/test_documents.py -k exist

clean: $(READY)  ## remove files that neither a promoted version nor the last runs need
	@$(PY) -m pipeline clean --runs "$(RUNS)" --models "$(MODELS)" $(ARGS)

lock: $(READY)  ## pin the requirements of setup.py again, in requirements.lock
	@$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv
	@.venv-lock/bin/uv pip compile setup.py --extra pipeline --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet --upgrade -o requirements.lock
	@.venv-lock/bin/uv pip compile setup.py --extra mlflow --extra pipeline --constraint requirements.lock --universal \
		--python-version 3.11 --generate-hashes --no-header --quiet --upgrade -o requirements-mlflow.lock
	@rm -rf .venv-lock
