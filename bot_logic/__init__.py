"""The proactive bot, in two resources that share nothing but a contract.

=====================  ==========================================================================
``bot_endpoint/``      RESOURCE 1: takes what users say, puts it on the queue, speaks first
``queue_worker/``      RESOURCE 2: takes it off the queue, hands it back to the bot by Direct Line
``envelope.py``        the contract: what travels on the queue and inside the trigger
``signature.py``       the contract: how the bot knows that a trigger is the worker's
``legacy.py``          the contract: the shapes that the old template's producers still write
``wire.py``            JSON, ids, addresses, and how a service says no, the same for all
``service_urls``       which addresses the bot may send to
``storage_queue``      one Azure Storage queue: put, and nothing else
``table.py``           one Azure Storage table: rows by key
``storage_requests``   what each message asks of these two, signed and sent
``storage_transport``  the connections that both use
``deliveries.py``      each message comes to one end, by its id
``undelivered.py``     another attempt later, or a dead letter
``dead_letters/``      dead letters: what they say, where they are filed, what an operator can do
``settings.py``        the only reader of the environment
``errors.py``          "a retry can help" or "a retry can never help"
``single_flight``      one call under way, shared by all who want its result
``health.py``          what GET /api/health looks at
``wiring.py``          the composition root: builds each long-lived thing once
``cold_start.py``      imports, without looking for garbage
=====================  ==========================================================================

Imports point one way: ``function_app`` -> ``wiring`` -> a resource -> the contract. The two
resources never import each other, and only ``bot_endpoint`` knows the bot SDK
(``tests/unit/test_architecture.py`` says so).
"""
