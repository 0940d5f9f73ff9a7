"""A search on two real Ray nodes, a head and another on loopback."""

import subprocess
import time
from pathlib import Path

import psutil
import pytest
from nas.study.records import State
from nas.study.study import Study
from nas.study.tables import WorkerRow
from sqlalchemy import select

from nas.study import claims
from tests.torture.common import folder, opened
from tests.torture.ray_nodes import cluster, on_ray

pytest.importorskip("ray", reason="Ray is not installed: pip install 'nas[ray]'")
TRIALS = 8


def workers_on(study: Study, node: "subprocess.Popen[bytes]") -> set[int]:
    """Those of the study's workers that run on a node."""
    processes = {each.pid for each in psutil.Process(node.pid).children(recursive=True)}
    with study.storage.begin() as session:
        return processes.intersection(session.scalars(select(WorkerRow.process)))


@pytest.mark.slow
def test_a_search_over_two_nodes_ends_complete_and_both_have_worked() -> None:
    # Not pytest's folder: Ray's sockets lie in it, whose paths may have 107 letters.
    with folder() as where, cluster(where) as (address, *nodes):
        database = f"sqlite:///{where / 'nas.db'}"
        search = on_ray(database, where, address, TRIALS, workers=3)  # one more than a node has cores
        seen: list[set[int]] = [set(), set()]
        with opened(database, where) as study:
            while search.poll() is None:
                seen = [known | workers_on(study, node) for known, node in zip(seen, nodes, strict=True)]
                time.sleep(0.2)
            said = (Path(where) / "search.log").read_text()
            assert search.returncode == 0, said
            assert claims.underway(study) == (TRIALS, 0, 0)
            found = study.evaluations(State.COMPLETE)
        assert len({each.digest for each in found}) == TRIALS
        trained_by = {int((each.worker or "").rpartition(":")[2]) for each in found}
        assert all(trained_by & on_node for on_node in seen)
