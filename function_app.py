"""The function app: every trigger of the two resources on one screen, one blueprint for each.

The API for other programs has its paths in `bot_logic/routes.py`; functions of your own go into
`bot_logic/functions.py`.

While a setting is missing or wrong neither resource exists, so nothing is served unsafely and no
message is taken off the queue; `health` says why.
"""

from bot_logic.startup import made_to_stay, may_serve, report_health, wiring

with made_to_stay():
    import azure.functions as func

    from bot_logic.contract.envelope import POISON_QUEUE_NAME, QUEUE_NAME
    from bot_logic.functions import own
    from bot_logic.notifications import QUEUE_NAME as WAKE_UPS
    from bot_logic.routes import api

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
bot_endpoint = func.Blueprint()  # type: ignore[no-untyped-call]
queue_worker = func.Blueprint()  # type: ignore[no-untyped-call]

EVERY_FIVE_MINUTES = "30 */5 * * * *"
HOURLY = "0 17 * * * *"  # second, minute, hour, day, month, day of the week
WHOLE = func.DataType.BINARY  # else the host takes a message apart before the app sees it


@bot_endpoint.route("messages", methods=["POST"])  # Bot Framework tokens guard it
async def messages(req: func.HttpRequest) -> func.HttpResponse:
    """RESOURCE 1: channels post what users do; what they say goes on the queue."""
    return await wiring().endpoint.answer(req)


@queue_worker.queue_trigger("message", QUEUE_NAME, "AzureWebJobsStorage", data_type=WHOLE)
async def hand_to_bot(message: func.QueueMessage) -> None:
    """RESOURCE 2: a queue message goes back to the bot, which then speaks first."""
    await wiring().worker.handle(message)


@queue_worker.queue_trigger("message", POISON_QUEUE_NAME, "AzureWebJobsStorage", data_type=WHOLE)
async def file_dead_letter(message: func.QueueMessage) -> None:
    """RESOURCE 2: what could not be delivered is filed, until an operator sees to it."""
    await wiring().delivery.dead_letters.file(message)


@queue_worker.timer_trigger("timer", HOURLY)
async def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - bound by name
    """RESOURCE 2: rows that have had their time are deleted."""
    await wiring().sweep.run()
    await wiring().notifications.sweep.run()


@queue_worker.queue_trigger("message", WAKE_UPS, "AzureWebJobsStorage", data_type=WHOLE)
async def wake(message: func.QueueMessage) -> None:
    """RESOURCE 2: a notification is planned, or a lane's pages go to the bot."""
    await wiring().wake_ups.take(message)


@queue_worker.timer_trigger("timer", EVERY_FIVE_MINUTES)
async def wake_what_waits(timer: func.TimerRequest) -> None:  # noqa: ARG001 - bound by name
    """RESOURCE 2: what is due and has no one at work, because a wake-up was lost."""
    await wiring().wake_ups.wake_what_waits()


@app.route("health", methods=["GET", "HEAD"])
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - bound by name
    """Say whether the settings are right, and whether the app can reach what it depends on."""
    return await report_health()


if may_serve():
    app.register_functions(bot_endpoint)
    app.register_functions(queue_worker)
    app.register_functions(api)
    app.register_functions(own)
