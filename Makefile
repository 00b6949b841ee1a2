# The two that matter: `make run` starts the demo, `make check` runs every test.

GO        ?= go
# VERSION is what `offhook version` prints.
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   := -s -w -X main.version=$(VERSION)
FUZZTIME  ?= 20s
PLATFORMS ?= linux/amd64 linux/arm64

TOOLS    := $(CURDIR)/.tools
LINTER   := $(TOOLS)/golangci-lint
LINTVER  := v2.15.0

export CGO_ENABLED ?= 0

.DEFAULT_GOAL := help
.PHONY: help run build web database judges sdk dist setup test e2e check lint fmt fuzz bench mutants golden sizes clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build and start the demo: a telephone exchange with a simulated phone network
	bin/offhook demo

# The first build takes a minute, most of it one package of the database: that
# one is compiled while the pages are fetched and bundled.
build: ## build bin/offhook with its web pages
	@$(MAKE) --no-print-directory -j2 web database
	$(GO) build -ldflags "$(LDFLAGS)" -o bin/offhook ./cmd/offhook

web: web/node_modules/.package-lock.json ## bundle the pages and the browser SDK into internal/web/dist
	$(GO) run ./tools/web

database:
	@$(GO) build modernc.org/sqlite

sdk: web ## the same: the browser SDK is internal/web/dist/sdk

# npm writes this file last, so a broken download is repeated.
web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	npm ci --prefix web --no-audit --no-fund
	@touch $@

# The judges of the Voice API: an application's own SDK, at two versions, with the
# Node that the newer one needs.
judges: test/e2e/testdata/voice/sdk-3.20/node_modules/.package-lock.json test/e2e/testdata/voice/sdk-3.30/node_modules/.package-lock.json

test/e2e/testdata/voice/%/node_modules/.package-lock.json: test/e2e/testdata/voice/%/package.json test/e2e/testdata/voice/%/package-lock.json
	npm ci --prefix $(@D)/.. --no-audit --no-fund --ignore-scripts
	@touch $@

dist: web ## static binaries for Linux, amd64 and arm64, in dist/
	@mkdir -p dist
	@set -e; for p in $(PLATFORMS); do \
		echo "building dist/offhook-$${p%/*}-$${p#*/}"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -ldflags "$(LDFLAGS)" \
			-o dist/offhook-$${p%/*}-$${p#*/} ./cmd/offhook; \
	done
	cd dist && sha256sum offhook-* > SHA256SUMS

setup: ## install what the e2e tests need (Debian packages, modules)
	scripts/setup

# What fails beside the others runs once more, alone; see docs/testing.md.
test: web/node_modules/.package-lock.json ## quick tests: vet, unit with the race detector, SDK; no root, no apt
	$(GO) vet ./...
	$(GO) vet -tags e2e ./test/...
	CGO_ENABLED=1 $(GO) run ./test/again -race -timeout 5m ./...
	npm --prefix web run --silent check
	$(GO) run ./tools/web -tests bin/webtests
	node --test bin/webtests/

# Tests that wait for most of their time run eight at once, whatever the cores.
e2e: setup build ## real phones, Chromium and Firefox; a missing tool fails
	$(GO) run ./test/again -tags e2e -count=1 -p 1 -parallel 8 -timeout 40m ./test/e2e/... ./test/load/... ./internal/media/rtc/... ./internal/rtcedge/...

check: lint test e2e ## everything, as CI runs it

lint: $(LINTER) ## golangci-lint
	$(LINTER) run --allow-parallel-runners

fmt: $(LINTER) ## format all Go code
	$(LINTER) fmt

# Pinned here and not in go.mod: the linter pulls in hundreds of modules.
$(LINTER): | $(TOOLS)
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINTVER)

$(TOOLS):
	@mkdir -p $@

mutants: ## plant faults of one line; each must be noticed by its test
	$(GO) run ./test/mutants

fuzz: ## every fuzz target, and the simulator, for FUZZTIME each
	scripts/fuzz $(FUZZTIME)

bench: build ## what a call costs, about 12 minutes; writes docs/benchmarks.md
	$(GO) run ./test/load -o docs/benchmarks.md

golden: ## rewrite the golden files of tests that have some
	$(GO) test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' internal | xargs -r -n1 dirname | sort -u | sed 's,^,./,') -update

sizes: ## the ten longest files and functions
	@scripts/sizes

clean: ## remove what make built; downloads stay
	rm -rf bin dist artifacts internal/web/dist/*
