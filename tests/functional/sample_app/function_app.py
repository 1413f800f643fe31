"""The smallest app that lets the tests of the local Functions host see what a function sees."""

import asyncio
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import azure.functions as func

log = logging.getLogger(__name__)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="echo", methods=["GET", "POST"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the request."""
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": {name: req.headers[name] for name in req.headers if name.startswith("x-")},
        "params": dict(req.params),
        "body": req.get_body().hex(),
    }
    return func.HttpResponse(
        json.dumps(seen),
        status_code=202,
        headers={"X-Answer": "42"},
        mimetype="application/json",
    )


@app.route(route="items/{item}")
async def items(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the part of the path."""
    return func.HttpResponse(req.route_params["item"])


@app.route(route="items/count")
async def count(req: func.HttpRequest) -> func.HttpResponse:
    """Go before `items`, being literal."""
    return func.HttpResponse(str(len(req.get_body())))


@app.route(route="fail")
async def fail(req: func.HttpRequest) -> func.HttpResponse:
    """Raise."""
    raise RuntimeError(f"made to fail by {req.method}")


@app.route(route="slow")
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    """Take as long as asked for."""
    log.info("slow begins")
    await asyncio.sleep(float(req.params["seconds"]))
    return func.HttpResponse("done")


@app.queue_trigger(
    arg_name="msg",
    queue_name=os.environ["WorkQueue"],
    connection="WorkStorage",
    data_type=func.DataType[os.environ.get("WorkDataType", "STRING")],
)
async def work(msg: func.QueueMessage) -> None:
    """Record the message, then do what it says."""
    text = msg.get_body().decode()
    order: dict[str, Any] = json.loads(text) if text.startswith('{"') and text.endswith("}") else {}
    _record(
        id=msg.id,
        body=text,
        dequeue_count=msg.dequeue_count,
        pop_receipt=msg.pop_receipt,
        times=[
            moment and moment.isoformat()
            for moment in (msg.insertion_time, msg.time_next_visible, msg.expiration_time)
        ],
    )
    await asyncio.sleep(order.get("sleep", 0))
    if order.get("fail"):
        raise RuntimeError("made to fail")
    _record(done=msg.id)


@app.timer_trigger("timer", "%WorkSchedule%")
async def tick(timer: func.TimerRequest) -> None:
    """Record that it is time."""
    _record(tick=True, past_due=timer.past_due)


def _record(**event: Any) -> None:
    with Path(os.environ["RECORD_FILE"]).open("a") as file:
        file.write(json.dumps({"at": time.time(), **event}) + "\n")
