import subprocess
import sys

from lab.waiting import wait_for


def test_what_a_process_printed_is_returned_and_nothing_is_left_on_the_screen(capsys):
    with subprocess.Popen([sys.executable, "-c", "print(1)\nprint(2)"], stdout=subprocess.PIPE, text=True) as process:
        assert wait_for(process) == "1\n2\n"
    assert capsys.readouterr() == ("", "")
