"""One kind of what is stored about people: each kind is shown and forgotten by itself."""

from typing import Any, ClassVar, Protocol

from bot_logic.people.subject import Subject


class Kind(Protocol):
    """Shows and forgets the rows of one kind."""

    name: ClassVar[str]  # in the JSON that is shown to somebody

    async def of(self, subject: Subject) -> Any:
        """Return what is stored about somebody, as JSON; it is empty if that is nothing.

        Raises:
            ServiceUnavailable: a table cannot be reached.
        """

    async def forget(self, subject: Subject) -> bool:
        """Delete it; False if it is nothing.

        Raises:
            ServiceUnavailable: it could not be done to its end; a second call goes on.
        """
