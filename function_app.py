"""The function app: every trigger on one screen.

RESOURCE 1, the bot endpoint, is `messages`: channels post to it, the bot answers and puts what
users say on the queue. RESOURCE 2, the queue worker, is `deliver`: it takes messages off the queue
and hands them back to the bot over Direct Line, and `bury` files those that nobody took. While a
setting is missing or wrong none of these exists, so nothing is served unsafely and no message is
taken off the queue; `health` says why.
"""

from bot_logic.cold_start import made_to_stay

with made_to_stay():
    import azure.functions as func

    from bot_logic.envelope import POISON_QUEUE_NAME, QUEUE_NAME
    from bot_logic.wiring import may_serve, report_health, wiring

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
resources = func.Blueprint()  # type: ignore[no-untyped-call]


@resources.route("messages", methods=["POST"])  # Bot Framework tokens guard it
async def messages(req: func.HttpRequest) -> func.HttpResponse:
    """RESOURCE 1: the bot's messaging endpoint."""
    return await wiring().messages(req)


@resources.queue_trigger("message", QUEUE_NAME, "AzureWebJobsStorage")
async def deliver(message: func.QueueMessage) -> None:
    """RESOURCE 2: the queue worker."""
    await wiring().deliver(message)


@resources.queue_trigger("message", POISON_QUEUE_NAME, "AzureWebJobsStorage")
async def bury(message: func.QueueMessage) -> None:
    """RESOURCE 2, where a message ends that nobody took: filed, until an operator sees to it."""
    await wiring().bury(message)


@app.route("health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - bound by name
    """Whether the settings are right, and whether the app can reach what it depends on."""
    return await report_health()


if may_serve():
    app.register_functions(resources)
