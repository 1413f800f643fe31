"""Measurements; never deployed."""
