"""RESOURCE 2: takes messages off the queue and hands them back to the bot."""
