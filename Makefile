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
bench: build ## run the standard suite, print its table, save the results; needs no root; QUICK=1 without what waits a minute
	$(BIN)/lastport bench$(if $(filter-out 0,$(QUICK)), --quick)

# The bare loops that lastport is compared with: each file is a program.
LIMIT       := loadgen/engine/limit
LOOPS       := $(patsubst $(LIMIT)/%.c,$(BIN)/limit/%,$(wildcard $(LIMIT)/*.c))

.PHONY: limit
limit: $(LOOPS) ## compile the bare loops in C that show the kernel's own limit, into bin/limit

$(BIN)/limit/%: $(LIMIT)/%.c $(wildcard $(LIMIT)/*.h)
	@mkdir -p $(@D)
	$(CC) -std=c11 -Wall -Wextra $(CFLAGS) -pthread -o $@ $<

.PHONY: bench-engine
bench-engine: build ## compare the engines with the bare loops, in turn; ENGINEBENCH='--quick' for one pair, not judged
	@if command -v $(firstword $(CC)) >/dev/null; then $(MAKE) --no-print-directory limit; \
	else echo "no C compiler ($(CC)): the loops' rows will be absent"; fi
	CGO_ENABLED=0 $(GO) build $(BUILDFLAGS) -o $(BIN)/enginebench ./cmd/enginebench
	$(BIN)/enginebench --bin $(BIN) $(ENGINEBENCH)

.PHONY: accuracy
accuracy: build ## compare predictions with the kernel and renew the table of docs/accuracy.md; ten minutes; ACCURACY='--only udp' for a part on standard output
	CGO_ENABLED=0 $(GO) build $(BUILDFLAGS) -o $(BIN)/accuracy ./cmd/accuracy
	$(BIN)/accuracy --bin $(BIN) $(if $(ACCURACY),$(ACCURACY),--doc docs/accuracy.md)

.PHONY: curve
curve: build ## measure what a connect costs by occupancy, for 'lastport plan': half an hour, on a machine with nothing else to do
	$(GO) run ./cmd/curve -lastport $(BIN)/lastport -runs $(BIN)/curve-runs

.PHONY: test
test: ## run every test, with the race detector where a C compiler is there
	@cc=$$($(GO) env CC); if command -v $${cc%% *} >/dev/null; then race=-race; export CGO_ENABLED=1; \
	else echo "no C compiler ($$cc): testing without the race detector"; fi; \
	set -x; $(GO) test $$race -shuffle=on ./...

.PHONY: test-readers
test-readers: build ## compare the histograms with what npm's and Debian's HdrHistogram tools read; installs them; a minute
	.ci/readers/check

.PHONY: test-browser
test-browser: ## open the HTML reports in Chromium and look at them; installs what it needs (as root, from Debian and npm); screenshots in bin/browser
	GO="$(GO)" reports/browser/run

.PHONY: test-alerts
test-alerts: build ## check metrics, alerts and dashboard with promtool, taken from Debian's prometheus; half a minute
	.ci/alerts/check

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

.PHONY: docs
docs: build ## renew docs/manual.md and docs/manual from the commands and their notes
	rm -f docs/manual/lastport-*.md
	$(BIN)/lastport docs --dir docs

.PHONY: man
man: build ## write the manual pages for man to bin/man
	rm -rf $(BIN)/man
	$(BIN)/lastport docs --form man --dir $(BIN)/man

.PHONY: completions
completions: build ## write the completion scripts of bash, zsh, fish and PowerShell to bin/completions
	@mkdir -p $(BIN)/completions
	$(BIN)/lastport completion bash >$(BIN)/completions/lastport.bash
	$(BIN)/lastport completion zsh >$(BIN)/completions/_lastport
	$(BIN)/lastport completion fish >$(BIN)/completions/lastport.fish
	$(BIN)/lastport completion powershell >$(BIN)/completions/lastport.ps1

.PHONY: install
ifdef PREFIX
SHARE := $(DESTDIR)$(PREFIX)/share

install: man completions ## install lastport where 'go install' does; with PREFIX there, and man pages and completions
	install -D -m 755 $(BIN)/lastport "$(DESTDIR)$(PREFIX)/bin/lastport"
	install -D -m 644 -t "$(SHARE)/man/man1" $(BIN)/man/*.1
	install -D -m 644 $(BIN)/completions/lastport.bash "$(SHARE)/bash-completion/completions/lastport"
	install -D -m 644 -t "$(SHARE)/zsh/site-functions" $(BIN)/completions/_lastport
	install -D -m 644 -t "$(SHARE)/fish/vendor_completions.d" $(BIN)/completions/lastport.fish
else
install: build
	@to="$$($(GO) env GOBIN)"; [ -n "$$to" ] || to="$$($(GO) env GOPATH | cut -d: -f1)/bin"; \
	(set -x; install -D -m 755 $(BIN)/lastport "$$to/lastport")
endif

# The time of the commit stands for the time of every file, and no owner, mode
# or order of the build machine gets in: the same commit makes the same bytes.
VERSION = $(shell sed -n 's/^const version = "\(.*\)"/\1/p' cmd/lastport/version.go)
EPOCH   = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)
PACK    = LC_ALL=C tar --format=ustar --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner --mode=a+rX,u+w,go-w

.PHONY: dist
dist: man completions ## pack dist/lastport-VERSION-linux-ARCH.tar.gz for amd64 and arm64, with SHA256SUMS
	@set -euo pipefail; rm -rf dist; \
	for arch in amd64 arm64; do \
		name=lastport-$(VERSION)-linux-$$arch; mkdir -p dist/$$name; \
		(set -x; CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build $(BUILDFLAGS) -o dist/$$name/lastport ./cmd/lastport); \
		cp -r $(BIN)/man $(BIN)/completions LICENSE README.md CHANGELOG.md dist/$$name; \
		$(PACK) -C dist -cf - $$name | gzip -9n >dist/$$name.tar.gz; \
		rm -r dist/$$name; \
	done; \
	cd dist && sha256sum *.tar.gz | tee SHA256SUMS

.PHONY: clean
clean: ## remove what was built; results stay
	rm -rf $(BIN) dist

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
