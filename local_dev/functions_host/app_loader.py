"""Loads the app: by the worker that runs it in Azure, or by azure-functions' own converters."""

import inspect
import json
import os
import sys
import traceback
import uuid
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import azure.functions as func
from azure.functions.meta import Datum

from local_dev.functions_host.configuration import StartError
from local_dev.functions_host.own_error import own_error

try:
    from azure_functions_runtime import handle_event, native_invocation
except ImportError:  # it is a package for Python 3.13 and later
    handle_event = None

PARAMETER_TYPES = {
    "httpTrigger": func.HttpRequest,
    "queueTrigger": func.QueueMessage,
    "timerTrigger": func.TimerRequest,
}
# The worker answers the host in gRPC messages; in one process, plain objects will do. What is not
# named here must stay missing: the worker probes for it with AttributeError.
BINDING_INFO = type("BindingInfo", (SimpleNamespace,), {"undefined": 0, "out": 1, "inout": 2})
MESSAGES = SimpleNamespace(BindingInfo=BINDING_INFO, RpcFunctionMetadata=SimpleNamespace)


class InvocationError(Exception):
    """A function failed; the message is the traceback that its author wants to see."""


class Function(Protocol):
    """One function of the app; `trigger` is in the words of function.json."""

    name: str
    trigger: Mapping[str, Any]

    async def invoke(self, value: Datum, metadata: Mapping[str, Datum]) -> Datum | None:
        """Call the function with its trigger's value; raise InvocationError if it fails."""


def load_app(app_dir: Path, loader: str) -> tuple[list[Function], str]:
    """Import the app, once per process, with the working directory and path that it has in Azure.

    Returns its functions and who loaded them. Raises StartError if one does not load: as in Azure,
    then none does.
    """
    os.chdir(app_dir)
    sys.path.insert(0, str(app_dir))
    if loader == "worker" and not handle_event:
        raise StartError("azure-functions-runtime is not installed; it needs Python 3.13 or later")
    try:
        if loader == "worker" or (loader == "auto" and handle_event):
            handle_event.protos = MESSAGES
            handle_event.load_binding_registry()
            found = handle_event.index_functions(str(app_dir / "function_app.py"), str(app_dir))
            return [_WorkerFunction(each) for each in found or ()], "the real Functions worker"
        found = import_module("function_app").app.get_functions()
        return [_ConvertedFunction(each) for each in found], "azure-functions' own converters"
    except Exception as error:  # noqa: BLE001 - raised anew
        raised = own_error(error, app_dir / "function_app.py")
        raise StartError(f"the app cannot be loaded: {raised}") from raised


class _WorkerFunction:
    def __init__(self, indexed: Any) -> None:
        self.name, self._id = indexed.name, indexed.function_id
        self.trigger = _trigger(self.name, indexed.raw_bindings)

    async def invoke(self, value: Datum, metadata: Mapping[str, Datum]) -> Datum | None:
        succeeded, answer, _, _, trace = await native_invocation.invocation_request_native(
            str(uuid.uuid4()), self._id, [(self.trigger["name"], value)], metadata
        )
        if not succeeded:
            raise InvocationError(trace)
        return answer  # type: ignore[no-any-return]


class _ConvertedFunction:
    def __init__(self, found: Any) -> None:
        self.name, self._call = found.get_function_name(), found.get_user_function()
        self.trigger = _trigger(self.name, found.get_raw_bindings())
        name, expected = self.trigger["name"], PARAMETER_TYPES[self.trigger["type"]]
        parameters = inspect.signature(self._call, eval_str=True).parameters.values()
        taken = {parameter.name: parameter.annotation for parameter in parameters}
        if taken != {name: expected} or not inspect.iscoroutinefunction(self._call):
            signature = f"async def {self.name}({name}: func.{expected.__name__})"
            raise TypeError(f"cannot load the {self.name} function: it must be {signature}")

    async def invoke(self, value: Datum, metadata: Mapping[str, Datum]) -> Datum | None:
        converter: Any = func.get_binding_registry().get  # type: ignore[no-untyped-call]
        try:
            trigger = converter(self.trigger["type"]).decode(value, trigger_metadata=metadata)
            answer = await self._call(trigger)
            return answer and converter("http").encode(answer, expected_type=None)  # type: ignore[no-any-return]
        except Exception as error:
            raise InvocationError(traceback.format_exc()) from error


def _trigger(name: str, raw_bindings: Iterable[str]) -> Mapping[str, Any]:
    bindings = {binding["type"]: binding for binding in map(json.loads, raw_bindings)}
    if unknown := bindings.keys() - {*PARAMETER_TYPES, "http"}:
        raise StartError(f"{name}: this host has no {', '.join(unknown)} bindings; use func")
    (trigger,) = (bindings[kind] for kind in bindings if kind in PARAMETER_TYPES)
    return trigger  # type: ignore[no-any-return]
