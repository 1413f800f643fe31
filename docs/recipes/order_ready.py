"""Order ready: any program tells one person, by their id, over HTTP.

    python docs/recipes/order_ready.py USER ORDER

BOT_URL names the app, by default the one that `make run` starts; BOT_KEY is a function key of it.
"""

import json
import os
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

BOT_URL = os.environ.get("BOT_URL", "http://localhost:7071")
HEADERS = {"Content-Type": "application/json", "x-functions-key": os.environ.get("BOT_KEY", "")}


# recipe
def order_ready(user: str, order: str) -> str:
    """Tell the customer once, however often it is called; return the notification's id."""
    body = {"to": {"user": user}, "text": f"🍕 Order {order} is ready."}
    headers = HEADERS | {"Idempotency-Key": f"order-{order}"}
    asked = Request(f"{BOT_URL}/api/notifications", json.dumps(body).encode(), headers)  # noqa: S310
    with urlopen(asked, timeout=30) as answer:  # noqa: S310 - an address of ours
        return str(json.load(answer)["id"])


# end
if __name__ == "__main__":
    if len(sys.argv) != len(["program", "USER", "ORDER"]):
        sys.exit(__doc__)
    try:
        print(order_ready(*sys.argv[1:]))  # noqa: T201 - a command line program
    except HTTPError as error:
        sys.exit(f"{error.code}: {error.read().decode()}")
    except OSError as error:
        sys.exit(f"{BOT_URL} cannot be reached: {error}. Is `make run` running?")
