"""A function app that does nothing, so that all of a call is the worker and the web server."""
