"""A function app with one function, which does nothing."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("messages", methods=["POST"])
async def messages(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - bound by name
    """Answer 200."""
    return func.HttpResponse()
