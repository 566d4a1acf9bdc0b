"""Handler packages from this very code: modules found by their imports, zipped bit for bit the same each time.

Pure but for reading the installed sources. Used by ``packages``. What a handler does not import is not shipped, so the
rule that handlers never import each other is also what keeps packages small.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_SHIPPED = ("dockyard_contract", "dockyard_guest")
_PROGRAM = "package/bin/extension"  # below dockyard_guest; the one source of every handler's program
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time a zip entry can have
_EXECUTABLE = 0o755 << 16
_PLAIN = 0o644 << 16


def handler_archive(*, handler: str) -> bytes:
    """Return the package of ``dockyard_guest.handlers.<handler>`` as the bytes of a zip file."""
    room = f"dockyard_guest.handlers.{handler}"
    package = _source(room).parent / "package"
    files = {path.relative_to(package).as_posix(): path for path in sorted(package.rglob("*")) if path.is_file()}
    roots = ["dockyard_guest.main", *_modules_in(room)]
    for module in modules_needed(roots):
        path = _source(module)
        files[f"lib/{_entry(module, path)}"] = path
    contents = {name: path.read_bytes() for name, path in files.items()}
    return _zipped({**contents, f"bin/{program_name(handler)}": _program(handler)})


def program_name(handler: str) -> str:
    """Return the name of the program that a handler's manifest starts: ``custom-script-extension``."""
    return f"{handler.replace('_', '-')}-extension"


def _program(handler: str) -> bytes:
    source = _source("dockyard_guest").parent / _PROGRAM
    return source.read_bytes().replace(b"@handler@", handler.encode())


def modules_needed(roots: Iterable[str]) -> list[str]:
    """Return the shipped modules that ``roots`` import, directly or not, with their parent packages, sorted."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        waiting += [name for name in (*_parents(module), *_imports(module)) if name not in found]
    return sorted(found)


def _imports(module: str) -> Iterator[str]:
    path = _source(module)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_shipped(alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            if _is_shipped(base):
                yield base
                yield from (name for alias in node.names if _is_module(name := f"{base}.{alias.name}"))


def _is_shipped(name: str) -> bool:
    return name.partition(".")[0] in _SHIPPED


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))


def _modules_in(package: str) -> list[str]:
    folder = _source(package).parent
    return [package, *(f"{package}.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem != "__init__")]


def _source(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the source of {module} is not installed", name=module)
    return Path(spec.origin)


def _entry(module: str, path: Path) -> str:
    base = module.replace(".", "/")
    return f"{base}/__init__.py" if path.name == "__init__.py" else f"{base}.py"


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = _EXECUTABLE if name.startswith("bin/") else _PLAIN
            archive.writestr(entry, files[name])
    return buffer.getvalue()
