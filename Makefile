# Everything done twice. PYTHON is any Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

# Faults on purpose: each script prints its figures. `make torture SCRIPTS=kills` runs one.
SCRIPTS ?= kills outage writers large faults ray_nodes

# Speed, side by side in one run: make bench DATA=Task04_Hippocampus. NNUNET is the Python of an environment with nnunetv2.
DATA ?= Task04_Hippocampus
NNUNET ?=

# The environment with the libraries whose networks the members of unet_family must equal; several GB with CUDA's torch.
PARITY ?= .venv-parity

.PHONY: gpu install demo test test-all parity nnunet torture bench budgets lint gallery screenshots wheel

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/nas search --space unet_family --trials 100

test: install
	$(BIN)/pytest -m "not slow" -n 2

test-all: install
	$(BIN)/pytest

parity: $(PARITY)/.installed
	$(PARITY)/bin/pytest tests/parity
	$(PARITY)/bin/python -m tests.parity.table docs/parity.md

$(PARITY)/.installed: pyproject.toml tests/parity/constraints.txt
	$(PYTHON) -m venv $(PARITY)
	$(PARITY)/bin/python -m pip install --quiet --upgrade pip
	$(PARITY)/bin/pip install --quiet --constraint tests/parity/constraints.txt --editable '.[parity]'
	touch $@

# Exported folders in stock nnU-Net, which has an environment of its own. Its torch is the one that its torchvision is built for.
NNUNET_VENV ?= .venv-nnunet

nnunet: install $(NNUNET_VENV)/.installed
	NNUNET=$(abspath $(NNUNET_VENV))/bin $(BIN)/pytest -m nnunet tests/export/test_nnunet.py

$(NNUNET_VENV)/.installed:
	$(PYTHON) -m venv $(NNUNET_VENV)
	$(NNUNET_VENV)/bin/python -m pip install --quiet --upgrade pip
	$(NNUNET_VENV)/bin/pip install --quiet nnunetv2==2.8.1 torch==2.14.1 torchvision==0.29.1
	touch $@

torture: install
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[ray]'
	set -e; for script in $(SCRIPTS); do $(BIN)/python -m tests.torture.$$script; done

bench: install
	$(BIN)/python -m tests.benchmarks.plain_loop $(DATA)
	$(BIN)/python -m tests.benchmarks.feed $(DATA)
	$(BIN)/python -m tests.benchmarks.monai_loop $(DATA)
	$(BIN)/python -m tests.benchmarks.memory
	$(BIN)/python -m tests.benchmarks.proposals
	$(BIN)/python -m tests.benchmarks.preprocessing $(DATA) $(if $(NNUNET),--nnunet $(NNUNET))
	$(if $(NNUNET),$(BIN)/python -m tests.benchmarks.nnunet $(DATA) $(NNUNET))

# What a minute and a quarter of an hour return on several data sets, beside a plain loop: make budgets SETS="Task04_Hippocampus Retina".
SETS ?= Task04_Hippocampus

budgets: install
	$(BIN)/python -m tests.benchmarks.budgets budgets.jsonl $(SETS)

# Everything that wants a GPU, in one table; DEVICE=cpu runs the same lines without one.
DEVICE ?= cuda

gpu: install
	$(BIN)/python -m tests.benchmarks.gpu $(DEVICE)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Remakes docs/gallery.html and the pictures of the documents; tests/gallery/ says when they are out of date.
gallery: install
	$(BIN)/nas spaces show unet_family --to docs/gallery.html
	$(BIN)/nas spaces draw unet_family U-Net --classes 1 --to docs/pictures/u_net.svg
	$(BIN)/nas spaces draw unet_family "DeepLabv3+ R50" --channels 3 --classes 21 --to docs/pictures/deeplab.svg

# Remakes the screenshots of docs/report.md, of made-up studies: make screenshots PICTURES="report terminal"; wants chromium and tmux.
PICTURES ?=

screenshots: install
	$(BIN)/python -m tests.screenshots docs/pictures $(PICTURES)

wheel: install
	$(BIN)/python -m build --wheel --outdir dist
