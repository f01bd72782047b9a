"""`init-sql --service-user`: the user that it makes logs in with its key and its token, and only so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from service_worker import NONE, pem
from target_snowflake_audit.audit.service_user import TOKEN
from target_snowflake_audit.cli.init_sql import init_sql
from target_snowflake_audit.session import StatementError, connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from target_world import World

_BASE = ["--database", "ANALYTICS", "--warehouse", "LOAD_WH", "--role-prefix", "SAGEX3"]


def printed(*options: str) -> list[str]:
    """The statements that `init-sql` prints; options are added to those of the world's own set-up."""
    ended = CliRunner().invoke(init_sql, [*_BASE, *options], standalone_mode=False, catch_exceptions=False)
    text = "\n".join(line for line in ended.output.splitlines() if not line.startswith("--"))
    return [statement.strip() for statement in text.split(";\n") if statement.strip()]


def refusal(*options: str) -> str:
    return str(CliRunner().invoke(init_sql, [*_BASE, *options], standalone_mode=False).exception)


def public_file(key: Any, folder: Path) -> str:  # noqa: ANN401 - any private key
    file = folder / "key.pub"
    file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return str(file)


def run(world: World, statements: Sequence[str]) -> dict[str, str]:
    """Run a script as the administrator; names and secrets of the tokens that it made."""
    rows = [row for sql in statements for row in world.query(sql)]
    return {row["token_name"]: row["token_secret"] for row in rows if "token_secret" in row}


def test_the_user_logs_in_with_its_key_and_its_token(world: World, tmp_path: Path) -> None:
    key, name = ec.generate_private_key(ec.SECP256R1()), f"ROBOT_{world.schema}"
    options = ["--user", name, "--service-user", "--public-key", public_file(key, tmp_path)]
    options += ["--access-token", "30", "--allow", "127.0.0.0/8", "--allow", "10.1.2.3"]
    statements = printed(*options)
    made = run(world, statements)
    own = {**NONE, "user": name, "role": None}
    for login in ({"private_key": pem(key)}, {"token": made[TOKEN]}):
        session = connect(world.settings(**own, **login))
        assert session.execute("SELECT CURRENT_USER(), CURRENT_ROLE()", "test").rows == [
            (name, "SAGEX3_LOADER")
        ]
        session.close()
    with pytest.raises(StatementError, match="check `user`, `account` and `password`"):
        connect(world.settings(**own, password="anything"))  # noqa: S106
    assert run(world, statements) == {}, "run again, it makes no second token"
    world.control.advance_clock(31 * 86400)
    world.close()
    with pytest.raises(StatementError, match="`token` has expired"):
        connect(world.settings(**own, token=made[TOKEN]))
    world.query(f"DROP USER {name}")


def test_every_statement_parses_and_quotes_its_names(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    options = ["--user", '"a""; --b"', "--service-user", "--public-key", public_file(key, tmp_path)]
    for sql in printed(*options, "--access-token", "1", "--allow", "10.0.0.0/8"):
        sqlglot.parse_one(sql, dialect="snowflake")
        if "a" in sql and "b_ADDRESSES" in sql:
            assert '"a""; --b' in sql


def test_ranges_go_into_the_rule_in_the_form_that_snowflake_documents() -> None:
    options = ["--user", "LOADER", "--service-user"]
    for given in ("203.0.113.0/255.255.255.0", "203.0.113.9/24", "203.0.113.7", "10.0.0.1/32"):
        options += ["--allow", given]
    [rule] = [sql for sql in printed(*options) if "NETWORK RULE" in sql and sql.startswith("CREATE")]
    assert "VALUE_LIST = ('203.0.113.0/24', '203.0.113.0/24', '203.0.113.7', '10.0.0.1/32')" in rule


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--access-token", "9"], "need --service-user"),
        (
            ["--service-user", "--access-token", "9"],
            "needs a network policy for an access token",
        ),
        (["--service-user", "--access-token", "999", "--allow", "1.2.3.4"], "lives 1 to 365 days, not 999"),
        (["--service-user", "--allow", "1.2.3.300"], "--allow 1.2.3.300: expected an IPv4 address or range"),
        (["--service-user", "--public-key", "none.pub"], "--public-key none.pub: No such file"),
    ],
)
def test_options_that_do_not_fit(options: list[str], expected: str) -> None:

    assert re.search(expected, refusal("--user", "LOADER", *options))


def test_a_private_key_or_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(pem(ec.generate_private_key(ec.SECP256R1())))
    said = refusal("--user", "LOADER", "--service-user", "--public-key", str(file))
    assert "it is a private key, which stays where it is" in said
    other = public_file(ed25519.Ed25519PrivateKey.generate(), tmp_path)
    assert "RSA and ECDSA" in refusal("--user", "LOADER", "--service-user", "--public-key", other)
