"""`make doctor`: what keeps the bot from running, here or in Azure, and what to do about it.

Each module looks at one thing and returns findings; none of them changes anything.
"""
