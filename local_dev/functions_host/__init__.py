"""A stand-in for Azure Functions Core Tools (`func start`): docs/local-functions-host.md."""
