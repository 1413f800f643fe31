"""An operator's commands for notifications, over the app's HTTP API.

    python -m bot_logic.notifications send --to-user 29:1abc "Your pizza is ready"
    python -m bot_logic.notifications send --to-all --at-most 500 --card card.json --wait
    python -m bot_logic.notifications preview --to-topic kitchen "Two for one"
    python -m bot_logic.notifications list
    python -m bot_logic.notifications show ID
    python -m bot_logic.notifications recipients ID --state failed
    python -m bot_logic.notifications cancel ID      who has not got it yet does not get it
    python -m bot_logic.notifications recall ID      deletes it for those who got it
    python -m bot_logic.notifications edit ID "Three for one"
    python -m bot_logic.notifications retry ID

The app is the local one, or that of --url or NOTIFICATIONS_URL. Its function key stands in
NOTIFICATIONS_KEY, or in the file of --key-file. Exit status: 0 it went well, 1 it did not (with
--wait also: somebody did not get it), 2 the command itself is wrong.
"""
