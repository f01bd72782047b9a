"""`python -m local_snowflake`: start, print one line of JSON when ready, run until told to stop."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import uvicorn
from fakesnow.transforms.stage import LOCAL_BUCKET_PATH

from .answers import cuttable
from .contract import Contract
from .ending import Ending
from .engine import run
from .errors import SnowflakeError
from .server import Service
from .statements import split_script
from .users import User, make_users
from .world import LONGEST_STATEMENT, World

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTRACT = Path(__file__).resolve().parents[2] / "contract"
HOST, DATABASE, WAREHOUSE = "127.0.0.1", "ANALYTICS", "LOAD_WH"


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="local_snowflake", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--persist", type=Path, help="keep databases and staged files in this folder")
    parser.add_argument("--init-sql", type=Path, help="statements that ADMIN runs before the first login")
    parser.add_argument(
        "--contract",
        choices=["on", "off"],
        default="on",
        help="refuse statements outside tests/contract, but for the user ADMIN",
    )
    parser.add_argument("--secrets-dir", type=Path, help="where the users' private keys are written")
    parser.add_argument(
        "--longest-statement", type=float, default=LONGEST_STATEMENT, help="seconds after which one is ended"
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="end when standard input closes")
    return parser.parse_args(argv)


def prepare(world: World, script: str | None) -> None:
    """Make the warehouse and the database, then run the owner's script as ADMIN.

    Without a script nobody has granted anything, so that every role may do everything.

    Raises:
        SystemExit: naming the statement that failed.
    """
    world.add_warehouse(WAREHOUSE)
    world.create_database(DATABASE, exists_ok=True)
    if script is None:
        world.grants.open_roles |= world.grants.roles
    session = world.open_session(world.users["ADMIN"], "ACCOUNTADMIN")
    session.warehouse = WAREHOUSE
    session.use(DATABASE, "PUBLIC")
    for statement in split_script(script or ""):
        try:
            run(world, session, statement)
        except SnowflakeError as error:
            sys.exit(f"local_snowflake: --init-sql failed: {error}\nin: {statement}")
    world.close_session(session)


def ready_line(port: int, secrets: Path, users: dict[str, User]) -> dict[str, Any]:
    """What the one line on standard output says. It holds credentials of this sandbox only."""
    loader, admin = users["LOADER"], users["ADMIN"]
    listed = {
        "LOADER": {
            "role": loader.default_role,
            "private_key_path": str(secrets / "loader.p8"),
            "encrypted_private_key_path": str(secrets / "loader_encrypted.p8"),
            "passphrase_path": str(secrets / "loader_passphrase.txt"),
            "token": next(t.secret for t in loader.tokens if t.name == "LOADING"),
            "oauth_token": loader.oauth_tokens[0].secret,
        },
        "REVIEWER": {
            "role": users["REVIEWER"].default_role,
            "private_key_path": str(secrets / "reviewer.p8"),
        },
        "ADMIN": {"role": admin.default_role, "password": admin.password},
    }
    return {
        "ready": True,
        "host": HOST,
        "port": port,
        "protocol": "http",
        "account": "sandbox",
        "database": DATABASE,
        "warehouse": WAREHOUSE,
        "role": loader.default_role,
        "user": loader.name,
        "private_key_path": str(secrets / "loader.p8"),
        "admin_user": admin.name,
        "admin_password": admin.password,
        "users": listed,
    }


def secrets_folder(persist: Path | None, chosen: Path | None) -> Path:
    """Where private keys are: as asked, with the kept data, or in a new folder."""
    if chosen is None and persist is None:
        return Path(tempfile.mkdtemp(prefix="local-snowflake-secrets-"))
    folder = chosen or Path(str(persist)) / "secrets"
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def listen(port: int) -> socket.socket:
    """A listening socket of a named protocol: only then asyncio sets TCP_NODELAY, else answers wait 40 ms."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(128)
    return listener


def main() -> None:
    """Run the server."""
    chosen = arguments()
    secrets = secrets_folder(chosen.persist, chosen.secrets_dir)
    users = make_users(secrets, time.time(), chosen.persist / "users.json" if chosen.persist else None)
    world = World(users, chosen.persist)
    if chosen.contract == "on":
        world.contract = Contract(CONTRACT)
    world.longest_statement = chosen.longest_statement
    prepare(world, chosen.init_sql.read_text(encoding="utf-8") if chosen.init_sql else None)
    listener = listen(chosen.port)
    config = uvicorn.Config(cuttable(Service(world).app()), log_level="warning", timeout_graceful_shutdown=1)
    server = Ending(config, world)
    if chosen.stop_with_stdin:
        threading.Thread(target=_stop_with_stdin, args=(server,), daemon=True).start()
    print(json.dumps(ready_line(listener.getsockname()[1], secrets, users)), flush=True)
    # uvicorn raises the signal again after its shutdown; the default action would leave the files behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.run(sockets=[listener])
    finally:
        world.close_sessions()
        server.ended()
        world.stop()
        shutil.rmtree(LOCAL_BUCKET_PATH, ignore_errors=True)  # fakesnow makes it at import; stages are ours


def _stop_with_stdin(server: uvicorn.Server) -> None:
    # Not through the buffered reader: Python cannot end while a thread is inside it.
    while os.read(sys.stdin.fileno(), 4096):
        continue
    server.should_exit = True


def _end() -> NoReturn:
    """End the process now: at the interpreter's own end DuckDB's wrapper calls live objects leaks."""
    sys.stdout.flush()
    sys.stderr.flush()
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except SystemExit as ended:
        if ended.code:  # a refused option or statement, told in its own words
            raise
    _end()
