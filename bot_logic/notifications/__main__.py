"""`python -m bot_logic.notifications`: an operator's commands, which live in `admin`."""

import sys

from bot_logic.admin.notifications.program import main

if __name__ == "__main__":
    sys.exit(main())
