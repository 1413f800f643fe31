"""The function app: every trigger on one screen.

RESOURCE 1, the bot endpoint, is `messages`: channels post to it, the bot answers and puts what
users say on the queue. RESOURCE 2, the queue worker, is `deliver`: it takes messages off the queue
and hands them back to the bot over Direct Line.
"""

import azure.functions as func

from bot_logic.envelope import QUEUE_NAME
from bot_logic.wiring import wiring

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)  # Bot Framework tokens guard it


@app.route("messages", methods=["POST"])
async def messages(req: func.HttpRequest) -> func.HttpResponse:
    """RESOURCE 1: the bot's messaging endpoint."""
    return await wiring().messages(req)


@app.queue_trigger("message", QUEUE_NAME, "AzureWebJobsStorage")
async def deliver(message: func.QueueMessage) -> None:
    """RESOURCE 2: the queue worker."""
    await wiring().deliver(message)


@app.route("health", methods=["GET"])
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - bound by name
    """Whether the app can reach what it depends on."""
    return await wiring().report_health()
