# `make demo` and `make test` set up .venv by themselves; nothing else needs to be installed first.
PYTHON ?= $(or $(firstword $(foreach v,3 3.13 3.12 3.11 3.10,$(shell python$(v) -c \
	'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo python$(v)))),python3)
SOURCE ?=
OUT ?= demo_output

.PHONY: demo test setup lock clean

demo: setup
	@.venv/bin/python -m mask_detector demo --out $(OUT) $(SOURCE)

test:
	@$(PYTHON) standalone/install.py --tests
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/python -m pytest

setup:
	@$(PYTHON) standalone/install.py

lock:  # refresh the pinned versions; needs uv
	cd standalone && for kind in runtime test; do \
		uv pip compile --universal --python-version 3.10 --upgrade --no-header --no-annotate -q $$kind.in -o $$kind.txt; done

clean:
	rm -rf .venv build demo_output
