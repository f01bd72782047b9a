"""Settings of the connection: where to log in, as whom, and with what."""

from __future__ import annotations

from singer_sdk import typing as th

CONNECTION = (
    th.Property(
        "account",
        th.StringType,
        required=True,
        title="Account",
        description="Snowflake account identifier, for example `myorg-myaccount`.",
    ),
    th.Property("user", th.StringType, required=True, title="User", description="User that logs in."),
    th.Property(
        "role",
        th.StringType,
        title="Role",
        description="Role of the session. Default: the user's own default role.",
    ),
    th.Property(
        "warehouse",
        th.StringType,
        required=True,
        title="Warehouse",
        description="Warehouse that runs COPY and MERGE.",
    ),
    th.Property(
        "database",
        th.StringType,
        required=True,
        title="Database",
        description="Database of the audit schema and, unless `schema_mapping` says otherwise, of tables.",
    ),
    th.Property(
        "host",
        th.StringType,
        title="Host",
        description="Host name, for private links. Default: from `account`.",
    ),
    th.Property(
        "port",
        th.IntegerType(minimum=1, maximum=65_535),
        title="Port",
        description="Port. Default: 443.",
    ),
    th.Property(
        "protocol",
        th.StringType,
        allowed_values=["https", "http"],
        default="https",
        title="Protocol",
        description="`http` is for the local Snowflake of the sandbox only.",
    ),
    th.Property(
        "private_key_path",
        th.StringType,
        title="Private key file",
        description="File with the private key of key-pair login, PEM or DER: RSA, or ECDSA on P-256, P-384"
        " or P-521.",
    ),
    th.Property(
        "private_key",
        th.StringType,
        secret=True,
        title="Private key",
        description="The private key itself: PEM text, or base64 of DER. Instead of `private_key_path`.",
    ),
    th.Property(
        "private_key_passphrase",
        th.StringType,
        secret=True,
        title="Passphrase of the private key",
        description="Needed when the private key is encrypted.",
    ),
    th.Property(
        "token",
        th.StringType,
        secret=True,
        title="Programmatic access token",
        description="Programmatic access token (PAT), instead of a private key.",
    ),
    th.Property(
        "oauth_token",
        th.StringType,
        secret=True,
        title="OAuth access token",
        description="OAuth access token, instead of a private key. It must live longer than the run: nothing"
        " renews it.",
    ),
    th.Property(
        "workload_identity_provider",
        th.StringType,
        allowed_values=["AWS", "AZURE", "GCP", "OIDC"],
        title="Workload identity provider",
        description="Log in as the workload that the target runs in, without a secret of your own.",
    ),
    th.Property(
        "workload_identity_token_path",
        th.StringType,
        title="File of the workload identity token",
        description="With provider `OIDC`: file with the token, read anew at each login.",
    ),
    th.Property(
        "workload_identity_token",
        th.StringType,
        secret=True,
        title="Workload identity token",
        description="With provider `OIDC`: the token itself, instead of `workload_identity_token_path`.",
    ),
    th.Property(
        "password",
        th.StringType,
        secret=True,
        title="Password",
        description="Password, instead of a private key. Snowflake closes these for service users.",
    ),
    th.Property(
        "query_tag",
        th.StringType,
        title="Query tag",
        description="QUERY_TAG of the statements; `{run_id}`, `{stream}` and `{batch_id}` are filled in."
        " Default: `target-snowflake-audit run=RUN_ID stream=STREAM batch=BATCH_ID`.",
    ),
)
