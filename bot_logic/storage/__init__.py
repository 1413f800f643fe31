"""Queues and tables, and the only place that knows Azure Storage.

`protocols` is what the rest of the app asks for, `account` is the real one, `memory` its double for
tests. May import: errors, secret, json_text, access_token, clock. Never: anything that uses it.
"""
