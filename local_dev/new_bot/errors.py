"""Why there is no bot, or no upgrade, in words for whoever asked for it."""


class NewBotError(Exception):
    """It cannot be done; nothing was changed, unless the message says so."""
