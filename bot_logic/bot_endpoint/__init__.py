"""RESOURCE 1: the bot's messaging endpoint. Users edit ``bot.py``; the rest carries it."""
