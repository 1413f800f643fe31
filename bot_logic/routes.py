"""The paths of the API for other programs, one function each; docs/notifications.md describes them.

Azure asks for a function key on all of them but the description.
"""

import azure.functions as func

from bot_logic.startup import wiring

api = func.Blueprint()  # type: ignore[no-untyped-call]

BY_KEY = func.AuthLevel.FUNCTION


@api.route("notifications", methods=["GET", "POST"], auth_level=BY_KEY)
async def notifications(req: func.HttpRequest) -> func.HttpResponse:
    """Ask for a notification, or list the newest."""
    calls = wiring().api.notifications
    return await (calls.post(req) if req.method == "POST" else calls.list_all(req))


@api.route("notifications/{id}", methods=["GET", "PATCH", "DELETE"], auth_level=BY_KEY)
async def notification(req: func.HttpRequest) -> func.HttpResponse:
    """Say what a notification is at, replace what it has sent, or cancel it."""
    calls = wiring().api.notifications
    by_method = {"GET": calls.show, "PATCH": calls.edit, "DELETE": calls.cancel}
    return await by_method[req.method](req)


@api.route("notifications/{id}/recipients", methods=["GET"], auth_level=BY_KEY)
async def recipients(req: func.HttpRequest) -> func.HttpResponse:
    """Say what has become of each recipient."""
    return await wiring().api.notifications.recipients(req)


@api.route("notifications/{id}/retry", methods=["POST"], auth_level=BY_KEY)
async def retry(req: func.HttpRequest) -> func.HttpResponse:
    """Give who did not get it another try."""
    return await wiring().api.notifications.retry(req)


@api.route("notifications/{id}/recall", methods=["POST"], auth_level=BY_KEY)
async def recall(req: func.HttpRequest) -> func.HttpResponse:
    """Delete what a notification has sent."""
    return await wiring().api.notifications.recall(req)


@api.route("notifications/preview", methods=["POST"], auth_level=BY_KEY)
async def preview(req: func.HttpRequest) -> func.HttpResponse:
    """Say who would get it; send nothing."""
    return await wiring().api.notifications.preview(req)


@api.route("conversations", methods=["GET"], auth_level=BY_KEY)
async def conversations(req: func.HttpRequest) -> func.HttpResponse:
    """Say whom the bot can tell something."""
    return await wiring().api.conversations.list_all(req)


@api.route("conversations/{id}/topics/{name}", methods=["PUT", "DELETE"], auth_level=BY_KEY)
async def topic(req: func.HttpRequest) -> func.HttpResponse:
    """Tell a conversation what concerns a topic, or no longer."""
    return await wiring().api.conversations.change_topic(req)


@api.route("conversations/{id}/opt-out", methods=["PUT", "DELETE"], auth_level=BY_KEY)
async def opt_out(req: func.HttpRequest) -> func.HttpResponse:
    """Broadcasts leave a conversation's person or group out, or no longer."""
    return await wiring().api.conversations.change_opt_out(req)


@api.route("dead-letters", methods=["GET"], auth_level=BY_KEY)
async def dead_letters(req: func.HttpRequest) -> func.HttpResponse:
    """Say what could not be delivered, and why."""
    return await wiring().api.dead_letters.list_all(req)


@api.route("dead-letters/{id}", methods=["GET", "DELETE"], auth_level=BY_KEY)
async def dead_letter(req: func.HttpRequest) -> func.HttpResponse:
    """Show a dead letter with its message, or delete it."""
    calls = wiring().api.dead_letters
    return await (calls.purge(req) if req.method == "DELETE" else calls.show(req))


@api.route("dead-letters/{id}/replay", methods=["POST"], auth_level=BY_KEY)
async def replay(req: func.HttpRequest) -> func.HttpResponse:
    """Put a dead letter's message on the queue again."""
    return await wiring().api.dead_letters.replay(req)


@api.route("conversations/{id}", methods=["DELETE"], auth_level=BY_KEY)
async def conversation(req: func.HttpRequest) -> func.HttpResponse:
    """Forget a conversation."""
    return await wiring().api.people.forget_conversation(req)


@api.route("users/{id}", methods=["GET", "DELETE"], auth_level=BY_KEY)
async def user(req: func.HttpRequest) -> func.HttpResponse:
    """Say all that is stored about a person, or forget them."""
    calls = wiring().api.people
    return await (calls.forget(req) if req.method == "DELETE" else calls.show(req))


@api.route("openapi.json", methods=["GET"])
async def openapi(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - bound by name
    """Describe these calls to programs."""
    return wiring().api.describe()
