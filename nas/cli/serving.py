"""`nas dashboard` and `nas serve-storage`: a study's trials for a browser, and over gRPC."""

import signal
from collections.abc import Callable
from threading import Thread
from typing import Annotated

import typer

from nas.cli.options import StorageOption, StudyName
from nas.cli.output import ERR
from nas.cli.stopping import stop_on
from nas.cli.studies import chosen, open_existing
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE

_PAUSE = 0.5
"""Seconds after which a signal is heard at the latest."""


def dashboard(
    study: StudyName = None,
    storage: StorageOption = DEFAULT_STORAGE,
    host: Annotated[str, typer.Option(help="Address to listen on. Whoever reaches it can change notes.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8080,
) -> None:
    """Open optuna-dashboard on the studies of a storage, also while a search goes on.

    It shows an image of the study: what is changed there changes no result. Beside each trial stand its network and
    cases as it segments them, which are made when somebody looks, and never written. It listens on this machine
    alone unless told otherwise, without a password. Ctrl-C and SIGTERM end it.

    [bold]Example[/bold]

      nas dashboard unet_family-brain-synthetic
    """
    from nas.cli.cases import picture_of
    from nas.report.dashboard import Pictured, Pictures
    from nas.study.optuna import image_number

    stop_on(signal.SIGTERM)
    try:
        from optuna_dashboard import run_server
    except ImportError as error:
        raise InputError(
            f"dashboard needs optuna-dashboard ({error}); install it: pip install 'nas[dashboard]'"
        ) from error
    with open_existing(storage) as opened:
        place = ""
        if study is not None:
            name = chosen(opened, study).name
            place = f"/dashboard/studies/{image_number(opened, name)}"
        ERR.print(f"http://{host}:{port}{place}    (Ctrl-C ends it)", soft_wrap=True)
        try:
            pictures = Pictures(opened, picture_of)
            storage_shown = Pictured(opened.optuna, pictures)
            _beside(lambda: run_server(storage_shown, host=host, port=port, artifact_store=pictures))
        except KeyboardInterrupt:
            ERR.print("Stopped.")
        except OSError as error:
            raise InputError(f"--port: {host}:{port} cannot be used ({error.strerror}); give another --port") from error


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


def _beside(serve: Callable[[], None]) -> None:
    """Serve on a thread of its own: a signal that came while a request is answered would end that request alone."""
    failures: list[OSError] = []

    def serving() -> None:
        try:
            serve()
        except OSError as error:
            failures.append(error)

    thread = Thread(target=serving, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_PAUSE)
    if failures:
        raise failures[0]
