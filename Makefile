# SPDX-License-Identifier: MIT
# The front door. `make run` and `make test` are all that a fresh Debian machine needs; meson does the work.
.DEFAULT_GOAL := help
.PHONY: help run build test check bench fuzz sim faults install docs coverage lint valgrind clean

MESON_FLAGS ?=
FUZZ_SECONDS ?= 30
SIM_SEEDS ?= 1 100
FAULTS_SECONDS ?= 600

help:
	@echo 'make run        build stet, make its documentation as HTML and serve that on http://127.0.0.1:8304/'
	@echo 'make build      the release binary, build/stet'
	@echo 'make test       every test, with sanitizers and in the release build; ends with "N passed, N failed"'
	@echo 'make check      unit tests and the executed specification only: under a minute'
	@echo 'make fuzz       every fuzz harness for FUZZ_SECONDS (30) seconds each'
	@echo 'make sim        core and store beside a naive oracle: a million random requests for each of SIM_SEEDS (1 to 100)'
	@echo 'make faults     stet proxy between an origin and clients that misbehave, for FAULTS_SECONDS (600) with each sanitizer'
	@echo 'make bench      stet beside nginx, lighttpd, h2o; stet proxy beside nginx, Varnish, HAProxy, Traffic Server; stet get beside curl, wget'
	@echo 'make coverage   which requirements have no test'
	@echo 'make lint       clang-tidy and cppcheck'
	@echo 'make valgrind   unit tests and specification under valgrind'
	@echo 'make docs       build/docs/html and the man pages'
	@echo 'make install    to PREFIX (/usr/local) below DESTDIR'
	@echo 'make clean      removes build/'

run:
	@tools/deps build docs
	@$(MAKE) --no-print-directory build docs
	@echo 'Try in another terminal; the second request sends the tag of the first and gets 304:'
	@echo '  curl -si http://127.0.0.1:8304/ --etag-save /tmp/stet.etag -o /dev/null -w "%{http_code}\n"'
	@echo '  curl -si http://127.0.0.1:8304/ --etag-compare /tmp/stet.etag'
	@exec build/stet serve build/docs/html

build:
	@tools/deps build
	@tools/configure build --buildtype=release --prefix=$(or $(PREFIX),/usr/local) $(MESON_FLAGS)
	@ninja -C build

docs: build
	@tools/deps docs
	@ninja -C build docs

test:
	@tools/deps build docs test
	@tools/peers varnish nginx apache2 dokuwiki
	-@tools/peers lighttpd h2o caddy # test/peers names what is not there
	@tools/npm http-cache-tests@0.4.5 node-red@4.1.15
	@test/run all

check:
	@tools/deps build test-unit
	@test/run check

bench:
	@tools/deps build bench
	@tools/peers nginx lighttpd h2o varnish haproxy trafficserver
	@$(MAKE) --no-print-directory build
	@bench/run
	@bench/cache
	@bench/get
	@ninja -C build bench/eviction >/dev/null && build/bench/eviction

fuzz:
	@tools/deps build fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) test/fuzz/run

coverage:
	@test/check/coverage.py --report

lint:
	@tools/deps build lint
	@test/check/lint

valgrind:
	@tools/deps build test-unit lint
	@test/run valgrind

sim:
	@tools/deps build test-unit
	@$(MAKE) --no-print-directory build
	@ninja -C build test/sim/sim
	@nice build/test/sim/sim $$(seq $(SIM_SEEDS))

faults:
	@tools/deps build
	@tools/configure build/asan -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized
	@tools/configure build/tsan -Db_sanitize=thread -Db_lundef=false --buildtype=debugoptimized
	@ninja -C build/asan stet
	@ninja -C build/tsan stet
	@nice /usr/bin/python3 test/faults/load.py build/asan/stet --seconds $(FAULTS_SECONDS) --workers 4
	@nice /usr/bin/python3 test/faults/load.py build/tsan/stet --seconds $(FAULTS_SECONDS) --workers 4

install: build
	@meson install -C build --no-rebuild $(if $(DESTDIR),--destdir $(DESTDIR))

clean:
	@rm -rf build
