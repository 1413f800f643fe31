"""The conversations that the bot can continue: references that survive a restart.

May import: storage, contract, errors, clock.
"""

from bot_logic.clock import Clock
from bot_logic.conversations import audiences
from bot_logic.conversations.audiences import Audiences
from bot_logic.conversations.blocked import Blocked
from bot_logic.conversations.forgotten import TABLE_NAME as FORGOTTEN
from bot_logic.conversations.forgotten import Forgotten
from bot_logic.conversations.references import TABLE_NAME, Conversation, Conversations
from bot_logic.conversations.skips import Skips
from bot_logic.storage.protocols import Storage

__all__ = ["FORGOTTEN", "TABLE_NAME", "Blocked", "Conversation", "Conversations", "build"]


def build(storage: Storage, clock: Clock) -> Conversations:
    """Build the store of references on a storage account."""
    index = storage.table(audiences.TABLE_NAME)
    return Conversations(
        storage.table(TABLE_NAME),
        Audiences(index),
        Skips(index, clock),
        Forgotten(storage.table(FORGOTTEN), clock),
        clock,
    )
