"""What travels between the two resources and how it is judged: pure, no I/O.

The envelope, the old template's shapes, the signed trigger, the statuses of a message, the retry
decision, the dead letter. May import: errors, secret, json_text, addresses, clock.
"""
