"""Tools for the developer's own machine. Never deployed."""
