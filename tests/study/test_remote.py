"""Artifacts on S3, tried with moto's server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nas.errors import InputError
from nas.study.files.remote import Remote
from nas.study.history import Result, State
from nas.study.protocol import Claim
from nas.study.sql.opening import create_or_resume, open_study
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy
from nas.study.upkeep.checking import check
from tests.study.conftest import SETTINGS
from tests.study.runs import begun

pytest.importorskip("s3fs")
server = pytest.importorskip("moto.server")
# The drivers of S3 close their sockets when Python collects them, and use calls that Python is about to drop.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    s3 = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    host, port = s3.get_host_and_port()
    yield f"http://{host}:{port}"
    s3.stop()


@pytest.fixture
def url(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    import s3fs

    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem(endpoint_url=endpoint).makedirs("bucket", exist_ok=True)
    return "s3://bucket/prefix"


def opened(tmp_path: Path, url: str) -> Storage:
    return open_storage(tmp_path / "nas.db", artifacts=url)


def keep(study: SqlStudy, claim: Claim, file: Path) -> Path:
    """Where its weights are here, after they were kept there."""
    study.keep(claim, "weights", file)
    return study.file(claim.run, "weights")


def address(study: SqlStudy, claim: Claim) -> str:
    """Where a run's weights are there."""
    return study.file(claim.run, "weights").relative_to(study.storage.artifacts).as_posix()


def copies(storage: Storage) -> list[Path]:
    """What is kept here, in the order of runs."""
    return sorted(path for path in storage.artifacts.rglob("*") if path.is_file())


def test_a_file_goes_there_and_comes_back_on_another_machine(tmp_path: Path, url: str) -> None:
    with opened(tmp_path, url) as storage:
        study = create_or_resume(storage, SETTINGS)
        claim = begun(study, None)
        for contents in ("first", "second"):
            file = tmp_path / "weights.safetensors"
            file.write_text(contents)
            keep(study, claim, file)
        shutil.rmtree(storage.artifacts)  # another machine has no copy
        assert study.file(claim.run, "weights").read_text() == "second"
        study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))
        assert study.prune(0) == 1
        with pytest.raises(InputError, match="left no artifact"):
            study.file(claim.run, "weights")
        assert study.prune(0) == 0


def test_a_damaged_copy_here_is_fetched_again_and_a_damaged_file_there_is_refused(tmp_path: Path, url: str) -> None:
    with opened(tmp_path, url) as storage:
        study = create_or_resume(storage, SETTINGS)
        claim = begun(study, None)
        (tmp_path / "weights").write_text("weights")
        copy = keep(study, claim, tmp_path / "weights")
        for damaged in ("poison", "weigh", ""):
            copy.write_text(damaged)
            assert study.file(claim.run, "weights").read_text() == "weights"

        (tmp_path / "poison").write_text("poison")
        Remote(url).upload(tmp_path / "poison", address(study, claim))
        assert study.file(claim.run, "weights").read_text() == "weights"  # the copy here is whole
        copy.write_text("poison")
        for _ in range(2):
            with pytest.raises(InputError, match=f"the artifact {url}/{storage.part}/hippocampus/.* has changed"):
                study.file(claim.run, "weights")


def test_what_is_gone_there_is_said(tmp_path: Path, url: str) -> None:
    with opened(tmp_path, url) as storage:
        study = create_or_resume(storage, SETTINGS)
        claim = begun(study, None)
        file = tmp_path / "weights"
        file.write_text("weights")
        address = keep(study, claim, file).relative_to(storage.artifacts).as_posix()
        storage.remove(address)
        with pytest.raises(InputError, match=r"artifacts at s3://bucket/prefix cannot be read"):
            study.file(claim.run, "weights")


def test_copies_here_are_bounded_and_those_used_last_are_kept(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.study.sql.storage.CACHE_BYTES", 20)
    with opened(tmp_path, url) as storage:
        study = create_or_resume(storage, SETTINGS)
        ids = [begun(study, None) for _ in range(4)]
        made = {id: f"network {place}" for place, id in enumerate(ids)}  # of 9 bytes each
        first, *_, last = made
        for id, contents in made.items():
            (tmp_path / "weights").write_text(contents)
            keep(study, id, tmp_path / "weights")
            study.file(first.run, "weights")
            assert sum(path.stat().st_size for path in copies(storage)) <= 20
        assert [path.read_text() for path in copies(storage)] == [made[first], made[last]]
        assert {id: study.file(id.run, "weights").read_text() for id in made} == made


def test_one_copy_is_kept_however_large(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.study.sql.storage.CACHE_BYTES", 0)
    with opened(tmp_path, url) as storage:
        study = create_or_resume(storage, SETTINGS)
        claim = begun(study, None)
        (tmp_path / "weights").write_text("weights")
        assert keep(study, claim, tmp_path / "weights").read_text() == "weights"


def test_faults_there_are_found_and_repaired(tmp_path: Path, url: str) -> None:
    url += "/of this test"
    with opened(tmp_path, url) as storage:
        study = create_or_resume(storage, SETTINGS)
        own = storage.folder_of(study.name)
        assert check(study) == []
        sound, poisoned, missing = (begun(study, None) for _ in range(3))
        for claim in (sound, poisoned, missing):
            (tmp_path / "weights").write_text(f"network {claim.run}")
            keep(study, claim, tmp_path / "weights")
            study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))
        (tmp_path / "stray").write_text("stray")
        remote = Remote(url)
        remote.upload(tmp_path / "stray", f"{own}/77/stray")
        remote.upload(tmp_path / "stray", f"{own} of another/1/theirs")
        whole, changed, gone = (address(study, claim) for claim in (sound, poisoned, missing))
        remote.upload(tmp_path / "stray", changed)
        remote.remove(gone)  # the copy here is whole

        words = [fault.what for fault in check(study)]
        assert len(words) == 3
        for word in ("has changed", "cannot be read", f"no trial names the file {own}/77/stray in {url}"):
            assert any(word in each for each in words)
        assert f"{own}/77/stray" in remote.addresses(own)
        check(study, repair=True)
        assert check(study) == []
        assert remote.addresses(own) == [whole]
        assert remote.addresses(f"{own} of another") == [f"{own} of another/1/theirs"]


def test_nothing_is_forgotten_where_files_are_out_of_reach(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    url += "/of that test"
    with opened(tmp_path, url) as storage:
        study = create_or_resume(storage, SETTINGS)
        claim = begun(study, None)
        (tmp_path / "weights").write_text("weights")
        keep(study, claim, tmp_path / "weights")
        study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        away.setenv("AWS_MAX_ATTEMPTS", "1")
        s3fs.S3FileSystem.clear_instance_cache()
        with (
            open_storage(tmp_path / "nas.db", create=False) as storage,
            pytest.raises(InputError, match=f"artifacts at {url} cannot be read"),
        ):
            check(open_study(storage, study.name), repair=True)
    s3fs.S3FileSystem.clear_instance_cache()
    with open_storage(tmp_path / "nas.db", create=False) as storage:
        assert check(open_study(storage, study.name)) == []


@pytest.mark.parametrize("address", ["../outside", "/etc/passwd", "a/../../b"])
def test_an_address_that_leaves_the_prefix_is_refused(tmp_path: Path, url: str, address: str) -> None:
    with pytest.raises(InputError, match="leaves s3://bucket/prefix"):
        Remote(url).download(address, tmp_path / "file")


def test_credentials_are_never_shown(tmp_path: Path) -> None:
    remote = Remote("nosuch://me:s3cret@host/bucket?password=s3cret")
    assert "s3cret" not in repr(remote) + remote.shown
    with pytest.raises(InputError) as refused:
        remote.upload(tmp_path, "a/b")
    assert "s3cret" not in str(refused.value)
