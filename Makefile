# The commands of this repository. `make help` lists them.

SHELL := /bin/bash
TARGET := $(or $(CARGO_TARGET_DIR),target)
MEASUREMENTS := $(basename $(notdir $(wildcard bench/src/bin/*)))

.PHONY: help run test lint bench soak build deps
.DEFAULT_GOAL := help

help: ## Say what there is
	@echo "make COMMAND, where COMMAND is one of:"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  \1\t\2/' | expand -t 12

run: ## Three Docker hosts and a sample app on this machine, until Ctrl-C
	@scripts/deps run
	@if scripts/deps front; then scripts/web build; else echo "Going on without the web console."; fi
	@echo "Building pierhead (the first time takes a few minutes) ..."
	@cargo build --locked -p pierhead
	@exec $(TARGET)/debug/pierhead dev run --agents

test: ## All tests, on real Docker hosts too
	@scripts/deps test
	@scripts/web build
	@scripts/test

lint: ## Format, clippy, types, documentation, licences, sizes, directions of crates
	@scripts/deps build
	@scripts/deps front
	@scripts/lint

bench: ## Measurements beside peers and limits; figures are printed
	@scripts/deps bench
	@cargo build --locked --release -p pierhead -p pierhead-bench
	@set -e; for name in $(MEASUREMENTS); do echo; echo "== $$name"; $(TARGET)/release/$$name; done

soak: ## Long runs of faults and load
	@scripts/deps test
	@scripts/web build
	@PIERHEAD_SOAK=1 scripts/test

build: ## The program with its console, optimised: target/release/pierhead
	@scripts/deps build
	@scripts/deps front
	@scripts/web build
	@cargo build --locked --release -p pierhead
	@echo "Built $(TARGET)/release/pierhead"

deps: ## Install what build, run and tests need (Debian, as root)
	@scripts/deps test
