# make run    builds the page and the server and serves http://127.0.0.1:8080
# make test   installs what the tests need and runs all of them
# make lint   format, clippy, docs, types, eslint
# make bench  a load of 200 sessions against a server of its own, as the README quotes it

.PHONY: run test lint bench page chromium clean
.DEFAULT_GOAL := run

ARGS ?=

run: page
	cargo run --release --locked -- $(ARGS)

test: page chromium
	cargo test --locked
	cargo build --locked
	npm --prefix web test
	npm --prefix web run test:browser

lint: web/node_modules/.package-lock.json
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	npm --prefix web run check
	npm --prefix web run lint

bench: page
	cargo build --release --locked
	benches/run

page: web/dist/index.html

# npm writes this file last, so it stands for all of node_modules.
web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	npm --prefix web ci --no-audit --no-fund

web/dist/index.html: web/node_modules/.package-lock.json $(shell find web/src web/public web/index.html web/vite.config.ts -type f)
	npm --prefix web run build

# The browser tests drive Debian's own Chromium; no test tool downloads one.
chromium:
	@command -v chromium >/dev/null || { \
	  as_root=$$( [ "$$(id -u)" = 0 ] || echo sudo ); \
	  $$as_root apt-get update && $$as_root apt-get install --yes --no-install-recommends chromium; }

clean:
	cargo clean
	rm -rf web/dist web/node_modules
