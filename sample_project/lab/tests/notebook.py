"""Runs cells in a real kernel, as a notebook does."""

import sys
import threading
import time
from dataclasses import dataclass, field

from jupyter_client import KernelManager

PATIENCE = 60


@dataclass
class Outputs:
    """What a cell showed: `text` as nbval sees it, the HTML beside it, the error with its message, the traceback."""

    text: str = ""
    html: list[str] = field(default_factory=list)
    error: str = ""
    traceback: list[str] = field(default_factory=list)
    stderr: str = ""


class Notebook:
    """A context manager that starts a kernel and ends it."""

    def __init__(self, environment):
        self.environment = environment

    def __enter__(self):
        self.manager = KernelManager(kernel_name="python3")
        # The very interpreter that runs the tests, whatever kernels are installed.
        self.manager.kernel_spec.argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self.manager.start_kernel(env=self.environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        return self

    def __exit__(self, *exception):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)

    def run(self, code, interrupt=False):
        """Run a cell and return its `Outputs`. An error fails, unless the caller looks at `error` with `run_badly`."""
        outputs = self.run_badly(code, interrupt)
        assert not outputs.error, outputs.error
        return outputs

    def run_badly(self, code, interrupt=False):
        """The same for a cell that may fail. `interrupt` presses the stop button once the cell has printed."""
        message = self.client.execute(code)
        outputs = Outputs()
        while True:
            reply = self.client.get_iopub_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") != message:
                continue
            kind, content = reply["msg_type"], reply["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind == "stream":
                if content["name"] == "stderr":
                    outputs.stderr += content["text"]
                else:
                    outputs.text += content["text"]
                if interrupt:
                    interrupt = False
                    threading.Thread(target=self._stop).start()
            elif kind in {"display_data", "execute_result"}:
                outputs.text += content["data"]["text/plain"] + "\n"
                if "text/html" in content["data"]:
                    outputs.html.append(content["data"]["text/html"])
            elif kind == "error":
                outputs.error = f"{content['ename']}: {content['evalue']}"
                outputs.traceback = content["traceback"]
        self.client.get_shell_msg(timeout=PATIENCE)
        return outputs

    def _stop(self):
        # Let the cell get into the statement after its print.
        time.sleep(0.3)
        self.manager.interrupt_kernel()
