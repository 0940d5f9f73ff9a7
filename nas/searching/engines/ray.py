"""Workers placed by Ray on a cluster's nodes: `pip install 'nas[ray]'`."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from nas.errors import InputError, field_named
from nas.searching.events import Listener, Note
from nas.searching.observing import Observes
from nas.searching.settings import SearchSettings
from nas.study.sql.study import SqlStudy

MOST_CRASHES = 10
"""Workers may be lost so often in a row, without a trial ended in between, until the search is given up."""
_PAUSE = 0.5
_PATIENCE = 60.0


def start(
    study: SqlStudy, settings: SearchSettings, listener: Listener, observer: Observes, assignment: int | None
) -> None:
    """Keep as many workers submitted as are wanted; Ray runs them where there is room; see `nas.searching.engines`.

    A node that goes takes its workers along: they are submitted again, and their trials are taken up. One that comes
    is given those that waited for room.
    """
    try:
        import ray
    except ImportError as error:
        raise InputError(f"{field_named('engine')} ray needs Ray; install it: pip install 'nas[ray]'") from error
    _connect(ray, settings)
    work: Any = ray.remote(max_retries=0, num_cpus=1, num_gpus=_gpus(settings))(_work)
    job = _job(study, settings) | {"assignment": assignment}
    running: list[Any] = [work.remote(job) for _ in range(settings.at_once)]
    crashes, ended = 0, 0
    try:
        while running:
            done, running = ray.wait(running, timeout=_PAUSE)
            observer.look()
            for task in done:
                problem = _problem(ray, task)
                if problem is None:
                    continue
                crashes, ended = (1 if observer.ended > ended else crashes + 1), observer.ended
                if crashes >= MOST_CRASHES:
                    raise InputError(f"workers on Ray were lost {crashes} times in a row; the last: {problem}")
                observer.look_for_failures()
                listener(Note(f"a worker on Ray was lost ({problem}); submitted again"))
                running.append(work.remote(job))
    finally:
        for task in running:
            ray.cancel(task)  # raises KeyboardInterrupt there: the trial is given back
        ray.wait(running, num_returns=len(running), timeout=_PATIENCE) if running else None
        ray.shutdown()
    observer.look()


def _connect(ray: Any, settings: SearchSettings) -> None:
    # Workers import nas, and a space's file, from the same places as this process.
    paths = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    environment = {"env_vars": {"PYTHONPATH": paths}}
    try:
        try:
            address = settings.ray_address or "auto"
            ray.init(address, runtime_env=environment, log_to_driver=False, logging_level="ERROR")
        except ConnectionError:
            if settings.ray_address is not None:
                raise
            ray.init(runtime_env=environment, log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    except (ConnectionError, ValueError) as error:
        raise InputError(
            f"{field_named('ray_address')}: {settings.ray_address}: no Ray cluster answers there ({error}); "
            "start one: ray start --head; one that asks for a token, as of Ray 2.60 on, wants RAY_AUTH_MODE=token"
        ) from error


def _gpus(settings: SearchSettings) -> float:
    """The part of a GPU that each worker is given."""
    if settings.gpus_per_worker is not None:
        return settings.gpus_per_worker
    return float((settings.device or "cpu").startswith("cuda"))


def _job(study: SqlStudy, settings: SearchSettings) -> dict[str, Any]:
    return {
        "storage": study.storage.secret_address,
        "artifacts": study.storage.artifacts_address,
        "study": study.name,
        "space": os.path.abspath(settings.space) if settings.space.endswith(".py") else settings.space,
        "data": None if settings.data is None else os.path.abspath(settings.data),
        "device": settings.device,
        "lease": settings.lease,
    }


def _work(job: Mapping[str, Any]) -> None:
    """What runs on a node."""
    import torch

    from nas.searching.events import silent
    from nas.searching.worker import join
    from nas.study.sql.opening import open_study
    from nas.study.sql.storage import open_storage

    torch.set_num_threads(1)
    with open_storage(job["storage"], artifacts=job["artifacts"], create=False) as storage:
        study = open_study(storage, job["study"])
        options = {name: job[name] for name in ("space", "data", "device", "lease", "assignment")}
        join(study, **options, listener=silent)


def _problem(ray: Any, ended: Any) -> str | None:
    """Why a worker ended, in a line; None if it was done.

    Raises:
        InputError: what the user must mend.
    """
    try:
        ray.get(ended)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if hasattr(error, "cause") else error
        if isinstance(cause, InputError):
            raise InputError(str(cause)) from error
        return str(error).strip().splitlines()[-1]
    except ray.exceptions.RayError as error:
        return type(error).__name__
    return None
