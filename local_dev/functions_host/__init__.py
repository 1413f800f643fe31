"""A stand-in for Azure Functions Core Tools (`func start`), for machines that lack it.

Just enough host for a Python function app with HTTP and Storage-queue triggers:

    __main__.py        command line, start-up, shutdown
    configuration.py   host.json and local.settings.json, checked
    app_loader.py      what a loaded app looks like, and who loads it:
    real_worker.py       the Azure Functions worker itself (Python 3.13 and later)
    converters.py        the converters of azure-functions (any Python)
    http_server.py     HTTP triggers
    queue_listener.py  queue triggers: polling, and then for each message
    queue_processor.py   lock, invoke, delete, retry, poison

`docs/local-functions-host.md` says what it covers and what it does not.
"""
