"""What a loaded function app looks like to the host, and the choice of who loads it."""

import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from azure.functions.meta import Datum


class LoadError(Exception):
    """The app cannot be loaded, so none of its functions are: as in Azure."""


class InvocationError(Exception):
    """A function failed; the message is the traceback that its author wants to see."""


class Function:
    """One function with its bindings, in the words of function.json."""

    def __init__(self, name: str, function_id: str, raw_bindings: Iterable[str]) -> None:
        self.name, self.id = name, function_id
        self.bindings: dict[str, Mapping[str, Any]] = {}
        for binding in map(json.loads, raw_bindings):
            if binding["type"] not in {"httpTrigger", "http", "queueTrigger"}:
                raise LoadError(f"{name}: this host has no {binding['type']} bindings; use func")
            self.bindings[binding["name"]] = binding
            if binding["type"].endswith("Trigger"):
                self.trigger: Mapping[str, Any] = binding


class FunctionApp(Protocol):
    """A loaded app."""

    loader: str
    functions: Sequence[Function]

    async def invoke(
        self, function: Function, value: Datum, metadata: Mapping[str, Datum]
    ) -> Datum | None:
        """Call a function with its trigger's value; raise InvocationError if it fails."""


def load_app(app_dir: Path, loader: str) -> FunctionApp:
    """Import function_app.py, with the working directory and the path that it has in Azure."""
    if not (app_dir / "function_app.py").is_file():
        raise LoadError(f"there is no function_app.py in {app_dir}")
    os.chdir(app_dir)
    sys.path.insert(0, str(app_dir))
    if loader == "auto":
        loader = "worker" if importlib.util.find_spec("azure_functions_runtime") else "converters"
    module = {"worker": "real_worker", "converters": "converters"}[loader]
    try:
        app: FunctionApp = importlib.import_module(f"{__package__}.{module}").load(app_dir)
    except Exception as error:
        raise LoadError(f"the app cannot be loaded: {error}") from error
    return app
