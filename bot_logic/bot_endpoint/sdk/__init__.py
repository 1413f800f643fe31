"""What stands in for the bot SDK's lower half: tokens, keys, the connector, the models' JSON.

May import: errors, secret, json_text, addresses, access_token, outgoing, clock.
"""
