# A thin front of CMake and the scripts: what each target does stands in scripts/.
PREFIX ?= /usr/local
SECONDS ?= 60

.PHONY: all build test conformance demo bench install check fuzz sim kill power chaos clean packages-build packages-all

all: build

build: packages-build
	@scripts/build release product

test: packages-all
	@scripts/test

conformance: packages-all
	@scripts/build release all
	@scripts/conformance

demo: build
	@scripts/demo

bench: packages-build
	@bench/run

install: build
	@cmake --install build/release --prefix "$(PREFIX)"

check: packages-all
	@scripts/check

fuzz: packages-all
	@scripts/fuzz $(SECONDS)

sim: packages-all
	@scripts/sim

kill: packages-all
	@scripts/kill

power: packages-all
	@scripts/power

chaos: packages-all
	@scripts/chaos

clean:
	@rm -rf build

packages-build:
	@scripts/install-packages build

packages-all:
	@scripts/install-packages
