# Two commands set everything up on a fresh machine: `make app` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.PHONY: app test lint browser-test slow-test gradio space tables clean

app: $(VENV)/app.stamp
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

# The demo with an API and an MCP server.
gradio: $(VENV)/app.stamp
	$(BIN)/python -m pip install --quiet "gradio[mcp]>=6,<7"
	$(BIN)/python gradio_app.py

# Lays out and checks build/space-streamlit and build/space-gradio, ready to push.
space: $(VENV)/dev.stamp
	$(BIN)/python -m deploy.spaces layout

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

slow-test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m slow

# Needs Chromium; set CHROMIUM to its path where it is not /usr/bin/chromium.
browser-test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m browser tests/browser

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/app.stamp: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	touch $@ $(VENV)/app.stamp

# Every table and study of the paper, on the data set in DATA; hours, resumable. TABLES narrows them down.
TABLES ?= task1 matrix task2 scale classes content
tables: $(VENV)/dev.stamp
	for table in $(TABLES); do $(BIN)/python -m genimage_core measure $$table --data $(DATA) --runs runs/tables \
	  --out assets/measured --manifest $(DATA)/manifest.csv --scores assets/measured/eight \
	  --scores assets/measured/held_out $(OPTIONS) || exit $$?; done

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache artifacts
