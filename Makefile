# SPDX-License-Identifier: GPL-3.0-or-later
# Every target does the set-up that it needs; no virtual environment has to be activated.

# A Python that starts (a version manager's shim may refuse); tools/ looks for the right version.
PYTHON3 := $(shell for python in python3 $$(which -a python3) python3.13 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null \
	&& echo "$$python" && break; done)
PYTHON := .venv/bin/python
ZIP := dist/paintover.zip
SETUP_FLAGS ?=
ARGS ?=

unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-live test test-matrix lint format types addon audit manual settings-page screenshots bench clean

help:  ## Show this list
	@echo "Paintover: paint over a frame, get the shot. Usage: make TARGET [ARGS='...']"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## Make .venv with everything in it (the other targets do this themselves)
	@test -n "$(PYTHON3)" || { echo "Install Python 3.11 or 3.13 first."; exit 1; }
	@"$(PYTHON3)" tools/environments.py main $(SETUP_FLAGS)

demo: setup  ## Render, paint, train, stylize and compose a small shot; see demo/out
	@$(PYTHON) -m demo $(ARGS)

demo-live: setup  ## Paint a small shot live, in a window where there is one; see demo/out/live
	@$(PYTHON) -m demo.live $(ARGS)

test: addon  ## Test the engine, the add-on and the demo in one version of Blender
	@$(PYTHON) tools/run_tests.py test $(ARGS)

test-matrix: addon  ## Test the add-on in the other versions of Blender, and in a real window
	@$(PYTHON) tools/run_tests.py test-matrix $(SETUP_FLAGS) $(ARGS)

lint: setup  ## Check style and format
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

format: setup  ## Bring every file into the format
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

types: setup  ## Check the types of all code but the tests
	@$(PYTHON) -m mypy engine benchmarks demo scenes tools
	@$(PYTHON) build_addon.py --stage dist/types
	@cd dist/types && ../../$(PYTHON) -m mypy --config-file ../../pyproject.toml -p paintover

addon: setup  ## Build the extension: a zip under dist/ to install in Blender
	@$(PYTHON) build_addon.py

audit: addon  ## Bills of materials of what users get (dist/sbom), and known vulnerabilities of it
	@$(PYTHON) -m tools.audit

manual: setup  ## Build the manual as a site, strictly: dist/manual/index.html (ARGS=--serve: watch it)
	@$(PYTHON) -m tools.manual $(ARGS)

settings-page: setup  ## Write the manual's page of all settings anew, from the code
	@$(PYTHON) -m tools.settings_page

screenshots: setup  ## Take the manual's pictures of Blender's window anew
	@$(PYTHON) -m tools.screenshots $(ARGS)

bench: setup  ## Measure speed and memory beside the published network (ARGS=--short: 10 minutes)
	@$(PYTHON) -m benchmarks.speed $(ARGS)

clean:  ## Remove what was built; the environments .venv* stay
	rm -rf dist demo/out .mypy_cache .ruff_cache .pytest_cache
	find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +
