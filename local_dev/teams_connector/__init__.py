"""A stand-in for Teams' Bot Connector: its limits, and its ways to say no.

    python -m local_dev.teams_connector --port 3979

For tests, and for who wants to see how a broadcast behaves before it meets Teams.
"""

from local_dev.teams_connector.app import running
from local_dev.teams_connector.connector import TeamsConnector
from local_dev.teams_connector.refusals import Refusal

__all__ = ["Refusal", "TeamsConnector", "running"]
