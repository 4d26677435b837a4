# Every target does its own set-up: only python3 and make are assumed.
PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.installed

.PHONY: install demo test lint docs bench figures soak fuzz tools compose-test ci clean

install: $(STAMP)

# Byte code is compiled here, once: every start would do it again where nothing may write any.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --group dev
	@$(BIN)/python -m compileall -q server client scenarios
	@touch $(STAMP)

demo: install
	$(BIN)/python -m vaultstorm.demo

# Most tests wait for sockets and processes: one more at once than there are cores uses them up. What loads
# the machine by itself runs afterwards, two at a time: most of that is waiting as well.
test: install
	$(BIN)/python -m pytest -m "not alone" --numprocesses $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) --dist worksteal
	$(BIN)/python -m pytest -m alone --numprocesses 2 --dist worksteal

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy server client scenarios tests bench docs containers
	$(BIN)/lint-imports

# The site in site/, which opens from disk; its generated parts and all links are checked.
docs: install
	$(BIN)/python -m docs.generate --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python -m docs.links site

bench: install
	$(BIN)/python -m bench

# What other people's servers lose, and other people's clients make of ours, into the pages that show it: ten minutes.
figures: install
	$(BIN)/python -m bench foreign clients --write --no-install

# The long runs, forty minutes together: hundreds of recycles with KB908739 applied and not one request lost; the
# hang of TECH39579 by 20 seeds, and its fix for a minute; 200 kills and every acknowledged block read back.
soak: install
	$(BIN)/python -m bench soak hang kills --strict --no-install

# 200,000 mutated PDUs against both ends of DCE/RPC, some minutes; `make test` runs 20,000.
fuzz: install
	$(BIN)/python -m tests.wire.dcerpc.fuzz 200000

# For the tests that look at a report in a real browser, that have Wireshark read what was captured, and that run nginx
# and curl; without one of them its tests are skipped, and say so.
TOOLS := chromium tshark nginx curl
tools:
	@for tool in $(TOOLS); do PATH="$$PATH:/usr/sbin" command -v $$tool >/dev/null || missing=1; done; [ -z "$$missing" ] \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(TOOLS) >/dev/null; } \
		|| echo "$(TOOLS) are not all here, nor can they be installed: their tests will be skipped"

# The image and the three profiles for real: Docker Compose, else Podman, which is installed where it can be.
compose-test:
	containers/compose-test

ci: tools lint test

clean:
	rm -rf .venv dist build site bench/results demo-out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find demo-reports -mindepth 1 -not -name .gitignore -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
