"""Azurite, the Azure Storage emulator: its public account, and how it is started here."""

from collections.abc import Sequence
from pathlib import Path

from local_dev.programs import Program
from local_dev.readiness import listening

PROGRAM = Path(__file__).parent / "node_modules/.bin/azurite"
GUARD = Path(__file__).parent / "azurite_guard.cjs"
# Public, and the same everywhere.
# https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def connection_string(blob: int = 10000, queue: int = 10001, table: int = 10002) -> str:
    """Return the account's connection string, with Azurite on these ports."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"BlobEndpoint=http://127.0.0.1:{blob}/{ACCOUNT};"
        f"QueueEndpoint=http://127.0.0.1:{queue}/{ACCOUNT};"
        f"TableEndpoint=http://127.0.0.1:{table}/{ACCOUNT};"
    )


def program(location: Path | None, ports: Sequence[int], *more: str) -> Program:
    """Return Azurite, its data in this folder or in memory, on ports for blobs, queues, tables."""
    blob, queue, table = ports
    storage = ("--inMemoryPersistence",) if location is None else ("--location", str(location))
    command = [
        *("node", "--require", str(GUARD)),
        str(PROGRAM),
        "--silent",
        "--disableTelemetry",
        "--skipApiVersionCheck",  # today's Python clients speak a newer version than it knows
        *storage,
        *("--blobPort", str(blob)),
        *("--queuePort", str(queue)),
        *("--tablePort", str(table)),
        *more,
    ]
    return Program("azurite", command, listening(*ports))
