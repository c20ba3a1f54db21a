"""A headless Chromium that is driven through pipes (DevTools protocol, no packages)."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

REQUIRED = "TRIMPOT_REQUIRE_ENGINES"
PATIENCE = 60.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def chromium():
    """Return the browser; without one skip the test, or fail where engines are required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.environ.get(REQUIRED) == "1":
        pytest.fail(f"no chromium, but {REQUIRED} is 1: apt-get install chromium")
    return found or pytest.skip("needs a browser: apt-get install chromium")


@dataclass
class Tab:
    """A page that is open; collects what it says, requests and throws."""

    process: subprocess.Popen
    inbox: int
    outbox: int
    session: str = ""
    last: int = 0
    rest: bytes = b""
    events: list = field(default_factory=list)

    def ask(self, method, **params):
        """Send a command and return its result; events that come first are kept."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.outbox, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.last:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.inbox], [], [], end - time.monotonic())
            assert ready, "the browser does not answer"
            self.rest += os.read(self.inbox, 1 << 16)
        one, _, self.rest = self.rest.partition(b"\0")
        return json.loads(one)

    def open(self, path, width, height=800, *, dark=False):
        """Load a file at a width in pixels; of a phone if it is less than 600."""
        self.events.clear()
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Page.navigate", url=f"file://{path}")
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._next())

    def value(self, expression):
        """Return the value of an expression in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def requests(self):
        """Return the addresses that were asked for, without the page and its own data."""
        asked = [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in asked if not url.startswith(("file:", "data:"))]

    def complaints(self):
        """Return what the console and the log say, and what was thrown."""
        kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        return [event for event in self.events if event.get("method") in kinds]

    def screenshot(self):
        """Return the whole page as PNG."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def printed(self):
        """Return the page as PDF on A4."""
        found = self.ask(
            "Page.printToPDF",
            printBackground=True,
            preferCSSPageSize=True,
            paperWidth=8.27,
            paperHeight=11.69,
        )
        return base64.b64decode(found["data"])


@contextmanager
def browser():
    """Yield a tab of a fresh browser with a profile that is gone afterwards."""
    program = chromium()
    to_read, to_write = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = _started(program, profile, to_read[0], to_write[1])
        os.close(to_read[0])
        os.close(to_write[1])
        try:
            yield _tab(Tab(process, to_write[0], to_read[1]))
        finally:
            process.terminate()
            process.wait(PATIENCE)
            os.close(to_write[0])
            os.close(to_read[1])


def _started(program, profile, commands, answers):
    """Start the browser with its pipes at descriptors 3 and 4, where it looks for them."""
    line = f'exec "$@" 3<&{commands} 4>&{answers}'
    return subprocess.Popen(
        ["bash", "-c", line, "bash", program, *FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(commands, answers),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _tab(tab):
    target = tab.ask("Target.createTarget", url="about:blank")["targetId"]
    attached = tab.ask("Target.attachToTarget", targetId=target, flatten=True)
    tab.session = attached["sessionId"]
    for domain in ("Page", "Runtime", "Network", "Log"):
        tab.ask(f"{domain}.enable")
    return tab
