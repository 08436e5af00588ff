# make demo   synthetic volunteers, study, protection, audit, study again, on one page
#             (N=84 for the article's size)
# make test   all tests
# make lint   style and types
# make docs   the documentation, in build/docs; warnings and dead links fail
# make clean  remove what these made
#
# Needs Python 3.11 or newer, make and the package index. PYTHON=python3.12 picks another Python.

PYTHON ?= python3
VENV ?= .venv
N ?= 24
SEED ?= 1
DEMO ?= demo
PYTEST_ARGS ?= -n 2 --dist worksteal

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
PEOPLE = $(DEMO)/volunteers-$(N)
STUDY = $(DEMO)/study-$(N)
DEFACED = $(DEMO)/defaced-$(N)
REFACED = $(DEMO)/refaced-$(N)
AGAIN = $(DEMO)/study-refaced-$(N)

# The environment below must be the only one that decides what is imported.
unexport PYTHONPATH PYTHONHOME

.PHONY: demo test lint docs clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	@echo "Making $(N) synthetic volunteers ..."
	$(BIN)/faceblind volunteers $(PEOPLE) -n $(N) --seed $(SEED)
	@echo "Searching their photographs among the faces of their scans ..."
	$(BIN)/faceblind study $(PEOPLE)/scans $(PEOPLE)/photos.tsv $(STUDY) \
		--participants $(PEOPLE)/participants.tsv --save-faces
	@echo "Taking the faces of three people out, and giving everybody the same face ..."
	for person in $$(ls $(PEOPLE)/scans | grep ^sub- | head -3); do \
		$(BIN)/faceblind deface $(PEOPLE)/scans/$$person $(DEFACED)/$$person || [ $$? -eq 1 ]; done
	$(BIN)/faceblind reface $(PEOPLE)/scans $(REFACED) || [ $$? -eq 1 ]
	@echo "Attacking the protected scans ..."
	$(BIN)/faceblind audit $(DEFACED) --out $(DEMO)/audit-defaced-$(N) || [ $$? -eq 3 ]
	$(BIN)/faceblind audit $(REFACED) --out $(DEMO)/audit-refaced-$(N) || [ $$? -eq 3 ]
	@echo "Searching the same photographs among the faces of the refaced scans ..."
	$(BIN)/faceblind study $(REFACED) $(PEOPLE)/photos.tsv $(AGAIN) \
		--participants $(PEOPLE)/participants.tsv || [ $$? -eq 1 ]
	$(BIN)/faceblind compare $(STUDY) $(AGAIN) --out $(DEMO)/compare-$(N) \
		--name-a "before protection" --name-b "after reface"
	@echo
	@echo "The volunteers are synthetic: the figures show that the method works, not how well"
	@echo "real people are found."
	@echo "Figures:   $(STUDY)/summary.json and $(STUDY)/cmc.tsv"
	@echo "Faces:     $(STUDY)/private (only you can open it)"
	@echo "The people: $(PEOPLE)/photos and $(PEOPLE)/scans"
	@$(BIN)/python tools/demo_page.py $(DEMO) $(N)

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-dev
	@rm -rf docs/reference/api  # pages of names that are gone
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --fresh-env --quiet \
		--jobs auto --doctree-dir build/doctrees docs build/docs
	$(BIN)/python tools/check_pages.py build/docs

clean:
	rm -rf $(VENV) $(DEMO) docs/reference/api dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "faceblind needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (the first time takes a minute or two) ..."
	@$(PYTHON) -m venv --clear $(VENV) || \
		{ echo "This Python cannot make virtual environments; install its venv package."; exit 1; }
	@touch $@

$(VENV)/.installed: pyproject.toml src/faceblind/__init__.py $(VENV)/.python
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml src/faceblind/__init__.py $(VENV)/.python
	@$(PIP) install --editable '.[dev]'
	@$(PIP) install --editable '.[dlib]' || echo "No dlib for this system: its tests are skipped."
	@touch $(VENV)/.installed $@
