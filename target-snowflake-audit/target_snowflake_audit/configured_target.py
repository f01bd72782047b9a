"""The part of the target that takes settings: from files and the environment, checked before any login."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers._classproperty import classproperty
from typing_extensions import override

from target_snowflake_audit import config_files, settings
from target_snowflake_audit.errors import SettingError
from target_snowflake_audit.mapping import STREAM_MAPS
from target_snowflake_audit.settings import check, texts
from target_snowflake_audit.settings_read import PREFIX

if TYPE_CHECKING:
    import click

_ENVIRONMENT = "ENV"


class ConfiguredTarget(Target):
    """Has settings, each of a known name and with a value that it can take."""

    config_jsonschema: ClassVar[dict[str, Any]] = settings.jsonschema()

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """As the SDK's, whose errors about a file do not name it."""
        given = super().cb_config(ctx, param, tuple(one for one in value if one == _ENVIRONMENT))
        given.config = config_files.read(one for one in value if one != _ENVIRONMENT)
        return given

    @classproperty
    @override
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class, as in the SDK
        """As the SDK's, which takes any word for a boolean and does not name what cannot be read."""
        parse_environment_config({}, PREFIX)  # no setting: only a file .env goes into the environment
        cls.append_builtin_config(cls.config_jsonschema)
        return texts.of_environment(os.environ, cls.config_jsonschema["properties"])

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """As the SDK's, but a value is not shown where it is secret, and misspelt names are told."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        errors = check.problems(self._config, schema)
        summary = "Config validation failed"
        if errors and raise_errors:
            raise ConfigValidationError(summary, errors=errors, schema=schema)
        for error in errors:
            self.logger.warning("%s", error)
        # They were told, and are no settings: a variable of whoever runs the target changes no CONFIG_SHA256.
        known = schema["properties"]
        self._config = {
            name: value for name, value in self._config.items() if name in known or value is not None
        }
        return errors

    @override
    def setup_mapper(self) -> None:
        try:
            super().setup_mapper()
        except MappingError as error:
            raise SettingError(STREAM_MAPS, str(error)) from error
