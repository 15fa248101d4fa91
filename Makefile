# Needs Python 3.11 or newer, make and git. Everything else is built into .venv on first use
# (and into .venv-clients, what only the clients' tests need; .venv-docs, what builds the site;
# .venv-gptme, gptme; .venv-litellm, LiteLLM's proxy).

.DEFAULT_GOAL := help
.PHONY: help setup run test test-main test-python test-clients test-codex test-openclaw \
	test-gptme test-browser test-cells arrives fuzz audit bench chaos soak prove-reuse stalls own-cost \
	cache-cost memory overload rolling matrix full lint format types check dist \
	dist-installers update-cli cli-releases docs docs-serve docs-commands docs-facts docs-types \
	lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "make %-15s %s\n", $$1, $$2 }' Makefile

setup: ## Build .venv for development
	@sh scripts/bootstrap dev cli

run: ## Serve on 127.0.0.1:3456; more options with ARGS="--port 4000"
	@sh scripts/bootstrap run cli
	@exec sh scripts/serve $(ARGS)

test: ## Run all tests and print their coverage; a selection with ARGS="-k models"
	@sh scripts/bootstrap dev cli clients
	@sh scripts/test $(ARGS)

test-main: ## Run all tests but those of clients, and print their coverage
	@sh scripts/bootstrap dev cli
	@sh scripts/test --main

test-python: ## Run the tests of the Python clients
	@sh scripts/bootstrap dev cli clients
	@sh scripts/test --python

test-clients: ## Run the tests of the Node clients
	@sh scripts/bootstrap dev cli clients
	@sh scripts/test-clients $(ARGS)

test-codex: ## Have Codex from npm ask the gateway, with its tools; installs 400 MB
	@sh scripts/bootstrap dev cli clients
	@sh scripts/test-codex $(ARGS)

test-openclaw: ## Have OpenClaw from npm ask the gateway; installs a gigabyte
	@sh scripts/bootstrap dev cli clients
	@sh scripts/test-openclaw $(ARGS)

test-gptme: setup ## Have gptme from PyPI ask the gateway, with its tools
	@sh scripts/bootstrap dev cli
	@sh scripts/test-gptme $(ARGS)

test-browser: setup ## Have Chromium, which has to be on the PATH, ask the gateway from pages
	.venv/bin/python -m pytest -q tests/browser $(ARGS)

test-cells: setup ## Run the cells of the tests' tables that `make test` leaves out
	DRAGOMAN_TEST_CELLS=1 .venv/bin/python -m pytest -q -m "on_demand or hypothesis" $(ARGS)

arrives: setup ## Try thousands of histories; all of each has to reach the model; how many with CASES=
	ARRIVES_SEQUENCES=$(or $(CASES),5000) .venv/bin/python -m pytest tests/arrives -q -n 2 $(ARGS)

fuzz: setup ## Try thousands of requests made up from our OpenAPI document; how many with CASES=
	FUZZ_CASES=$(or $(CASES),5000) .venv/bin/python -m pytest tests/fuzz -q -s $(ARGS)

audit: setup ## Look for known vulnerabilities of what requirements/*.txt pins
	@sh scripts/audit

bench: setup ## Measure the gateway beside the alternatives; a short run with ARGS=--quick
	.venv/bin/python -m bench $(ARGS)

chaos: setup ## Two thousand requests with faults everywhere; fewer with ARGS="--requests 200"
	.venv/bin/python -m tests.chaos $(ARGS)

prove-reuse: setup ## Show with ten thousand sequences that reused processes ask like new ones; fewer with ARGS="--sequences 300"
	.venv/bin/python -m tests.prove_reuse $(ARGS)

soak: setup ## An hour of mixed load; the plot goes to docs/soak.svg; shorter with ARGS="--minutes 5"
	.venv/bin/python -m tests.chaos.soak $(ARGS)

stalls: setup ## Measure how long the event loop stalls over each kind of body; the table goes to bench/stalls.md
	.venv/bin/python -m bench.stalls $(ARGS)

own-cost: setup ## Measure the gateway's own work beside a bare ASGI application and LiteLLM's proxy
	.venv/bin/python -m bench.own_cost $(ARGS)

cache-cost: setup ## Price what the CLI sends with a simulated prompt cache; the plot goes to docs/cache_cost.svg
	.venv/bin/python -m bench.cache_cost $(ARGS)

memory: setup ## Measure the memory of reused processes; the table goes to bench/memory.md
	.venv/bin/python -m bench.memory $(ARGS)

overload: setup ## Send twice what the gateway can answer; the plot goes to docs/overload.svg
	.venv/bin/python -m bench.overload $(ARGS)

rolling: setup ## Restart three gateways behind HAProxy, which has to be on the PATH, under load
	.venv/bin/python -m bench.rolling $(ARGS)

matrix: setup ## Try every parameter with every model; the page goes to docs/matrix.md
	.venv/bin/python -m tests.matrix $(ARGS)

full: ## Run every on-demand target, one after another; takes hours
	@$(MAKE) matrix
	@$(MAKE) test-cells
	@$(MAKE) fuzz
	@$(MAKE) arrives
	@$(MAKE) test-codex
	@$(MAKE) test-openclaw
	@$(MAKE) test-gptme
	@$(MAKE) test-browser
	@$(MAKE) dist-installers
	@$(MAKE) chaos
	@$(MAKE) prove-reuse
	@$(MAKE) bench
	@$(MAKE) stalls
	@$(MAKE) own-cost
	@$(MAKE) cache-cost
	@$(MAKE) memory
	@$(MAKE) overload
	@$(MAKE) rolling
	@$(MAKE) soak
	@$(MAKE) audit

lint: setup ## Check style and formatting
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

format: setup ## Apply formatting, and the style fixes that are safe
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

types: setup ## Check types
	.venv/bin/mypy

check: lint types test ## Everything that a change has to pass

dist: setup ## Build wheel and sdist into dist/, and have the wheel answer from a new environment
	@sh scripts/check-dist

dist-installers: setup ## The same, also with the sdist, and the wheel as pipx and uv install it
	@sh scripts/check-dist --installers

update-cli: ## Bring the newest Claude Code CLI into .venv; `make run` keeps it
	@sh scripts/bootstrap run cli
	.venv/bin/python -m pip install --quiet --upgrade --no-deps claude-agent-sdk
	@.venv/lib/python3*/site-packages/claude_agent_sdk/_bundled/claude --version

cli-releases: setup ## Make the table of the CLI's releases anew; needs npm
	npm view @anthropic-ai/claude-code time --json | .venv/bin/python scripts/cli_releases.py \
		> plugins/gateway_claude_code/installed/releases.new
	mv plugins/gateway_claude_code/installed/releases.new \
		plugins/gateway_claude_code/installed/releases.txt

docs: ## Build the site of docs/ into site/; a broken link or anchor fails
	@sh scripts/bootstrap docs
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build --strict --quiet

docs-serve: ## Show the site, and each change of it, on 127.0.0.1:8000
	@sh scripts/bootstrap docs
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs serve $(ARGS)

lock: ## Compile requirements/*.txt and the Node clients' lock anew
	@sh scripts/lock
	@sh scripts/bootstrap clients
	@sh scripts/lock-node

docs-commands: setup ## Make docs/commands.md anew, of the commands' own help
	.venv/bin/python -m gateway_terminal.manual > docs/commands.md

docs-facts: setup ## Make docs/facts.md anew, of the comments and docstrings that name a source
	.venv/bin/python scripts/list_facts.py --page > docs/facts.md

docs-types: setup ## Make the public names and types of docs/plugins.md anew, of the code
	.venv/bin/python scripts/type_reference.py

clean: ## Remove .venv, .venv-clients, .venv-docs and all that was built or measured
	rm -rf .venv .venv-* tests/clients/node/node_modules build dist site .coverage .coverage.* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
