"""Messages that could not be delivered: why, and what an operator can do about it."""
