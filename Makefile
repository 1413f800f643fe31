# make run    sets up and starts everything; Ctrl-C ends it
# make services  the same without the Functions host, for a debugger that runs it
# make test   sets up and runs every test
# make check  sets up and runs every static check
# make lock   compiles requirements*.txt anew from pyproject.toml; UPGRADE=--upgrade for newer ones
# make package  builds the zip that is deployed to Azure, and says what is in it
# make teams-package BOT_ID=...  builds the app package for Teams: docs/teams.md
# make doctor  says what keeps the bot from running and what to do; DOCTOR="--url https://HOST"
# make upgrade FROM=...  takes a later version of the template over: docs/your-own-bot.md
# make operator URL=https://HOST  the operator page of an app in Azure: docs/operating.md
# make dead-letters  lists what could not be delivered; DO="replay --all", "show ID", "purge ID"

PYTHON ?= python3
VENV ?= .venv
TESTS ?= tests
DO ?= list
UPGRADE ?=

AZURITE := local_dev/node_modules/.bin/azurite
WEB_CHAT := local_dev/web_chat/webchat.js
WEB_CHAT_PACKAGE := botframework-webchat@4.18.1
CARDS := local_dev/operator_page/page/adaptivecards.js
CARDS_PACKAGE := adaptivecards@3.0.6
TEAMS_SCHEMAS := local_dev/teams_schemas/.fetched
TEAMS_SCHEMAS_PACKAGE := @microsoft/app-manifest@1.1.2

# The Python that is asked for its version, and where a recipe says why it failed.
INTERPRETER = $(if $(wildcard $(VENV)/bin/python),$(VENV)/bin/python,$(PYTHON))
SAY_WHY = { echo $(1) >> "$${WHY:-/dev/stderr}"; exit 1; }
UNREACHABLE = Are you online, and does $(1) reach its registry? Its own words are above.

.PHONY: run services test doctor needs needs-python needs-node settings dead-letters operator audiences \
  package teams-package check check-lock lock format setup setup-tests upgrade clean
.DEFAULT_GOAL := run

# What develops this project itself; a bot made by `make new-bot` goes without.
-include development.mk

.DELETE_ON_ERROR:

run: setup
	@$(VENV)/bin/python -m local_dev.run --with-parent

services: setup
	@$(VENV)/bin/python -m local_dev.run --with-parent --without-host

# Unit tests need less, so `make test TESTS=tests/unit` sets up less, and so it does with options.
OTHER_TESTS = $(filter-out tests/unit%,$(filter tests%,$(TESTS)))
UNIT_ONLY = $(if $(OTHER_TESTS),,$(filter tests/unit%,$(TESTS)))
test: $(if $(UNIT_ONLY),$(VENV)/.installed,setup-tests)
	@$(VENV)/bin/python -m pytest $(TESTS)

setup-tests: setup $(TEST_NEEDS) $(VENV)/.browser

# In the storage account that AzureWebJobsStorage names, or local.settings.json does.
dead-letters: $(VENV)/.installed
	@$(VENV)/bin/python -m bot_logic.admin.dead_letters $(DO)

# For the app at URL; its function key comes from NOTIFICATIONS_KEY, or is asked for.
operator: $(VENV)/.installed $(CARDS)
	@$(VENV)/bin/python -m local_dev.operator_page --url "$(URL)"

# Once, after an upgrade from a version without notifications: docs/upgrading.md
audiences: $(VENV)/.installed
	@$(VENV)/bin/python -m bot_logic.admin.audiences

# For Azure's Python and system, whichever this one is: docs/package.md
package: $(VENV)/.installed
	@$(VENV)/bin/python -m local_dev.package

# For the bot with the app id BOT_ID; BOT_DOMAIN may name the host of its pages, if it has any.
teams-package: needs $(VENV)/.installed $(TEAMS_SCHEMAS)
	@$(VENV)/bin/python -m local_dev.teams_package

# This checkout; DOCTOR="--settings FILE" or "--url https://HOST" for an app in Azure, --json.
doctor: $(VENV)/.installed
	@$(VENV)/bin/python -m local_dev.doctor $(DOCTOR)

check: $(VENV)/.installed check-lock
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

# What is left to mend by hand, `make check` says; the last run formats what the fixes have made.
format: $(VENV)/.installed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .

# What pyproject.toml lists and all that it needs, with hashes, for every Python and system.
COMPILE = $(abspath $(VENV))/bin/uv pip compile pyproject.toml --quiet --generate-hashes \
  --universal --python-version 3.11 --python $(abspath $(VENV))/bin/python \
  --no-emit-index-url --custom-compile-command "make lock"
COMPILE_BOTH = $(COMPILE) $(1) --output-file requirements.txt && \
  $(COMPILE) $(1) --group dev --constraint requirements.txt --output-file requirements-dev.txt

# Versions that still fit stay, unless UPGRADE says otherwise.
lock: $(VENV)/.installed
	@$(call COMPILE_BOTH,$(UPGRADE))

# Compiles a copy, from the versions that are there: a new release of a package does not fail it.
check-lock: $(VENV)/.installed
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	  cp pyproject.toml requirements.txt requirements-dev.txt "$$copy" && \
	  (cd "$$copy" && $(call COMPILE_BOTH)) && \
	  for file in requirements.txt requirements-dev.txt; do \
	    diff -u "$$file" "$$copy/$$file" || { echo "$$file is stale: run make lock"; exit 1; }; \
	  done

# All at once; each is skipped when it is up to date. What went wrong is said last.
setup: needs
	@WHY=$$(mktemp) && export WHY && trap 'rm -f "$$WHY"' EXIT && \
	  $(MAKE) --silent --no-print-directory -j3 $(VENV)/.installed $(AZURITE) $(WEB_CHAT) $(CARDS) settings || { \
	  echo >&2; cat "$$WHY" >&2; exit 1; }

# Asked before anything else is done, as it takes no time.
needs: needs-python needs-node

needs-python:
	@[ "$$OS" != Windows_NT ] || { echo "On Windows, run make inside WSL." >&2; exit 1; }
	@$(INTERPRETER) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3" >&2; exit 1; }

needs-node:
	@command -v npm >/dev/null && \
	  node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null || { \
	  echo "Node.js 20 or newer is needed, with npm: https://nodejs.org" >&2; exit 1; }

$(VENV)/.installed: requirements.txt requirements-dev.txt | needs-python
	@echo "Installing the Python packages into $(VENV) ..."
	@$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV) || \
	  $(call SAY_WHY,"$(PYTHON) -m venv failed. On Debian and Ubuntu: apt install python3-venv")
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --retries 1 \
	  -r requirements-dev.txt || \
	  $(call SAY_WHY,"pip could not install the Python packages. $(call UNREACHABLE,pip)")
	@touch $@

# Made once, with secrets of its own.
settings: $(VENV)/.installed
	@$(VENV)/bin/python -m local_dev.settings_file 2>> "$${WHY:-/dev/stderr}"

# For the end-to-end tests: the system's Chromium, or else Playwright's own.
$(VENV)/.browser: $(VENV)/.installed
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
	  || command -v google-chrome >/dev/null || $(VENV)/bin/playwright install chromium
	@touch $@

$(AZURITE): local_dev/package.json local_dev/package-lock.json | needs-node
	@echo "Installing Azurite ..."
	@npm ci --prefix local_dev --loglevel=error --fetch-retries=1 --no-audit --no-fund || \
	  $(call SAY_WHY,"npm could not install Azurite. $(call UNREACHABLE,npm)")
	@touch $@

# Web Chat is one file of a package whose full install takes 500 MB.
$(WEB_CHAT): Makefile | needs-node
	@echo "Fetching Web Chat ..."
	@cd $(@D) && package=$$(npm pack --loglevel=error --fetch-retries=1 $(WEB_CHAT_PACKAGE)) && \
	  tar -xzf "$$package" --strip-components=2 package/dist/webchat.js && rm "$$package" || \
	  $(call SAY_WHY,"npm could not fetch Web Chat. $(call UNREACHABLE,npm)")
	@touch $@

# What draws a card in the operator page's preview, one file of a package.
$(CARDS): Makefile | needs-node
	@echo "Fetching what draws cards ..."
	@cd $(@D) && package=$$(npm pack --loglevel=error --fetch-retries=1 $(CARDS_PACKAGE)) && \
	  tar -xzOf "$$package" package/dist/adaptivecards.min.js > $(@F) && rm "$$package" || \
	  $(call SAY_WHY,"npm could not fetch what draws cards. $(call UNREACHABLE,npm)")

# Microsoft's schemas of all versions of a Teams app's manifest, out of a package of theirs.
$(TEAMS_SCHEMAS): Makefile | needs-node
	@echo "Fetching the schemas of Teams ..."
	@mkdir -p $(@D) && cd $(@D) && \
	  package=$$(npm pack --loglevel=error --fetch-retries=1 $(TEAMS_SCHEMAS_PACKAGE)) && \
	  tar -xzf "$$package" --strip-components=4 package/build/json-schemas/teams && rm "$$package" || \
	  $(call SAY_WHY,"npm could not fetch the schemas of Teams. $(call UNREACHABLE,npm)")
	@touch $@

# FROM is a folder or an address of the template. Its own program knows best, so that is run.
upgrade: needs-python
	@[ -n "$(FROM)" ] || { echo "From where? make upgrade FROM=/path/or/address" >&2; exit 1; }
	@template=$$(mktemp -d) && trap 'rm -rf "$$template"' EXIT && \
	  git clone --quiet -- "$(FROM)" "$$template" && \
	  PYTHONPATH="$$template" $(INTERPRETER) -P -m local_dev.new_bot.upgrade "$(CURDIR)"

clean:
	rm -rf $(VENV) $(PEERS_VENV) $(INFRA_VENV) .azurite dist local_dev/node_modules $(WEB_CHAT) $(CARDS) $(dir $(TEAMS_SCHEMAS))
