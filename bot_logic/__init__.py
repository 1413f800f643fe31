"""The proactive bot, in two resources that share nothing but a contract.

======================  =========================================================================
``bot.py``              YOURS: what the bot says; what you add stands beside it
``functions.py``        YOURS: timers, webhooks and other functions of your own
``routes.py``           the paths of the API for other programs
``startup.py``          once per process: imports, wiring, whether the app may serve
``wiring.py``           the composition root: calls each package's own ``build()``
``settings.py``         the only reader of settings: all checked, each problem named
``testing.py``          your bot in a test: no Azurite, no network, milliseconds
``bot_endpoint/``       RESOURCE 1: takes what channels post: runs turns, delivers triggers
``queue_worker/``       RESOURCE 2: takes messages off the queue, hands each to the bot
``delivery/``           how a message ends: delivered once, put back, or a dead letter
``people/``             what is stored about somebody, and forgetting it
``notifications/``      who is to hear what, and when: audiences, planning, outcomes
``api/``                the API for other programs: notifications, conversations
``conversations/``      the conversations that the bot can continue: their references
``storage/``            the only place that knows Azure Storage; its doubles in ``memory/``
``contract/``           what travels: envelope, trigger token, dead letter; status, retry decision
``telemetry/``          spans, metrics and log events, told to whom the settings name
``admin/``              an operator's commands
``health.py``           the checks behind GET /api/health
``errors.py``           every error: retryable, permanent, or refused
``secret.py``           a string that does not show itself
``json_text.py``        JSON as it travels
``local_settings.py``   local.settings.json and host.json, as people have them
``addresses.py``        ids, URLs, and which service URLs the bot may send to
``bot_identity.py``     who the bot is, in which cloud
``access_token.py``     tokens, kept and renewed
``webhooks.py``         what a signed webhook says, for functions of your own
``outgoing.py``         what all outgoing HTTP calls share
``deadline.py``         one deadline for a turn
``clock.py``            time and chance, which a test can replace
``single_flight.py``    one call under way, shared by all who want its result
======================  =========================================================================

Imports point one way, and import-linter says so (``make check``; the contract is in
``pyproject.toml``)::

    function_app > routes | functions > startup | admin | testing > wiring > bot
      > bot_endpoint | queue_worker | api > people > notifications
      > delivery | conversations > storage > contract > errors, telemetry, json_text, ...

The resources never import each other. Only ``bot.py``, ``testing.py`` and ``bot_endpoint/`` know
the bot SDK, only ``storage/`` knows Azure Storage's, and only ``telemetry/`` OpenTelemetry's.
"""
