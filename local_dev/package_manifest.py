"""What is in the package: each part of the app and each dependency, with its size unpacked."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path


def heading(path: Path) -> str:
    """Name the zip, its size and its checksum."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{_size(path.stat().st_size)}  {path.name}, sha256 {digest}; unpacked:"


def parts(
    folder: Path, shipped: Iterable[Path], app: Sequence[str], dependencies: Path
) -> Iterator[str]:
    """Say what each part adds, in lines.

    Args:
        folder: what is packed.
        shipped: its files that are in the zip.
        app: the parts of the app itself.
        dependencies: the folder in which the dependencies are installed; the largest goes first.
    """
    sizes = {path: path.stat().st_size for path in shipped}
    compiled = sum(sizes.pop(path) for path in list(sizes) if path.suffix == ".pyc")
    for name in app:
        start = folder / name
        inside = [size for path, size in sizes.items() if start in (path, *path.parents)]
        yield _row(name, sum(inside))
    installed = {
        f"{each.name} {each.version}": sum(
            sizes.get(dependencies / file, 0) for file in each.files or ()
        )
        for each in distributions(path=[str(dependencies)])
    }
    yield from (_row(*each) for each in sorted(installed.items(), key=lambda each: -each[1]))
    yield _row("compiled modules", compiled)


def _row(name: str, size: int) -> str:
    return f"{_size(size)}    {name}"


def _size(count: int) -> str:
    return f"{count / 1024:8,.0f} KiB"
