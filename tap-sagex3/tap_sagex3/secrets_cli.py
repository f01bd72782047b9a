"""Command line: `tap-sagex3-secrets`. Makes keys, and encrypts secrets for the configuration."""

from __future__ import annotations

import argparse
import getpass
import sys
import typing as t

from tap_sagex3.auth.secrets_key import VARIABLE, encrypt_secret, generate_key, keep_in_keyring
from tap_sagex3.errors import TapError

if t.TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; exit code 0 when it worked, 1 after an error, which is told in one line."""
    options = _parser().parse_args(arguments)
    try:
        print(options.run(options))  # noqa: T201 - what the command is for
    except TapError as error:
        sys.exit(f"tap-sagex3-secrets: {error}")
    except (KeyboardInterrupt, EOFError):
        sys.exit("tap-sagex3-secrets: stopped; nothing was encrypted.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tap-sagex3-secrets", description="Encrypted secrets for the configuration of tap-sagex3."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    encrypt = commands.add_parser(
        "encrypt",
        help=f"read a secret from a prompt or standard input, print it as enc:... (key: {VARIABLE}, keyring)",
    )
    encrypt.set_defaults(run=_encrypt)
    generate = commands.add_parser("generate-key", help=f"print a new key for {VARIABLE}")
    generate.add_argument(
        "--keyring", action="store_true", help="keep it in the operating system's keyring instead"
    )
    generate.set_defaults(run=_generate)
    return parser


def _encrypt(_: argparse.Namespace) -> str:
    """Encrypt what is typed unseen, or comes in; the line's end is not part of it."""
    text = getpass.getpass("Secret: ") if sys.stdin.isatty() else sys.stdin.read()
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        msg = "Nothing to encrypt: give the secret on standard input."
        raise TapError(msg)
    return encrypt_secret(secret)


def _generate(options: argparse.Namespace) -> str:
    key = generate_key()
    if not options.keyring:
        return key
    keep_in_keyring(key)
    return "A new key is in the keyring of the operating system."


if __name__ == "__main__":
    main()
