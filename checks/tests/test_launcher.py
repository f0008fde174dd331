"""course.py: what a person types, and what they read when something is in the way."""

import ast
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from checks.course import launcher
from checks.course.environment import Environment, SetupError
from checks.course.launcher import Laboratory, LaunchError, main

ROOT = Path(launcher.__file__).resolve().parents[2]
COURSE = ROOT / "course.py"


class ThisEnvironment(Environment):
    """The interpreter that runs the tests, in the place of a .venv."""

    python = Path(sys.executable)

    def prepare(self):
        pass


@pytest.fixture
def without_set_up(monkeypatch):
    monkeypatch.setattr(launcher, "Environment", ThisEnvironment)


# What a person types


def test_no_command_shows_the_help(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    for command in ("lab", "test", "build", "site", "doctor"):
        assert re.search(rf"^    {command} ", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["laboratory"], "invalid choice"),
        (["test", "--fast"], "test does not know --fast"),
        (["lab", "--port", "none"], "give a number from 1 to 65535"),
        (["lab", "--port", "70000"], "give a number from 1 to 65535"),
    ],
)
def test_a_wrong_command_line_is_status_2(capsys, argv, says):
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_the_launcher_needs_nothing_but_the_standard_library():
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from checks.course.launcher import main; main([])"
    out = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    assert "usage: python3 course.py" in out.stdout


def test_course_py_can_be_read_by_every_python():
    modern = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.arg, ast.Match, ast.AsyncFunctionDef, ast.Starred)
    nodes = list(ast.walk(ast.parse(COURSE.read_text(encoding="utf-8"))))
    assert [node for node in nodes if isinstance(node, modern)] == []
    assert COURSE.read_bytes().isascii()


OLD = [
    path
    for pattern in ("2.7.*", "3.6.*", "3.8.*", "3.10.*")
    for path in sorted(Path("~/.pyenv/versions").expanduser().glob(f"{pattern}/bin/python"))
]


@pytest.mark.parametrize("python", OLD or [None], ids=lambda path: path.parts[-3] if path else "none")
def test_too_old_a_python_is_told_so_in_one_sentence(python):
    if python is None:
        pytest.skip("no old Python on this machine")
    ended = subprocess.run([str(python), str(COURSE), "lab"], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("This course needs Python 3.11 or newer, and this is Python ")
    assert ended.stderr.count("\n") == 1


def test_trouble_with_the_set_up_is_one_sentence_and_status_1(capsys, monkeypatch):
    def no_network(self):
        raise SetupError("The network is away: come back.")

    monkeypatch.setattr(launcher.Environment, "prepare", no_network)
    assert main(["build"]) == 1
    assert capsys.readouterr().err == "The network is away: come back.\n"


def test_an_interrupt_leaves_no_traceback(capsys, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(launcher.Environment, "prepare", interrupted)
    assert main(["build"]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_an_unknown_group_is_named_with_the_known_ones(capsys, without_set_up):
    assert main(["test", "units", "unicorns"]) == 1
    assert "There is no group 'unicorns': the groups are static, bookshop" in capsys.readouterr().err


# JupyterLab


@pytest.fixture
def laboratory(tmp_path):
    folder = tmp_path / "my_course"
    (folder / ".jupyter").mkdir(parents=True)
    return Laboratory(ThisEnvironment(ROOT), folder)


def test_a_taken_port_that_was_named_is_refused_before_any_work(capsys, monkeypatch):
    monkeypatch.setattr(launcher.Environment, "prepare", lambda self: pytest.fail("set up in vain"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["lab", "--port", str(port)]) == 1
    assert f"Port {port} cannot be used" in capsys.readouterr().err


def test_a_named_port_is_used_or_nothing(laboratory):
    assert "--ServerApp.port=9001" in laboratory.command(9001, True, [])
    assert "--ServerApp.port_retries=0" in laboratory.command(9001, True, [])
    assert "--ServerApp.port_retries=50" in laboratory.command(None, True, [])


def test_the_learners_own_arguments_come_last_and_win(laboratory):
    assert laboratory.command(None, False, ["--ServerApp.ip=0.0.0.0"])[-1] == "--ServerApp.ip=0.0.0.0"
    assert "--no-browser" in laboratory.command(None, False, [])
    assert "--no-browser" not in laboratory.command(None, True, [])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no root")
@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_only_root_may_run_as_root(laboratory, monkeypatch, user, allowed):
    monkeypatch.setattr(launcher.os, "geteuid", lambda: user)
    assert ("--allow-root" in laboratory.command(None, True, [])) is allowed


def test_the_token_is_long_new_each_time_and_not_on_the_command_line(laboratory, monkeypatch):
    monkeypatch.setenv("JUPYTER_TOKEN", "")
    tokens = {laboratory.variables("runtime")["JUPYTER_TOKEN"] for _ in range(2)}
    assert len(tokens) == 2
    assert all(len(token) == 48 for token in tokens)
    assert not any(".token" in argument for argument in laboratory.command(None, True, []))


def test_all_of_jupyters_settings_lie_in_the_copy(laboratory, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/home/somebody/.jupyter")
    variables = laboratory.variables("runtime")
    assert "JUPYTER_CONFIG_PATH" not in variables
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"):
        assert Path(variables[name]).is_relative_to(laboratory.folder)


def test_a_server_that_ends_by_itself_names_its_log_and_last_words(laboratory, monkeypatch):
    script = "print('the disk has gone'); raise SystemExit(3)"
    monkeypatch.setattr(laboratory, "command", lambda *arguments: [sys.executable, "-c", script])
    with pytest.raises(LaunchError, match=r"status 3 \(the disk has gone\): its log is .*jupyterlab\.log"):
        laboratory.open(None, False, [])


LAB = """
import sys
from pathlib import Path
from checks.course import launcher, workspace
from checks.course.environment import Environment
class ThisEnvironment(Environment):
    python = Path(sys.executable)
    def prepare(self): pass
launcher.Environment = ThisEnvironment
sys.exit(launcher.main(["lab", "--no-browser", "--folder", sys.argv[1]]))
"""


def status(url):
    try:
        # Not through a proxy that the environment may name.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_address_is_told_when_the_server_listens_and_not_before(laboratory, tmp_path):
    class Starting:
        """A server that writes its file first, and listens from the second look on."""

        looks = 0

        def wait(self, timeout):
            self.looks += 1
            if self.looks == 2:
                listener.listen()
            raise subprocess.TimeoutExpired("server", timeout)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        info = {"url": f"http://127.0.0.1:{port}/", "token": "abc", "port": port}
        (tmp_path / "jpserver-1.json").write_text(json.dumps(info))
        server = Starting()
        assert laboratory._address(server, tmp_path).startswith(info["url"])
    assert server.looks == 2


@pytest.mark.skipif(os.name == "nt", reason="a test cannot press Ctrl-C on Windows")
@pytest.mark.parametrize("press", [signal.SIGINT, signal.SIGTERM, "Ctrl-C"])
def test_the_lab_opens_with_a_token_and_ends_cleanly(tmp_path, press):
    variables = os.environ | {"COURSE_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", LAB, str(tmp_path / "my_course")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=variables,
        start_new_session=True,
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        address = re.search(
            r"http://127\.0\.0\.1:\d+/lab/tree/notebooks/00_start_here\.ipynb\?token=\w+", "".join(lines)
        )
        assert address, "".join(lines)
        base = address[0].split("/lab/")[0]
        token = address[0].split("token=")[1]
        assert status(f"{base}/api/contents?token={token}") == 200
        assert status(f"{base}/api/contents") == 403
    finally:
        if press == "Ctrl-C":  # a terminal tells every process of the group
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(press)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "JupyterLab has stopped." in rest
    assert "Traceback" not in rest + (tmp_path / "my_course" / ".jupyter" / "jupyterlab.log").read_text()
    assert not (tmp_path / ".jupyter").exists()
    with pytest.raises(urllib.error.URLError):
        status(base)


def test_saving_in_the_lab_writes_no_second_file(laboratory):
    """Jupytext pairs notebooks with scripts where the course is edited; a learner's copy has none."""
    shutil.copytree(ROOT / "checks" / "course" / "jupyter", laboratory.settings, dirs_exist_ok=True)
    config = json.loads((laboratory.settings / "jupyter_server_config.json").read_text())
    assert config["ServerApp"]["jpserver_extensions"] == {"jupyterlab_jupytext": False}
    listed = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"],
        env=laboratory.variables(str(laboratory.settings)),
        capture_output=True,
        text=True,
    )
    assert re.search(r"jupyterlab_jupytext.*disabled", listed.stdout + listed.stderr)
