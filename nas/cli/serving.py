"""`nas serve-storage`: Optuna's part of the storage, over gRPC."""

import signal
from typing import Annotated

import typer

from nas.cli.options import StorageOption
from nas.cli.output import ERR
from nas.cli.stopping import stop_on
from nas.cli.studies import open_existing
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE


def serve_storage(
    storage: StorageOption = DEFAULT_STORAGE,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Whoever reaches it can change trials.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 13000,
) -> None:
    """Serve Optuna's trials over gRPC, for dashboards and scripts that cannot reach the database.

    Optuna's own proxy: no password, no encryption. nas workers do not go through it, for claims and results are in
    tables that it does not serve: they need the database itself.

    Ctrl-C and SIGTERM end it; calls that it has begun to answer are finished.

    [bold]Example[/bold]

      nas serve-storage --port 13000
    """
    stop_on(signal.SIGTERM)
    try:
        from optuna.storages import run_grpc_proxy_server

        with open_existing(storage) as opened:
            ERR.print(f"serving Optuna's trials of {opened.address} on {host}:{port}; Ctrl-C ends it", soft_wrap=True)
            run_grpc_proxy_server(opened.optuna, host=host, port=port)
    except KeyboardInterrupt:
        ERR.print("Stopped.")
    except ImportError as error:
        raise InputError(f"serve-storage needs gRPC ({error}); install it: pip install 'nas[serve]'") from error
