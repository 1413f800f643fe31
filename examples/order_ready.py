"""Another program speaks through the bot: it puts one message on the queue for each conversation.

    python examples/order_ready.py "Your pizza is ready."

It knows nothing of bots: it reads where the bot has been, and writes a small JSON object per
message (docs/queue-messages.md). AzureWebJobsStorage in the environment names the storage account;
without it, Azurite on its usual ports is used, as in `make run`.
"""

import json
import os
import sys

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

# Azurite's public account. https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
AZURITE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


def main(text: str) -> None:
    """Tell everyone the bot has met."""
    storage = os.environ.get("AzureWebJobsStorage", AZURITE)
    count = 0
    with (
        TableClient.from_connection_string(storage, "conversations") as conversations,
        QueueClient.from_connection_string(storage, "bot-queue") as queue,
    ):
        for row in conversations.list_entities(select=["reference"]):
            message = {"conversation": json.loads(row["reference"]), "text": text}
            queue.send_message(json.dumps(message))
            count += 1
    print(f"{count} message(s) put on the queue")  # noqa: T201 - a command line program


if __name__ == "__main__":
    try:
        main(" ".join(sys.argv[1:]) or "Your order is ready.")
    except ResourceNotFoundError:
        sys.exit("The bot knows nobody yet: open the chat page and say hello to it first.")
    except (AzureError, ValueError) as error:
        sys.exit(f"The storage account fails ({type(error).__name__}). Is `make run` running?")
