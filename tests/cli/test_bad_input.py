"""What a user can get wrong ends with exit code 2 and a message that says what to do, and writes nothing."""

import json
from pathlib import Path

import pytest

from tests.cli.command import Command

MAGIC = {"kind": "magic"}
FILES = {
    "raises.py": "SPACE = 1 / 0\n",
    "wrong.py": "SPACE = 7\n",
    "empty.py": "",
    "broken.json": "{",
    "list.json": "[]",
    "foreign.json": json.dumps({"kind": "encoder_decoder", "encoder": [{"kind": "stage", "block": MAGIC}] * 2}),
    "nothing.json": "{}",
    "no.db": "this is no database, and long enough for SQLite to see so" * 20,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the files above and an empty one for data."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "messages"),
    [
        ("spaces show unet_famly", ["unet_famly", "did you mean 'unet_family'"]),
        ("spaces show absent.py", ["absent.py", "not found"]),
        ("search --pretrained absent.pth", ["--pretrained", "absent.pth", "not found"]),
        ("search --pretrained broken.json", ["--pretrained", "broken.json", "neither safetensors nor"]),
        ("search --pretrained empty", ["--pretrained", "empty", "holds no file of weights"]),
        ("spaces show ./raises.py", ["raises.py", "ZeroDivisionError", "line 1"]),
        ("spaces show ./wrong.py", ["wrong.py", "int", "expected a nas.space.Space"]),
        ("spaces show ./empty.py", ["empty.py", "defines no SPACE"]),
        ("spaces cost unet --reference U-Nett", ["did you mean 'U-Net'"]),
        ("spaces cost unet --reference U-Net --patch 100,100", ["use 96 or 112"]),
        ("spaces cost unet --reference U-Net --patch 96", ["patch", "2"]),
        ("spaces cost unet --reference U-Net --patch a,b", ["--patch", "a,b"]),
        ("spaces cost unet --axes 4", ["axes", "4"]),
        ("spaces cost unet --architecture absent.json", ["absent.json"]),
        ("spaces cost unet --architecture broken.json", ["broken.json", "not JSON"]),
        ("spaces cost unet --architecture list.json", ["list.json", "expected an object"]),
        ("spaces cost unet --architecture foreign.json", ["encoder.0.block", "magic"]),
        ("spaces cost unet --architecture nothing.json", ["'kind'"]),
        ("spaces cost unet --reference U-Net --architecture list.json", ["one of them"]),
        ("spaces draw unet --reference U-Net --to absent/u.svg", ["absent/u.svg", "cannot be written"]),
        ("spaces draw unet --reference U-Net --to /dev/full", ["/dev/full", "No space left"]),
        ("spaces draw unet --to u_net.docx", ["--to", "u_net.docx", ".svg or .pdf"]),
        ("spaces draw unet --to .", ["--to", "expected a file"]),
        ("spaces draw unet U-Net U-Nett", ["U-Nett", "did you mean 'U-Net'"]),
        ("spaces draw unet U-Net absent.json", ["absent.json"]),
        ("spaces draw unet U-Net U-Net U-Net", ["one or two networks"]),
        ("spaces draw unet U-Net --reference U-Net", ["one or two networks"]),
        ("data check absent", ["absent"]),
        ("data check empty", ["empty"]),
        ("search --data absent", ["absent"]),
        ("search --space unet_famly", ["did you mean 'unet_family'"]),
        ("search --slim 4", ["--slim", "without a network", "--reference"]),
        ("search --space ./raises.py", ["raises.py", "ZeroDivisionError"]),
        ("search --trials 0", ["--trials", "found 0"]),
        ("search --budget soon", ["--budget", "soon", "15m"]),
        ("search --fold 9", ["fold", "9"]),
        ("search --device abacus", ["--device", "abacus", "cpu"]),
        ("search --patch 1x1", ["patch", "1, 1", "too small"]),
        ("search --max-parameters many", ["--max-parameters", "many"]),
        ("search --batch 1", ["batch", "found 1", "at least 2"]),
        ("search --space tiny --batch 99999999", ["--batch", "found 99999999", "give fewer"]),
        ("search --space tiny --storage no.db", ["no.db"]),
        ("search --space tiny --storage postgresql://nobody:secret@127.0.0.1:9/nas", ["127.0.0.1"]),
        ("status --storage absent.db", ["absent.db"]),
        ("best --storage absent.db", ["absent.db"]),
        ("export nothing --to out --storage absent.db", ["absent.db"]),
    ],
)
def test_it_ends_with_2_and_says_what_is_wrong(nas: Command, folder: Path, command: str, messages: list[str]) -> None:
    before = sorted(path.name for path in folder.iterdir())
    ended = nas(*command.split())
    assert ended.code == 2, ended.err
    assert "Traceback" not in ended.err
    assert "secret" not in ended.err
    for message in messages:
        assert message in ended.err
    left = {path.name for path in folder.iterdir()} - {*before, "runs"}
    assert not left
