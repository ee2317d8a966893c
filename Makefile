# lastport: build, run, test. 'make help' lists the targets.

SHELL       := /bin/bash
GO          ?= go
BIN         := bin
TOOLS       := $(BIN)/tools
PREFIX      ?=
FUZZTIME    ?= 10s
CFLAGS      ?= -O2
GOLANGCI    := v2.15.0# its gofumpt is v0.12.0

# Static, without paths of the build machine, and with the commit in it. The
# flag is given because GOFLAGS may say otherwise; "auto" is content outside of a
# checkout.
BUILDFLAGS  := -trimpath -buildvcs=auto -ldflags='-s -w'

.DEFAULT_GOAL := build

.PHONY: build
build: ## build bin/lastport
	CGO_ENABLED=0 $(GO) build $(BUILDFLAGS) -o $(BIN)/lastport ./cmd/lastport

.PHONY: bench
bench: build ## run the standard suite, print the report, save the results; needs no root
	$(BIN)/lastport bench

# The bare loops that lastport is compared with: each file is a program.
LIMIT       := loadgen/engine/limit
LOOPS       := $(patsubst $(LIMIT)/%.c,$(BIN)/limit/%,$(wildcard $(LIMIT)/*.c))

.PHONY: limit
limit: $(LOOPS) ## compile the bare loops in C that show the kernel's own limit, into bin/limit

$(BIN)/limit/%: $(LIMIT)/%.c $(wildcard $(LIMIT)/*.h)
	@mkdir -p $(@D)
	$(CC) -std=c11 -Wall -Wextra $(CFLAGS) -pthread -o $@ $<

.PHONY: bench-engine
bench-engine: build ## compare the engines with the bare loops, in turn; ENGINEBENCH='--quick' for one pair
	@if command -v $(firstword $(CC)) >/dev/null; then $(MAKE) --no-print-directory limit; \
	else echo "no C compiler ($(CC)): the loops' rows will be absent"; fi
	CGO_ENABLED=0 $(GO) build $(BUILDFLAGS) -o $(BIN)/enginebench ./cmd/enginebench
	$(BIN)/enginebench --bin $(BIN) $(ENGINEBENCH)

.PHONY: test
test: ## run every test, with the race detector where a C compiler is there
	@cc=$$($(GO) env CC); if command -v $${cc%% *} >/dev/null; then race=-race; export CGO_ENABLED=1; \
	else echo "no C compiler ($$cc): testing without the race detector"; fi; \
	set -x; $(GO) test $$race -shuffle=on ./...

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (10s)
	@set -euo pipefail; \
	grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n1 dirname | sort -u | while read -r dir; do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | cut -d' ' -f2); do \
			(set -x; $(GO) test -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) $$dir) </dev/null; \
		done; \
	done

.PHONY: bench-go
bench-go: ## run the Go benchmarks
	$(GO) test -run='^$$' -bench=. -benchmem ./...

.PHONY: lint
lint: $(TOOLS)/.golangci-lint-$(GOLANGCI) ## run the linters of .golangci.yml, gofumpt among them
	$(TOOLS)/golangci-lint run ./...

.PHONY: fmt
fmt: $(TOOLS)/.golangci-lint-$(GOLANGCI) ## format the code by gofumpt
	$(TOOLS)/golangci-lint fmt ./...

# The mark's name holds the version, so that another one is installed anew.
$(TOOLS)/.golangci-lint-%:
	GOBIN=$(CURDIR)/$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$*
	@touch $@

.PHONY: cross
cross: ## build and vet for the other systems: there lastport reads and renders saved runs
	@set -xeuo pipefail; \
	for target in linux/arm64 darwin/arm64 windows/amd64; do \
		export GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0; \
		$(GO) build ./...; \
		$(GO) vet ./...; \
	done

.PHONY: install
install: build ## install lastport: into PREFIX/bin, or without PREFIX where 'go install' does
	@if [ -n "$(PREFIX)" ]; then to="$(DESTDIR)$(PREFIX)/bin"; else \
		to="$$($(GO) env GOBIN)"; [ -n "$$to" ] || to="$$($(GO) env GOPATH | cut -d: -f1)/bin"; fi; \
	(set -x; install -D -m 755 $(BIN)/lastport "$$to/lastport")

.PHONY: clean
clean: ## remove what was built; results stay
	rm -rf $(BIN)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
