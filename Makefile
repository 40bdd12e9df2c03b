# make demo   a real dub of a sample that is built here, in demo/
# make test   the fast tests; make test-all   every test; make check   lint, types, import rules; make bench   ratios
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
SLOW ?= slow
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
VENV_BENCH ?= .venv-bench
BIN_BENCH := $(VENV_BENCH)/bin
READY_BENCH := $(VENV_BENCH)/.ready

export HF_HUB_OFFLINE ?= 1
export DO_NOT_TRACK ?= 1
# Set-up leaves modules to be compiled by whoever imports them first: a program that may not keep the result compiles
# torch and Prefect again at every start, which doubles its time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-all check format bench bench-stages bench-jamflow clean

setup: $(READY)

# torch goes first, with its own dependencies: a CPU build where only that wheel is at hand, CUDA elsewhere.
# The lock is one verified set that pip's resolver cannot confirm (docs/adr/0003), hence --no-deps. Modules are compiled
# when they are first imported: most never are, and compiling all of them takes two minutes.
$(READY): requirements.lock post_install.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) "$$(grep -o '^torch==[^ ]*' requirements.lock)"
	$(INSTALL) --no-deps -r requirements.lock
	$(BIN)/python post_install.py
	$(INSTALL) --no-deps --editable .
	touch $@

demo: $(READY)
	$(BIN)/python examples/make_sample.py demo/astronaut.mp4
	$(BIN)/jamdub dub demo/astronaut.mp4 --from en --to es --script examples/astronaut_es.srt \
	    --lips reanimate --speakers 1 --out demo/dubbed --overwrite

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: $(READY)
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

# What takes minutes, after the rest: three at a time on two cores, as many of them wait for servers and for timeouts.
test-all: test
	$(BIN)/python -m pytest -m "$(SLOW)" --numprocesses 3 --dist loadfile

bench: bench-stages bench-jamflow

bench-stages: $(READY)
	$(BIN)/python examples/make_sample.py demo/astronaut.mp4
	$(BIN)/python benchmarks/stages.py demo/astronaut.mp4 --from en --to es --script examples/astronaut_es.srt \
	    --lips reanimate --speakers 1

# Against F5-TTS's own network; results as Markdown on the standard output, for docs/performance-jamflow.md.
bench-jamflow: $(READY_BENCH)
	$(BIN_BENCH)/python benchmarks/jamflow.py --plot docs/jamflow-cost.png

# F5-TTS cannot share our environment (protobuf), so it gets one of its own that looks for the rest in ours.
$(READY_BENCH): benchmarks/requirements-f5.txt $(READY)
	$(BIN)/python -m venv --clear --without-pip $(VENV_BENCH)
	$(BIN)/pip --python $(BIN_BENCH)/python install --quiet --disable-pip-version-check --no-deps \
	    -r benchmarks/requirements-f5.txt
	echo "import site; site.addsitedir('$$($(BIN)/python -c 'import site; print(site.getsitepackages()[0])')')" \
	    > "$$($(BIN_BENCH)/python -c 'import site; print(site.getsitepackages()[0])')/jamdub.pth"
	touch $@

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(VENV_BENCH) demo .mypy_cache .ruff_cache
