# What a person types. Anything longer than a line stands in infra/.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run vendors operate cloud-local reference test check check-python check-terraform check-web fmt simulate exhaustive mutants bench bundle audit lock clean chromium wrk

BIN := .venv/bin
export PYTHON ?= python3.11

PLAYS = $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM)) $(if $(FAULTS),--faults '$(FAULTS)') \
	$(if $(SEED),--seed $(SEED)) $(if $(TRACE),--trace)

# The studio's stamps are files that npm and Vite write last. Folders count as sources, so a deleted file is noticed.
ifneq ($(wildcard web/package.json),)
WEB := cd web &&
WEB_MODULES := web/node_modules/.package-lock.json
WEB_DIST := web/dist/index.html
WEB_SOURCES := $(shell find web -mindepth 1 \( -name node_modules -o -name dist -o -name '*.tsbuildinfo' -o -name '.*' \) -prune -o -print)
endif

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready $(WEB_DIST) ## install everything and build the studio; every other target does it when it is due

run: setup ## serve the whole product here (PORT, default 8080; DATA_DIR, default .data)
	@exec $(BIN)/python -m infra.local

vendors: setup ## the same, with every media vendor simulated beside it
	@VENDORS=simulated exec $(BIN)/python -m infra.local

cloud-local: setup ## serve it as it is deployed: emulators, a process per function, a router
	@exec $(BIN)/python -m infra.cloud_local

reference: setup ## write docs/openapi.json, docs/errors.md and terraform/manifest.json from the code
	$(BIN)/python -m infra.reference
	$(BIN)/python -m infra.manifest

# Much of the tests' time is waiting, so two cores have work for three.
test: setup chromium ## pass every test; make test ARGS="-k ledger" passes some
	$(if $(WEB),$(WEB) npm test)
	$(BIN)/pytest -n 3 --dist loadfile $(ARGS)

check: check-python check-terraform check-web ## what CI asks besides the tests: style, types, who imports whom, risky settings

check-python: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

check-terraform:
	infra/setup/checkov.sh --compact --quiet

check-web: $(WEB_DIST)
	$(if $(WEB),$(WEB) npm run check)

fmt: setup ## repair what can be repaired by itself
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(if $(WEB),$(WEB) npm run fmt --if-present)

simulate: setup ## play the money protocol under faults (SEEDS, FROM, FAULTS), or tell one play (SEED=n TRACE=1)
	$(BIN)/python -m infra.simulate $(PLAYS)

exhaustive: setup ## try every fault in small plays, and every pair of faults (half an hour)
	$(BIN)/python -m infra.simulate --exhaustive

mutants: setup ## hunt every mutant of the protocol with up to SEEDS seeds each
	$(BIN)/python -m infra.simulate --mutants $(PLAYS)

bench: setup wrk ## measure speed and memory on this machine
	$(BIN)/python -m tests.bench $(ARGS)

bundle: setup ## build build/functions.zip, what terraform deploys
	@$(BIN)/python -m infra.bundle

operate: setup ## see the vendors, or switch one off: make operate ARGS="off kling"
	@$(BIN)/python -m infra.operate $(or $(ARGS),status)

audit: setup ## check that the books of DATA_DIR balance
	$(BIN)/python -m infra.audit $(ARGS)

lock: ## write requirements/*.lock anew; make lock ARGS=--upgrade takes newer versions
	infra/setup/lock.sh $(ARGS)

clean: ## remove what make made, never your data
	rm -rf .venv build web/node_modules web/dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

chromium: .venv/ready
	@infra/setup/chromium.sh

wrk:
	@infra/setup/wrk.sh

.venv/ready: requirements/dev.lock infra/setup/venv.sh
	@infra/setup/venv.sh

$(WEB_MODULES): web/package-lock.json
	@infra/setup/node.sh
	$(WEB) npm ci --no-audit --no-fund
	@touch $@

$(WEB_DIST): $(WEB_MODULES) $(WEB_SOURCES)
	$(WEB) npm run build
	@touch $@
