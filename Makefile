# After ## each target says what it does; `make` alone lists them all.
.DEFAULT_GOAL := help
.PHONY: help lab test environment notebooks base site serve slides student stick clean

# The first Python from 3.11 to 3.14 that starts; if none does, set_up.py says what to do. The shell
# looks for it only when .venv is not up to date. To choose one: make lab PYTHON=/path/to/python
FITS := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $$(for python in python3.13 python3.12 python3.14 python3.11 python3 python; do \
    "$$python" -c '$(FITS)' >/dev/null 2>&1 && echo "$$python" && exit; done; echo python3)

ifeq ($(OS),Windows_NT)
VENV_PYTHON := .venv/Scripts/python.exe
else
VENV_PYTHON := .venv/bin/python
endif
READY = $(VENV_PYTHON) tools/environment/set_up.py --ready

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1|/p' Makefile | awk -F'|' '{ printf "%-18s%s\n", $$1, $$2 }'

lab:  ## install what the lessons need into .venv, then open your copies of the lessons, my_work/, in JupyterLab (LAB_FLAGS=--no-browser; LLM=no leaves out a language model of 93 MB)
	@$(READY) lab 2>/dev/null || $(PYTHON) tools/environment/set_up.py lab
	@$(VENV_PYTHON) tools/lab.py $(LAB_FLAGS)

environment:  ## install into .venv what lessons, tests and benchmarks need, and run nothing
	@$(READY) test 2>/dev/null || $(PYTHON) tools/environment/set_up.py test

test: environment  ## check formatting and lint, and run all tests (PYTEST_FLAGS="-k padding" runs some)
	@start=$$(date +%s); failed=; \
	$(VENV_PYTHON) -m ruff format --check . || failed="$$failed formatting (to fix it: ruff format .)"; \
	$(VENV_PYTHON) -m ruff check . || failed="$$failed lint"; \
	$(VENV_PYTHON) -m pytest $(PYTEST_FLAGS) || failed="$$failed tests"; \
	echo "The tests took $$(( $$(date +%s) - start )) s."; \
	if [ -n "$$failed" ]; then echo "Failed:$$failed."; exit 1; fi

notebooks: environment  ## run all notebooks from clean kernels and save their outputs
	@$(VENV_PYTHON) -m tools.build_notebooks

base: environment  ## write the corpus and pretrain the base model in about an hour (BASE_FLAGS=--without-facts: the one that lacks the facts asked for; --short: a tiny one in two minutes)
	@$(VENV_PYTHON) -m tools.base_model.pretraining $(BASE_FLAGS)

site: environment  ## build static pages of all lessons in site/; their inspectors work without a kernel
	@$(VENV_PYTHON) -m tools.site.build_site

slides: environment  ## build slides of all lessons in slides/, one page each (SLIDES_FLAGS="04 06" builds some; --still runs nothing)
	@$(VENV_PYTHON) -m tools.slides.build_slides $(SLIDES_FLAGS)

serve: environment  ## show site/ on this machine (SERVE_FLAGS="--port 8001")
	@$(VENV_PYTHON) -m tools.site.build_site --serve $(SERVE_FLAGS)

student: environment  ## write copies for a class, without outputs and answers, in classroom/student, and answer sheets in classroom/teacher
	@$(VENV_PYTHON) -m tools.teaching.student

stick:  ## fill a folder, for a USB stick, from which the course installs without a network (STICK_FLAGS="--to /media/usb")
	@$(READY) lab 2>/dev/null || $(PYTHON) tools/environment/set_up.py lab
	@$(VENV_PYTHON) -m tools.environment.stick $(STICK_FLAGS)

clean:  ## remove .venv and all that was downloaded, trained or built; what you wrote stays (my_work/, and your entries)
	rm -rf .venv .hypothesis .pytest_cache .ruff_cache build dist site slides classroom *.egg-info
	@if [ -d .cache ]; then \
	  find .cache -mindepth 1 -maxdepth 1 ! -name 'own_*.json' -exec rm -rf {} +; fi
	find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
