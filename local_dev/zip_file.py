"""A zip whose bytes depend on what is in it, and on nothing else."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can hold
READABLE: Final = 0o644 << 16  # by whoever unpacks it


def write(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files under their names, in this order; whole, or nothing that is named so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with ZipFile(draft, "w") as archive:
        for name, content in files:
            entry = ZipInfo(name, LONG_AGO)
            entry.external_attr = READABLE
            archive.writestr(entry, content, ZIP_DEFLATED, compresslevel=9)
    draft.replace(path)
