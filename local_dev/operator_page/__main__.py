"""The operator page for an app in Azure: `make operator URL=https://NAME.azurewebsites.net`.

The function key comes from NOTIFICATIONS_KEY, or is asked for; it stays in this process, which
only this machine reaches, and of it only who has the printed address.
"""

import argparse
import getpass
import os
import secrets
import sys

from aiohttp import web

from bot_logic.admin.api_client import App, WrongApp
from bot_logic.secret import Secret
from local_dev.operator_page.app import PREFIX, Operated, make_app

KEY_SETTING = "NOTIFICATIONS_KEY"
HERE = "127.0.0.1"
TOKEN_BYTES = 24


def main() -> None:
    """Serve the page until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m local_dev.operator_page", description=__doc__)
    parser.add_argument("--url", required=True, help="the app: https://NAME.azurewebsites.net")
    parser.add_argument("--port", type=int, default=3001, help="on 127.0.0.1 (default: 3001)")
    options = parser.parse_args()
    try:
        app = App.at(options.url, _key())
    except WrongApp as error:
        parser.error(str(error))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    serving = web.Application()
    serving.add_subapp(PREFIX, make_app(Operated(app, Secret(token))))
    address = f"http://{HERE}:{options.port}{PREFIX}#token={token}"

    def announce(_said: str) -> None:
        sys.stdout.write(
            f"\n  The operator page of {app.url}:\n\n  {address}\n\n  Ctrl-C stops it.\n"
        )
        sys.stdout.flush()

    try:
        web.run_app(serving, host=HERE, port=options.port, print=announce, access_log=None)
    except OSError as error:
        sys.exit(f"The operator page cannot start: {error}. --port takes another port.")


def _key() -> str:
    key = os.environ.get(KEY_SETTING, "").strip()
    try:
        return key or getpass.getpass("Function key (it is not shown): ").strip()
    except EOFError:
        sys.exit(f"There is nobody to ask for the function key: put it into {KEY_SETTING}.")


if __name__ == "__main__":
    main()
