"""Other people's tools run isolated: no network, only needed files, nothing left behind."""

import shutil
import socket

import pytest

from inframind.errors import SandboxError
from inframind.sandbox import isolation
from inframind.sandbox.isolation import WAYS, WORK, Finished, OverdueError, Program, folder, run
from tests.support import ROOT


def works(way: str) -> bool:
    if shutil.which(way) is None:
        return False
    with folder() as work:
        return run(Program(["true"]), work, way).status == 0


PRESENT = [way for way in WAYS if works(way)]
pytestmark = pytest.mark.skipif(
    not PRESENT, reason="neither bubblewrap nor unshare may isolate here"
)
EVERY = pytest.mark.parametrize("way", PRESENT)


def shell(script: str, way: str, **files: str) -> Finished:
    with folder() as work:
        for name, text in files.items():
            (work / name).write_text(text)
        return run(Program(["sh", "-c", script]), work, way)


@EVERY
def test_a_tool_sees_its_folder_and_the_system_alone(way: str) -> None:
    assert shell("pwd; cat given; ls", way, given="text\n").output == f"{WORK}\ntext\ngiven\n"
    checkout = ROOT
    for place in ("/etc", "/root", "/home", "/var", str(checkout / "tests")):
        assert shell(f"ls {place}/*", way).status != 0, place
    assert "inframind-" not in shell("find / -xdev -name 'inframind-*' 2>/dev/null", way).output
    assert shell("echo x > /usr/inframind-test", way).status != 0


@EVERY
def test_a_tool_has_no_network(way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        attempt = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])))"
        socket.create_connection(("127.0.0.1", port)).close()
        script = f'python3 -c "{attempt}" {port} || cat /proc/net/dev'
        finished = shell(script, way)
    interfaces = [
        line.split(":")[0].strip() for line in finished.output.splitlines() if ":" in line
    ]
    assert interfaces in ([], ["lo"]), finished.output


@EVERY
def test_a_tool_has_no_privilege_and_no_environment(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "topsecret")
    finished = shell(
        "env; grep CapEff /proc/self/status || echo CapEff: 0000000000000000; cat /proc/1/environ",
        way,
    )
    assert "topsecret" not in finished.output
    assert "CapEff:\t0000000000000000" in finished.output.replace(": ", ":\t")


@EVERY
def test_what_a_tool_does_is_bounded(way: str) -> None:
    with folder() as work, pytest.raises(OverdueError, match="sleep took over"):
        run(Program(["sleep", "60"], seconds=0.5), work, way)
    assert shell("head -c 200000000 /dev/zero > large", way).status != 0
    finished = shell("head -c 200000000 /dev/zero", way)
    assert len(finished.output) <= isolation.FILE_BLOCKS * 512


def test_without_an_isolation_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "isolation", lambda: None)
    with folder() as work, pytest.raises(SandboxError, match="install bubblewrap"):
        run(Program(["true"]), work)


def test_the_folder_is_gone_afterwards() -> None:
    with folder() as work:
        (work / "file").write_text("x")
    assert not work.parent.exists()
