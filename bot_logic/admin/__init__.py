"""An operator's commands, and the client of the HTTP API that they and the operator page share.

May import: delivery, storage, settings, outgoing, json_text, secret, errors, clock.
"""
