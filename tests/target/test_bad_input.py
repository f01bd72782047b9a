"""Settings and keys that are wrong: one clear line that names the setting, a non-zero exit, no traceback."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.keys import private_key_der
from target_snowflake_audit.session import StatementError, connect
from target_world import lines

if TYPE_CHECKING:
    from target_world import World


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey, passphrase: bytes | None = None) -> str:
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()


def test_keys_in_every_form_give_the_same_der(key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    import base64  # noqa: PLC0415

    file = tmp_path / "key.p8"
    file.write_text(pem(key, b"secret"))
    raw = tmp_path / "key.der"
    raw.write_bytes(der)
    for settings in (
        {"private_key": pem(key)},
        {"private_key": pem(key).replace("\n", "\\n")},
        {"private_key": base64.b64encode(der).decode()},
        {"private_key_path": str(raw)},
        {"private_key_path": str(file), "private_key_passphrase": "secret"},
    ):
        assert private_key_der(settings) == der


def test_wrong_keys_name_the_setting_and_the_fault(key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    cases: list[tuple[dict[str, Any], str]] = [
        ({"private_key": "rubbish"}, "`private_key`: not a private key"),
        ({"private_key": public.decode()}, "`private_key`: found a public key"),
        ({"private_key": pem(key, b"x")}, "`private_key_passphrase`: is missing"),
        (
            {"private_key": pem(key, b"x"), "private_key_passphrase": "y"},
            "`private_key_passphrase`: is wrong",
        ),
        ({"private_key": pem(key), "private_key_passphrase": "y"}, "`private_key_passphrase`: is set, but"),
        ({"private_key_path": str(tmp_path / "none")}, "`private_key_path`: cannot read"),
        ({"private_key": "x", "private_key_path": "y"}, "not both"),
    ]
    for settings, expected in cases:
        with pytest.raises(SettingError) as raised:
            private_key_der(settings)
        assert expected in str(raised.value)
        assert "PRIVATE KEY" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"database": "NOWHERE"}, "setting `database`: database NOWHERE does not exist"),
        ({"warehouse": "NOWHERE"}, "setting `warehouse`: warehouse NOWHERE does not exist"),
        ({"audit_schema": "NOWHERE"}, "setting `audit_schema`: schema NOWHERE_LOCK does not exist.*init-sql"),
        ({"private_key_path": None}, "setting `private_key_path`: no login is configured"),
        ({"password": "x"}, "several logins are configured"),
    ],
)
def test_wrong_place_or_login_is_a_setting_error(world: World, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingError, match=expected):
        connect(world.settings(**change))


def test_schema_without_rights_names_the_settings(world: World) -> None:
    with pytest.raises(
        SettingError, match=r"`default_target_schema`.*create_table.*ANALYTICS.PUBLIC.*schema_mapping"
    ):
        world.run([world.schema_message()], default_target_schema="PUBLIC")


def test_refused_logins_name_user_and_host(world: World, key: rsa.RSAPrivateKey) -> None:
    for change in (
        {"private_key": pem(key), "private_key_path": None},
        {"private_key_path": None, "password": "wrong"},
        {"private_key_path": None, "token": "wrong"},
        {"user": "NOBODY"},
    ):
        with pytest.raises(StatementError, match=r"refused the login of user .* on 127.0.0.1") as raised:
            connect(world.settings(**change))
        assert not raised.value.error_class.retryable
        assert "wrong" not in str(raised.value).replace("check `user`", "")


def test_logins_that_work(world: World) -> None:
    loader = world.ready["users"]["LOADER"]
    passphrase = Path(loader["passphrase_path"]).read_text()
    for change in (
        {"private_key_path": loader["encrypted_private_key_path"], "private_key_passphrase": passphrase},
        {"private_key": Path(loader["private_key_path"]).read_text(), "private_key_path": None},
        {"private_key_path": None, "token": loader["token"]},
    ):
        session = connect(world.settings(**change))
        assert session.execute("SELECT CURRENT_USER()", "test").rows == [("LOADER",)]
        session.close()


def test_commands_print_one_line_and_exit_with_one(world: World) -> None:
    text = lines([world.schema_message(), world.line("A", 1)])
    for change, expected in (
        ({"warehouse": None}, "'warehouse' is a required property"),
        ({"database": "NOWHERE"}, "setting `database`: database NOWHERE does not exist"),
        ({"column_naming": "camel"}, "column_naming"),
    ):
        ended = world.command(text, **change)
        assert ended.code == 1, ended.log
        assert expected in ended.log
        assert "Traceback" not in ended.log
        assert ended.states == []


def test_unreachable_host(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_snowflake_audit.session.LOGIN_TIMEOUT_SECONDS", 2)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(StatementError, match=r"cannot reach Snowflake at 127.0.0.1.*`host`, `port`"):
            connect(world.settings(port=port))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("not json", "not a JSON line"),
        ("[1]", "expected a JSON object"),
        ('{"type": "RECORD", "stream": "nobody", "record": {}}', "before a corresponding schema"),
        (
            '{"type": "SCHEMA", "stream": "s", "schema": {"properties": {"a": {"type": "nonsense"}}}}',
            "stream s",
        ),
    ],
)
def test_input_that_is_not_singer(world: World, line: str, expected: str) -> None:
    with pytest.raises(Exception, match=expected):
        world.run_text(line + "\n")


def test_colliding_names_fail_before_any_ddl(world: World) -> None:
    schema = {"properties": {"orderDate": {"type": "string"}, "order_date": {"type": "string"}}}
    world.control.clear_log()
    with pytest.raises(Exception, match="`orderDate` and `order_date` would both be column ORDER_DATE"):
        world.run([world.schema_message(schema, key=[])])
    assert not [sql for sql in world.target_statements() if sql.startswith(("CREATE", "ALTER"))]
    world.run(
        [world.schema_message(schema, key=[]), world.record({"orderDate": "a", "order_date": "b"})],
        schema_mapping=[{"stream": "*", "schema": world.schema, "columns": {"order_date": "order_date_2"}}],
    )
    assert world.rows() == [{"ORDER_DATE": "a", "ORDER_DATE_2": "b"}]
