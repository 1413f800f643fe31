"""A bot's state as JSON: plain values as they are, and what the SDK's dialogs keep among them.

An object becomes `{"$sdk": its kind, "value": its fields}`. Which kinds there are is written down
here. Nothing that is read from storage names a class, a module or code, and a map of the bot's own
with a key "$sdk" is wrapped, so that what a user sent never becomes an object.
https://github.com/microsoft/botbuilder-python/tree/main/libraries/botbuilder-dialogs
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any, Final

from botbuilder import schema
from msrest.serialization import Model

from bot_logic.bot_endpoint.sdk.model_json import read, write

Json = Any

_KIND: Final = "$sdk"
_VALUE: Final = "value"
_MAP: Final = "map"
_MOMENT: Final = "datetime"
_DECIMAL: Final = "Decimal"  # what a NumberPrompt makes
_STYLE: Final = "ListStyle"
_MODEL: Final = "schema."


def _same(names: str) -> Mapping[str, str]:
    return {name: name for name in names.split()}


# Of botbuilder-dialogs, which only a bot with dialogs installs: where a class is, and for each
# argument that makes one the attribute that keeps it.
_DIALOGS: Final = "botbuilder.dialogs"
_CHOICES: Final = f"{_DIALOGS}.choices"
_PROMPTS: Final = f"{_DIALOGS}.prompts"
_CLASSES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "DialogState": (_DIALOGS, {"stack": "_dialog_stack"}),
    "DialogInstance": (_DIALOGS, _same("id state")),
    "Choice": (_CHOICES, _same("value action synonyms")),
    "FoundChoice": (_CHOICES, _same("value index score synonym")),
    "DateTimeResolution": (_PROMPTS, _same("value start end timex")),
    "PromptOptions": (
        _PROMPTS,
        _same("prompt retry_prompt choices style validations number_of_attempts"),
    ),
    "CallerInfo": (f"{_PROMPTS}.oauth_prompt", _same("caller_service_url scope")),
}


def encode(value: Any) -> Json:
    """Return a state's value as JSON, from which `decode` makes an equal one.

    Raises:
        TypeError: it has no JSON, and its class is none that dialogs keep.
    """
    try:
        return _encoded(value)
    except RecursionError:
        raise TypeError("it is nested too deeply, or contains itself") from None


def decode(document: Json) -> Any:
    """Return the value that `encode` was given.

    Raises:
        TypeError: the document is of a kind that is not known here.
    """
    if isinstance(document, list):
        return [decode(item) for item in document]
    if not isinstance(document, dict):
        return document
    if _KIND not in document:
        return _decoded_map(document)
    return _decoded_object(document[_KIND], document.get(_VALUE))


def _encoded(value: Any) -> Json:
    match value:
        case None | bool():
            return value
        case str() | int() | float() if not _is_of_dialogs(value):
            return _plain(value)
        case list() | tuple():
            return [_encoded(item) for item in value]
        case Mapping():
            return _encoded_map(value)
    return _encoded_object(value)


def _plain(value: float | str) -> float | str:
    """Return a number or a text without the class that somebody derived from it."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{value} has no JSON")
    kind: Callable[[Any], float | str] = next(
        base for base in (str, int, float) if isinstance(value, base)
    )
    return value if type(value) is kind else kind(value)


def _encoded_map(value: Mapping[Any, Any]) -> Json:
    for name in value:
        if not isinstance(name, str):
            raise TypeError(f"a key must be a string, not {type(name).__name__}")
    document = {_plain(name): _encoded(item) for name, item in value.items()}
    return _tagged(_MAP, document) if _KIND in document else document


def _encoded_object(value: Any) -> Json:
    name = type(value).__name__
    if isinstance(value, datetime):
        return _tagged(_MOMENT, value.isoformat())
    if type(value) is Decimal:
        return _tagged(_DECIMAL, _finite(value))
    if isinstance(value, Enum) and name == _STYLE and _is_of_dialogs(value):
        return _tagged(_STYLE, value.value)
    if isinstance(value, Model) and _models().get(name) is type(value):
        return _tagged(f"{_MODEL}{name}", write(value))
    if name not in _CLASSES or not _is_of_dialogs(value) or _class(name) is not type(value):
        raise TypeError(f"{name} has no JSON: keep its fields in a dict")
    arguments = _CLASSES[name][1]
    if more := vars(value).keys() - arguments.values():
        raise TypeError(f"{name} has fields that are not kept: {', '.join(sorted(more))}")
    fields = {argument: vars(value)[attribute] for argument, attribute in arguments.items()}
    return _tagged(name, {argument: _encoded(field) for argument, field in fields.items()})


def _decoded_object(kind: Any, value: Any) -> Any:
    if kind == _MAP:
        return _decoded_map(value)
    if kind == _MOMENT:
        return datetime.fromisoformat(value)
    if kind == _DECIMAL:
        return _decimal(value)
    if kind == _STYLE:
        return getattr(import_module(_CHOICES), _STYLE)(value)
    if isinstance(kind, str) and kind in _CLASSES:
        return _class(kind)(**_decoded_map(value))
    if isinstance(kind, str) and kind.startswith(_MODEL):
        model = _models().get(kind.removeprefix(_MODEL))
        if model is not None:
            return read(model, value)
    raise TypeError("it holds an object of a kind that this version does not know")


def _finite(value: Decimal) -> str:
    if not value.is_finite():
        raise TypeError(f"{value} has no JSON")
    return str(value)


def _decimal(text: Any) -> Decimal:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        raise TypeError("it holds a Decimal that is no number") from None


def _decoded_map(document: Mapping[str, Json]) -> dict[str, Any]:
    return {name: decode(item) for name, item in document.items()}


def _tagged(kind: str, value: Json) -> Json:
    return {_KIND: kind, _VALUE: value}


def _is_of_dialogs(value: Any) -> bool:
    return type(value).__module__.startswith(f"{_DIALOGS}.")


@cache
def _class(name: str) -> Any:
    """Return one of the classes above, imported when there is one to keep: it takes a second."""
    return getattr(import_module(_CLASSES[name][0]), name)


@cache
def _models() -> Mapping[str, type[Model]]:
    return {
        name: found
        for name, found in vars(schema).items()
        if isinstance(found, type) and issubclass(found, Model)
    }
