"""The bot SDK's models from JSON and to JSON: what msrest does, in a fraction of its time.

msrest copies and re-parses a model's list of fields for each object of each activity, which was
more than half of a turn's time. Here the list (`_attribute_map`) is read once for each class, and
then only the fields that are there cost anything. What comes out is the same
(`tests/unit/test_model_json.py` compares), but for a null in a list or a map, which is left out as
a null field is: no code expects one there. What does not fit is refused by name.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, Final

from botbuilder import schema
from msrest.serialization import Model

# Of one list: a megabyte shall not become 300,000 objects. A bot that is added to a large team is
# told all its members at once; a megabyte holds some 5,000.
MAX_ITEMS: Final = 10_000

MAX_DEPTH: Final = 100  # of a field without a type; what is deeper could be read, but not written

Json = dict[str, Any]
Convert = Callable[[Any], Any]

_BOOLEANS: Final = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}


class Malformed(ValueError):
    """A JSON value does not fit its field.

    Attributes:
        field: the JSON field at fault, as a path.
    """

    def __init__(self, rule: str, field: str = "") -> None:
        super().__init__(f"{field or 'it'} {rule}")
        self.rule = rule
        self.field = field

    def within(self, field: str) -> "Malformed":
        """Return the same error, with its path seen from the object around."""
        return Malformed(self.rule, f"{field}.{self.field}" if self.field else field)


def read(model: type[Model], document: Any) -> Any:
    """Make an instance of `model` from its JSON object.

    Raises:
        Malformed: naming the field.
    """
    if not isinstance(document, dict):
        raise Malformed("must be a JSON object")
    readers, values, unknown = _readers(model), {}, {}  # type: ignore[arg-type]
    for key, value in document.items():
        if key not in readers:
            unknown[key] = _checked(key, value)
        elif value is not None:
            attribute, convert = readers[key]
            try:
                values[attribute] = convert(value)
            except Malformed as error:
                raise error.within(key) from None
    instance = model(**values)
    if unknown:
        instance.additional_properties = unknown
    return instance


def write(model: Model) -> Json:
    """Return the JSON object of a model, without the fields that are None.

    Fields that the model does not know but was read with are written, too: a channel that added
    them to an account or a conversation finds them again.

    Raises:
        TypeError: something in it has no JSON.
    """
    unknown = model.additional_properties
    document: Json = plain(unknown) if unknown else {}
    writers = _writers(type(model))  # type: ignore[arg-type]
    for attribute, value in vars(model).items():
        if value is not None and attribute in writers:
            key, convert = writers[attribute]
            document[key] = convert(value)
    return document


def _checked(key: str, value: Any) -> Any:
    """Return a field that the model does not know, if it can be written again."""
    try:
        return _read_value(value)
    except Malformed as error:
        raise error.within(key) from None


def plain(value: Any) -> Any:
    """Return as JSON whatever a bot may put into a field, models included.

    Raises:
        TypeError: it has none.
    """
    match value:
        case Enum():
            return value.value
        case None | str() | int() | float():
            return value
        case Model():
            return write(value)
        case Mapping():
            return {str(name): plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case datetime():
            return _timestamp(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


@cache  # by class; mypy takes models for unhashable
def _readers(model: type[Model]) -> Mapping[str, tuple[str, Convert]]:
    fields = model._attribute_map.items()  # noqa: SLF001 - the model's list of its fields
    return {each["key"]: (attribute, _reader(each["type"])) for attribute, each in fields}


@cache  # by class; mypy takes models for unhashable
def _writers(model: type[Model]) -> Mapping[str, tuple[str, Convert]]:
    fields = model._attribute_map.items()  # noqa: SLF001 - the model's list of its fields
    return {
        attribute: (each["key"], _WRITERS.get(each["type"], _model)) for attribute, each in fields
    }


def _reader(kind: str) -> Convert:
    """Return the function that reads a field of this type, in msrest's notation."""
    if kind.startswith("["):
        return _reader_of_lists(_reader(kind[1:-1]))
    if kind.startswith("{"):
        return _reader_of_maps(_reader(kind[1:-1]))
    return _BASIC.get(kind) or (lambda value: read(getattr(schema, kind), value))


def _reader_of_lists(read_item: Convert) -> Convert:
    def read_list(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Malformed("must be a list")
        if len(value) > MAX_ITEMS:
            raise Malformed(f"must not have more than {MAX_ITEMS} items")
        return [read_item(item) for item in value if item is not None]

    return read_list


def _reader_of_maps(read_item: Convert) -> Convert:
    def read_map(value: Any) -> Json:
        if not isinstance(value, dict):
            raise Malformed("must be a JSON object")
        return {name: read_item(item) for name, item in value.items() if item is not None}

    return read_map


def _read_text(value: Any) -> str:
    if isinstance(value, list | dict | None):
        raise Malformed("must be a string")
    return value if isinstance(value, str) else str(value)


def _read_boolean(value: Any) -> bool:
    try:
        return _BOOLEANS[value.lower() if isinstance(value, str) else value]
    except (KeyError, TypeError):
        raise Malformed("must be true or false") from None


def _read_number(value: Any) -> int:
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        raise Malformed("must be a whole number") from None


def _read_timestamp(value: Any) -> datetime:
    """Read a time; RFC 3339 section 5.6 lets `T` and `Z` be small letters, as msrest does."""
    try:
        moment = datetime.fromisoformat(value.upper())
        moment.utctimetuple()
    except (ValueError, AttributeError, OverflowError):
        raise Malformed("must be a date and time, as in 2026-01-02T03:04:05Z") from None
    return moment


def _read_value(value: Any, levels: int = MAX_DEPTH) -> Any:
    if isinstance(value, list | dict):
        if not levels:
            raise Malformed(f"must not be nested deeper than {MAX_DEPTH} levels")
        for inner in value.values() if isinstance(value, dict) else value:
            _read_value(inner, levels - 1)
    return value


def _model(value: Any) -> Any:
    return write(value) if isinstance(value, Model) else plain(value)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    return str(value.value if isinstance(value, Enum) else value)


def _timestamp(moment: datetime) -> str:
    """Write a time in UTC; one without a zone is taken to be in UTC."""
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    fraction = f"{utc:%f}".rstrip("0").ljust(3, "0")
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{fraction}Z"


_BASIC: Final[Mapping[str, Convert]] = {
    "str": _read_text,
    "bool": _read_boolean,
    "int": _read_number,
    "iso-8601": _read_timestamp,
    "object": _read_value,
}
_WRITERS: Final[Mapping[str, Convert]] = {"str": _text, "object": plain, "iso-8601": plain}
