"""A local stand-in for Direct Line 3.0, the Bot Connector behind it, and a chat page. In memory.

    python -m local_dev.direct_line --port 3000 --bot http://localhost:7071/api/messages

Tests run the same in their own process: ``async with running(Settings(...)) as service``.

    wire.py, tokens.py, conversations.py, signing.py, faults.py    without I/O
    bodies.py                                  what every request is read with
    client_routes.py, uploads.py, stream.py    Direct Line API: what clients call
    connector_routes.py                        Bot Connector API: what the bot calls
    bot_client.py                              what this service calls: the bot
    chat_page.py                               Web Chat, from ../web_chat
    hook_routes.py                             what only tests call
    service.py, app.py, server.py              put together and run
"""

from local_dev.direct_line.server import running
from local_dev.direct_line.service import DirectLine, Settings

__all__ = ["DirectLine", "Settings", "running"]
