# Develops this project itself: its measurements, its tests of Azure's part, and bots made from it.
# make check-infra  checks infra/ without Azure: Bicep, policies, hooks
# make bench  measures the app beside what a user would pick instead; takes minutes
# make new-bot DIR=../pizza-bot NAME="Pizza bot" AUTHOR="Ada"  makes a bot's own repository

PEERS_VENV = $(VENV)-peers
INFRA_VENV = $(VENV)-infra
KQL_PARSER = $(INFRA_VENV)/kql/bridge.min.js
KQL_PARSER_PACKAGE := @kusto/language-service-next@12.4.1
PEERS = benchmarks/peers/requirements.txt benchmarks/peers/requirements-no-deps.txt
AXE := tests/end_to_end/axe.js
AXE_PACKAGE := axe-core@4.14.1
TEST_NEEDS = peers $(TEAMS_SCHEMAS) $(AXE)

.PHONY: new-bot picture chaos chaos-broadcast bench peers check-infra infra-snapshots

# A variable as it was given to make itself, quoted: WSL has a NAME in its environment.
GIVEN = $(if $(filter command,$(origin $(1))),'$(subst ','\'',$($(1)))','')

new-bot: needs-python
	@$(INTERPRETER) -m local_dev.new_bot $(call GIVEN,DIR) $(call GIVEN,NAME) $(call GIVEN,AUTHOR)

# The pictures in the README, taken by the end-to-end tests.
picture: setup $(AXE)
	@PICTURE=docs/images/conversation.png $(VENV)/bin/python -m pytest -q \
	  tests/end_to_end/test_chat.py -k "speaks_first and websocket"
	@PICTURE=docs/images/operator.png $(VENV)/bin/python -m pytest -q \
	  tests/end_to_end/test_operator_page.py -k everything_at_a_glance

# Messages through the app while everything fails; takes minutes. CHAOS="--seed 2" for other dice.
chaos: setup
	@$(VENV)/bin/python -m tests.resilience.chaos $(CHAOS)

# A broadcast to a tenant of Teams on such a day; CHAOS="--recipients 500" for a smaller one.
chaos-broadcast: setup
	@$(VENV)/bin/python -m tests.resilience.broadcast $(CHAOS)

# This app beside its peers, in one run; ROWS="--only echo,floor" for some of it, --quick for a try.
bench: needs $(VENV)/.installed $(AZURITE) peers
	@$(VENV)/bin/python -m benchmarks $(ROWS)

peers: $(PEERS_VENV)/.installed

# With Microsoft's compiler (BICEP names it, or it is on PATH); what is missing is skipped and said.
check-infra: $(VENV)/.installed $(INFRA_VENV)/.installed $(KQL_PARSER)
	@INFRA_TOOLS=$(abspath $(INFRA_VENV))/bin $(VENV)/bin/python -m pytest tests/infra

# What each combination of parameters makes, worked out anew: look at the difference.
infra-snapshots: $(VENV)/.installed
	@$(VENV)/bin/python -m tests.infra.renew_snapshots

# What the app is measured against, in an environment of its own.
$(PEERS_VENV)/.installed: $(PEERS) $(VENV)/.installed
	@echo "Installing the benchmarks' peers into $(PEERS_VENV) ..."
	@$(VENV)/bin/python -m venv $(PEERS_VENV)
	@$(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $(firstword $(PEERS))
	@$(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $(lastword $(PEERS))
	@touch $@

$(INFRA_VENV)/.installed: tests/infra/requirements.txt $(VENV)/.installed
	@echo "Installing what checks infra/ into $(INFRA_VENV) ..."
	@$(VENV)/bin/python -m venv $(INFRA_VENV)
	@$(INFRA_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Microsoft's own parser of the queries in infra/, two files of a package.
$(KQL_PARSER): Makefile $(INFRA_VENV)/.installed | needs-node
	@echo "Fetching the parser of queries ..."
	@mkdir -p $(@D) && cd $(@D) && \
	  package=$$(npm pack --loglevel=error --fetch-retries=1 $(KQL_PARSER_PACKAGE)) && \
	  tar -xzf "$$package" --strip-components=1 package/bridge.min.js \
	    package/Kusto.Language.Bridge.min.js && rm "$$package" || \
	  $(call SAY_WHY,"npm could not fetch the parser of queries. $(call UNREACHABLE,npm)")
	@touch $@

# What looks whether the operator page can be used by everyone; for its test only.
$(AXE): Makefile | needs-node
	@echo "Fetching axe ..."
	@cd $(@D) && package=$$(npm pack --loglevel=error --fetch-retries=1 $(AXE_PACKAGE)) && \
	  tar -xzOf "$$package" package/axe.min.js > $(@F) && rm "$$package" || \
	  $(call SAY_WHY,"npm could not fetch axe. $(call UNREACHABLE,npm)")
