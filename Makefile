# Two commands do all the set-up: `make run` shows the service at work, `make test` runs the tests.
# The first Python that is new enough; PYTHON=/path/to/python3.12 chooses another.
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(firstword $(foreach name,$(PYTHONS),$(shell $(name) -c $(NEW_ENOUGH) 2>&- && echo $(name))) python3)
NEW_ENOUGH = 'import sys; sys.exit(sys.version_info < (3, 11))'
NO_INDEX = echo "make: the packages could not be installed, see above; the first set-up needs the network" >&2; exit 1
VENV := .venv
TOOLS := .venv-tools
OLDEST := .venv-oldest
MUTATION := .venv-mutation
CHECKOV := .venv-checkov
# Modules of amplify_jobs; a change takes about two seconds, and a hundred lines have about two hundred of them.
MODULES ?= following.answer following.poll starting.superseding
# The parts of `make check`, which run side by side.
PARTS ?= lint types template security machine test
# A step of the set-up: its name, and how long its command took.
step = printf '  %-46s' "$(1)"; start=$$(date +%s); { $(2); } && printf '%5d s\n' $$(($$(date +%s) - start))
BIN := $(VENV)/bin
UV := $(BIN)/uv
export SAM_CLI_TELEMETRY = 0
export UV_LINK_MODE ?= copy
# Without compiled files, each process of the tests and each start of a function would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run test thorough check local bench campaign smoke examples codegen browser pictures sam-local tools oldest-sdk mutation lint types template security machine lock clean help

setup: $(VENV)/ready help ## Set up .venv, with the command line .venv/bin/amplify-jobs

help: ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/ready ## Show the service at work on this machine; ONCE=1 exits after four pushes, PYTHON=… chooses a Python
	@$(BIN)/python -m demo $(if $(ONCE),--once)

local: $(VENV)/ready ## Run the local cloud alone: AWS at port 4566, the HTTP API at port 3000; PARAMETERS="NAME=VALUE …"
	@$(BIN)/python -m local $(foreach parameter,$(PARAMETERS),--parameter $(parameter))

campaign: $(VENV)/ready ## Inject faults, kills and repeats into a local cloud, and check what must hold; SEED=1 PUSHES=60
	@$(BIN)/python -m campaign --seed $(or $(SEED),1) --pushes $(or $(PUSHES),60)

smoke: $(VENV)/ready ## Check a deployed stack from the outside; STACK=amplify-jobs, JSON=1 prints JSON
	@$(BIN)/python -m smoke --stack $(or $(STACK),amplify-jobs) $(if $(JSON),--json)

examples: $(VENV)/ready ## Load the apps of events/ into a running local cloud; REPLACE=1 replaces routes and secrets
	@$(BIN)/python -m demo.examples $(if $(REPLACE),--replace)

tools: $(TOOLS)/ready ## Set up .venv-tools: the SAM CLI and the AWS CLI (384 MB)

test: $(VENV)/ready $(TOOLS)/ready ## Run the tests (about four minutes)
	$(BIN)/python -m pytest -n 4

thorough: $(VENV)/ready $(TOOLS)/ready ## Run tests that take minutes: permissions, commands of the docs, the demo, a quota, smoke
	$(BIN)/python -m pytest -m thorough -n 2

check: $(VENV)/ready $(TOOLS)/ready $(CHECKOV)/ready ## Run all checks side by side: lint, types, template, security, state machine, tests
	@$(BIN)/python -m tools.check $(PARTS)

lint: $(VENV)/ready ## Run ruff and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/ready ## Run mypy
	$(BIN)/python -m tools.check_types

template: $(TOOLS)/ready ## Validate the CloudFormation templates
	$(TOOLS)/bin/sam validate --lint --region eu-west-1
	$(TOOLS)/bin/cfn-lint deployment/permissions.yaml

security: $(CHECKOV)/ready ## Run checkov on the CloudFormation templates; .checkov.yaml has the reason for each exception
	BC_API_KEY= $(CHECKOV)/bin/checkov --config-file .checkov.yaml --file template.yaml deployment/*.yaml

machine: $(VENV)/ready ## Validate the state machine
	$(BIN)/python -m tools.validate_machine statemachine/job.asl.json

bench: $(VENV)/ready ## Measure the figures of docs/figures.md: transitions, cold starts, start-up, many pushes at once
	$(BIN)/python -m benchmarks

codegen: $(VENV)/ready $(TOOLS)/ready ## Run the tests of AWS's code generators (needs Node 20)
	$(BIN)/python -m pytest -m node

browser: $(VENV)/ready ## Run the tests of the console in a headless browser (needs Chromium); SHOTS=folder keeps pictures
	SHOTS=$(abspath $(SHOTS)) $(BIN)/python -m pytest -m browser tests/browser

pictures: $(VENV)/ready ## Make the pictures in docs/pictures anew: make run, the console, reports (needs Chromium)
	@$(BIN)/python -m tools.terminal_picture
	@$(BIN)/python -m tools.console_pictures
	@$(BIN)/python -m tools.report_pictures

sam-local: $(VENV)/ready $(TOOLS)/ready ## Run each function under `sam local invoke` (needs Docker)
	$(BIN)/python -m pytest tests/sam_local -m sam_local

oldest-sdk: $(OLDEST)/ready ## Run the functions' tests with the oldest AWS SDK that Lambda's runtime may bring
	$(OLDEST)/bin/python -m pytest tests/functions -n 3

mutation: $(VENV)/ready $(MUTATION)/ready ## Find changes of pure modules that no test notices; MODULES="routing.github_patterns" names others
	$(BIN)/python -m tools.mutation $(MODULES)

lock: $(VENV)/ready ## Pin the newest versions of all packages, with hashes
	tools/lock

$(VENV)/ready: requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "amplify-jobs needs Python 3.11 or newer, and this is " + sys.version.split()[0] + "; install one, or name it: make PYTHON=/path/to/python3.12")'
	@echo "Setting up $(VENV), once (475 MB, half a minute or longer):"
	@$(call step,1 of 4  a virtual environment of $$($(PYTHON) --version),$(PYTHON) -m venv $(VENV))
	@$(call step,2 of 4  uv to install packages,$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt || { $(NO_INDEX); })
	@$(call step,3 of 4  $$(grep -c '^[a-z].*==' requirements/dev.txt) packages,VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes requirements/uv.txt requirements/dev.txt || { $(NO_INDEX); })
	@$(call step,4 of 4  amplify-jobs itself,VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .)
	@touch $@

$(TOOLS)/ready: $(VENV)/ready requirements/tools.txt
	@echo "Setting up $(TOOLS), once (384 MB): sam and the AWS CLI"
	@$(PYTHON) -m venv $(TOOLS)
	@VIRTUAL_ENV=$(TOOLS) $(UV) pip sync --quiet --require-hashes requirements/tools.txt || { $(NO_INDEX); }
	@touch $@

$(OLDEST)/ready: $(VENV)/ready requirements/oldest.txt
	@echo "Setting up $(OLDEST), once: the packages of the tests, with an older AWS SDK"
	@$(PYTHON) -m venv $(OLDEST)
	@VIRTUAL_ENV=$(OLDEST) $(UV) pip sync --quiet --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=$(OLDEST) $(UV) pip install --quiet --require-hashes --no-deps -r requirements/oldest.txt
	@VIRTUAL_ENV=$(OLDEST) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(MUTATION)/ready: $(VENV)/ready requirements/mutation.txt
	@echo "Setting up $(MUTATION), once: Cosmic Ray"
	@$(PYTHON) -m venv $(MUTATION)
	@VIRTUAL_ENV=$(MUTATION) $(UV) pip sync --quiet --require-hashes requirements/mutation.txt
	@touch $@

$(CHECKOV)/ready: $(VENV)/ready requirements/checkov.txt
	@echo "Setting up $(CHECKOV), once (219 MB): checkov"
	@$(PYTHON) -m venv $(CHECKOV)
	@VIRTUAL_ENV=$(CHECKOV) $(UV) pip sync --quiet --require-hashes requirements/checkov.txt || { $(NO_INDEX); }
	@touch $@

clean: ## Remove everything that the set-up made
	rm -rf $(VENV) $(TOOLS) $(OLDEST) $(MUTATION) $(CHECKOV) tools/asl-validator/node_modules local/codegen/node_modules tests/local/javascript/node_modules tests/browser/node_modules .aws-sam .local *.egg-info layers/core/*.egg-info cli/*.egg-info
