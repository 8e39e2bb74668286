# make help lists the targets. Each does its own set-up.

CARGO ?= cargo
ZTSMS := target/release/ztsms
SAMPLES := pcaps/samples/pycrate.pcapng pcaps/samples/generated.pcapng
# Other hands, for the tests that ask them: an encoder of MAP, a fuzzer of the API by its document.
PYTHON := .venv/bin/python

# Property tests draw the same cases in every run, so that a failure is a change's and not chance's; `make prove` draws new ones.
SEED ?= 4711

# What the live part is built and tested with: AF_XDP, and network namespaces. `make run` does without, so that the first look is quick.
LIVE := cc=gcc make clang pkg-config m4 /usr/include/libelf.h=libelf-dev /usr/include/zlib.h=zlib1g-dev /usr/include/linux/bpf.h=linux-libc-dev
NAMESPACES := ip=iproute2 ethtool nsenter=util-linux
# Name servers and sites for the tests of what goes out.
SITES := knotd=knot nginx=nginx-light
# What the unit is tested under.
SERVICE := /usr/lib/systemd/systemd=systemd runuser=util-linux

.PHONY: help run live console test bench prove lint unit counts build fuzz-replay lab

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: build ## build, then replay the captures that ship in pcaps/samples
	@$(ZTSMS) replay $(SAMPLES)

build:
	@tools/need cc=gcc ld=binutils
	@$(CARGO) build --release --locked -p ztsms --no-default-features

live: ## build with the live part: tap, inline, lab, check
	@tools/need $(LIVE) $(NAMESPACES)
	@$(CARGO) build --release --locked -p ztsms

console: ## build the desk: ztsms-console
	@tools/need cc=gcc ld=binutils
	@$(CARGO) build --release --locked -p ztsms-console

PEER := target/release/ztsms-lab-peer
$(PEER): tools/lab/peer.c
	@tools/need cc=gcc /usr/include/usrsctp.h=libusrsctp-dev
	@mkdir -p $(@D)
	@cc -O2 -Wall -o $@ $< -lusrsctp -lpthread

# The guest with a kernel's SCTP and an STP. Unpacked from Debian's packages, x86-64 only; without it its tests say so and do nothing.
GUEST := target/guest
ifeq ($(shell uname -m),x86_64)
GUEST_IMAGE := $(GUEST)/initrd
endif
$(GUEST)/initrd: $(wildcard tools/lab/guest/*)
	@tools/need cc=gcc /usr/include/stdio.h=libc6-dev qemu-system-x86_64=qemu-system-x86
	@tools/lab/guest/build $(@D)

lab: live $(PEER) ## a real sender and receiver with the filter between them, in network namespaces; needs root
	@$$([ "$$(id -u)" = 0 ] || echo sudo) $(ZTSMS) lab

test: lint unit counts ## everything that CI checks
	@echo "make test: all passed"

lint:
	@tools/need $(LIVE)
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked -p ztsms --no-default-features -- -D warnings
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

# Where tests find the peers of the wire, and another hand's encoder.
PEERS := ZTSMS_LAB_PEER=$(abspath $(PEER)) ZTSMS_GUEST=$(abspath $(GUEST)) ZTSMS_PYTHON=$(abspath $(PYTHON))

unit: live $(PEER) $(GUEST_IMAGE) $(PYTHON)
	@tools/need tshark faketime curl jq $(LIVE) $(NAMESPACES) $(SITES) $(SERVICE)
	$(PEERS) PROPTEST_RNG_SEED=$(SEED) $(CARGO) test --locked --workspace

counts: ## instructions of each step, against bench/counts.toml (3 % band)
	@tools/need valgrind $(LIVE)
	$(CARGO) run --release --locked -p ztsms-bench --bin counts

bench: ## what each step costs, in nanoseconds
	@tools/need $(LIVE)
	$(CARGO) bench --locked -p ztsms-bench

prove: build $(PEER) $(GUEST_IMAGE) $(PYTHON) ## what takes longer than CI allows
	@tools/need tshark clang valgrind $(LIVE) $(NAMESPACES) $(SERVICE)
	$(PEERS) tools/prove

$(PYTHON): .venv/installed ;
.venv/installed: tools/requirements.txt
	@tools/need python3 || true
	@python3 -m venv .venv 2>/dev/null || { tools/need ensurepip=python3-venv; python3 -m venv .venv; }
	@.venv/bin/pip install -q --disable-pip-version-check -r $<
	@touch $@
