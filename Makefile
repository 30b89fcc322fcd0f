# `make demo` and `make test` set up .venv by themselves; nothing else needs to be installed first.
# The Python of the environment that is there, else the first on the PATH that is supported.
PYTHON ?= $(or $(firstword $(foreach python,$(wildcard .venv/bin/python) python3 python3.13 python3.12 python3.11 python3.10,\
	$(shell $(python) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $(python)))),python3)
SOURCE ?=
OUT ?= demo_output
# Through the environment, so that a name may hold spaces, quotes and dollars.
export DEMO_SOURCE := $(value SOURCE)
export DEMO_OUT := $(value OUT)
# A ROS that was sourced before has its own Python packages, which would shadow those of .venv.
unexport PYTHONPATH PYTHONHOME

.PHONY: demo test bench setup lock clean

demo: setup
	@.venv/bin/python -m mask_detector demo --out "$$DEMO_OUT" -- "$$DEMO_SOURCE"

test:
	@$(PYTHON) standalone/install.py --tests
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/python -m pytest

bench:  # QUICK=1 for a rough answer
	@$(PYTHON) standalone/install.py --tests
	@.venv/bin/python -m benchmarks.bench $(if $(QUICK),--quick)

setup:
	@$(PYTHON) standalone/install.py

lock:  # refresh the pinned versions; needs uv
	cd standalone && for kind in runtime test; do \
		uv pip compile --universal --python-version 3.10 --upgrade --no-header --no-annotate -q $$kind.in -o $$kind.txt; done

clean:
	rm -rf .venv build demo_output
