"""Webhook to a topic: GitHub says that a build broke, and whoever follows `builds` is told.

    cp docs/recipes/build_broke.py bot_logic/functions.py

The setting WEBHOOK_SECRET holds the webhook's secret; without one every call is refused, and the
log says so.
"""

import os

import azure.functions as func

from bot_logic.api.answers import Answer, answered
from bot_logic.startup import wiring
from bot_logic.webhooks import read_signed

SECRET = "WEBHOOK_SECRET"  # noqa: S105 - the setting's name
own = func.Blueprint()  # type: ignore[no-untyped-call]


# recipe
@own.route("hooks/build", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def build_broke(req: func.HttpRequest) -> func.HttpResponse:
    """Tell it once, also if GitHub delivers it again."""
    return await answered(tell(req))


async def tell(req: func.HttpRequest) -> Answer:
    """Read what GitHub says, and tell it if it is bad."""
    match read_signed(req.headers, req.get_body(), os.environ.get(SECRET, ""), setting=SECRET):
        case {"workflow_run": {"conclusion": "failure", "html_url": str(url)}}:
            key = req.headers.get("X-GitHub-Delivery", "")
            await wiring().notifier.send({"topic": "builds"}, f"The build broke: {url}", key=key)
    return 202, None


# end
