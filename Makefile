# What a newcomer types. Every target installs what it needs, says what it
# does, and can be run again.

CARGO   ?= cargo
TRIPLE  := x86_64-unknown-linux-gnu
STATE   ?= $(CURDIR)/target/state
RELEASE := target/release
GUEST   := target/$(TRIPLE)/guest/regain-guest

# regain is named too, so that both are built from the same dependencies.
CONFORMANCE = $(CARGO) build --release --locked --quiet -p regain -p e2e --bins && \
	$(RELEASE)/conformance

TARGET  ?= sshd_config
SECONDS ?= 60

DENY = $(or $(REGAIN_CACHE),/var/cache/regain)/clients/cargo-deny/bin/cargo-deny

.PHONY: help setup setup-tests setup-clients build demo test fuzz conformance bench lint tidy deny advisories dist clean

help:
	@echo "make demo    lock a real VM's owner out three times, and regain it"
	@echo "make test    everything: units, components, real VMs, real clients"
	@echo "make conformance   the real az, the classic CLI and the SDKs alone"
	@echo "make fuzz    one reader of a guest's files: TARGET=sshd_config SECONDS=60"
	@echo "make bench   the figures, each against a peer or a limit"
	@echo "make lint    fmt, clippy, tidy"
	@echo "make deny    licences, bans and sources of every dependency"
	@echo "make advisories    known holes in them; needs the advisory database"
	@echo "make dist    what a release ships"
	@echo "make clean   remove build results and the lab's leftovers"

setup:
	@scripts/setup run

setup-tests:
	@scripts/setup test

setup-clients:
	@scripts/setup clients

# Two builds, because the guest's binary is static: it must run in any guest,
# whatever its C library.
build: setup
	$(CARGO) build --release --locked -p regain
	RUSTFLAGS="-C target-feature=+crt-static" $(CARGO) build --locked \
		--profile guest --target $(TRIPLE) -p guest --bin regain-guest
	@install -m 0755 $(GUEST) $(RELEASE)/regain-guest

demo: build
	@scripts/demo $(RELEASE)/regain

# Both run, whatever the first one says: whoever waits wants to know all of it.
test: setup-tests setup-clients build
	@status=0; \
	$(CARGO) nextest run --release --locked --workspace --no-fail-fast || status=1; \
	$(CONFORMANCE) || status=1; \
	exit $$status

conformance: setup-clients build
	$(CONFORMANCE) $(ARGS)

# The targets are the tests of crates/formats/tests/fuzz; the seeds are beside them.
fuzz:
	REGAIN_FUZZ_SECONDS=$(SECONDS) $(CARGO) test --release --locked -p formats \
		--test fuzz -- --exact --nocapture $(TARGET)

bench: setup-clients build
	$(CARGO) run --release --locked --quiet -p e2e --bin figures
	$(CARGO) run --release --locked --quiet -p e2e --bin server_figures
	$(CARGO) bench --profile release --locked --quiet -p network

lint: tidy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings

tidy:
	$(CARGO) xtask tidy

# Fetched for our target only: that is all that is asked about.
deny:
	@scripts/setup deny
	$(CARGO) fetch --locked --target $(TRIPLE)
	$(DENY) --offline --locked check licenses bans sources

advisories:
	@scripts/setup deny
	$(DENY) --locked check advisories

dist: build
	$(CARGO) xtask dist

clean:
	-test ! -x $(RELEASE)/regain || $(RELEASE)/regain lab down
	$(CARGO) clean
