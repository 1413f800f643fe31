"""Loads and invokes with azure-functions' own converters: for Python before 3.13.

The worker of those versions is no package that could be imported. This does its work with its
converters, and refuses at start-up what it would refuse.
"""

import asyncio
import importlib
import inspect
import traceback
import typing
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from .app_loader import Function, InvocationError

UserFunction = Callable[..., Any]


def load(_app_dir: Path) -> "ConverterWorker":
    """Import the app and check each function."""
    module = vars(importlib.import_module("function_app"))
    apps = [value for value in module.values() if isinstance(value, func.FunctionRegister)]
    if len(apps) != 1:
        raise ValueError(f"function_app.py must define one function app, not {len(apps)}")
    callables, functions = {}, []
    for found in apps[0].get_functions():
        name = str(found.get_function_name())
        function = Function(name, name, found.get_raw_bindings())
        callables[name] = found.get_user_function()
        try:
            _check(callables[name], function)
        except Exception as error:
            raise TypeError(f"cannot load the {name} function: {error}") from error
        functions.append(function)
    return ConverterWorker(functions, callables)


class ConverterWorker:
    """An app whose functions are called directly."""

    def __init__(
        self, functions: Sequence[Function], callables: Mapping[str, UserFunction]
    ) -> None:
        self.loader = f"azure-functions {version('azure-functions')} converters"
        self.functions = functions
        self._callables = callables

    async def invoke(
        self, function: Function, value: Datum, metadata: Mapping[str, Datum]
    ) -> Datum | None:
        """Decode the trigger, call the function, encode its answer."""
        trigger, user_function = function.trigger, self._callables[function.name]
        try:
            decoded = _converter(trigger).decode(value, trigger_metadata=metadata)
            if inspect.iscoroutinefunction(user_function):
                answer = await user_function(**{trigger["name"]: decoded})
            else:
                answer = await asyncio.to_thread(user_function, **{trigger["name"]: decoded})
            return _encode(function, answer)
        except Exception as error:
            raise InvocationError(traceback.format_exc()) from error


def _check(user_function: UserFunction, function: Function) -> None:
    inputs, hints = dict(function.bindings), typing.get_type_hints(user_function)
    output = inputs.pop("$return", None)
    parameters = set(inspect.signature(user_function).parameters)
    if parameters != set(inputs):
        raise TypeError(f"its parameters are {sorted(parameters)}, its bindings {sorted(inputs)}")
    for name in inputs.keys() & hints.keys():
        if not _converter(inputs[name]).check_input_type_annotation(hints[name]):
            raise TypeError(f"{hints[name]} does not fit the binding of {name}")
    answer = hints.get("return")
    if output and answer and not _converter(output).check_output_type_annotation(answer):
        raise TypeError(f"{answer} does not fit what it is bound to return")


def _encode(function: Function, answer: Any) -> Datum | None:
    output = function.bindings.get("$return")
    if output is None and answer is not None:
        raise TypeError("the function returned a value, but is bound to return none")
    return _converter(output).encode(answer, expected_type=None) if output else None


def _converter(binding: Mapping[str, Any]) -> Any:
    return func.get_binding_registry().get(binding["type"])  # type: ignore[no-untyped-call]
