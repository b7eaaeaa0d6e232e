"""A headless Chromium, driven over the DevTools protocol."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import websocket
from kit.web import opener

START_SECONDS = 60
WAIT_SECONDS = 60
#: Seconds without any request after which a page counts as loaded.
QUIET_SECONDS = 0.5
#: Seconds after which a request without an answer is not waited for any more.
PATIENCE_SECONDS = 5
#: What a page is made of. The browser tells nothing of the end of others: workers and streams.
AWAITED = {"Document", "Stylesheet", "Script", "Image", "Font", "XHR", "Fetch"}
# What moves or blinks would make two pictures of the same thing differ.
STILL = """
    *, *::before, *::after {
        animation-duration: 0s !important; animation-delay: 0s !important;
        transition-duration: 0s !important; transition-delay: 0s !important;
        caret-color: transparent !important; scroll-behavior: auto !important;
    }
    ::-webkit-scrollbar { display: none !important; }
"""


class PageError(Exception):
    """The page did not do what it should; the text says what."""


def _describe(details):
    """Return what JavaScript says of an exception."""
    return details.get("exception", {}).get("description") or details["text"]


class Browser:
    """One page of a browser.

    :param websocket.WebSocket connection: to the page's DevTools.
    """

    def __init__(self, connection):
        self._connection = connection
        self._last_id = 0
        self._open_requests = {}
        self._last_traffic = time.monotonic()
        self.size = None
        #: What the page has complained about, for whoever looks at the pictures.
        self.complaints = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setTimezoneOverride", timezoneId="Europe/Paris")
        self.call("Emulation.setLocaleOverride", locale="fr-FR")
        self.call(
            "Page.addScriptToEvaluateOnNewDocument",
            source=f"""
            document.addEventListener('DOMContentLoaded', () => {{
                const style = document.createElement('style');
                style.textContent = {json.dumps(STILL)};
                document.head.append(style);
            }});
        """,
        )

    # -- protocol ----------------------------------------------------------

    def call(self, method, **parameters):
        """Call a method of the protocol.

        :return: the result, a dictionary.
        :raise PageError: when the browser refuses.
        """
        self._last_id += 1
        self._connection.settimeout(WAIT_SECONDS)
        self._send(self._last_id, method, parameters)
        while True:
            message = json.loads(self._connection.recv())
            if message.get("id") == self._last_id:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._event(message)

    def _send(self, number, method, parameters):
        self._connection.send(
            json.dumps({"id": number, "method": method, "params": parameters})
        )

    def _event(self, message):
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            if parameters.get("type") in AWAITED:
                self._last_traffic = self._open_requests[parameters["requestId"]] = (
                    time.monotonic()
                )
        elif method in ("Network.loadingFinished", "Network.loadingFailed"):
            self._open_requests.pop(parameters["requestId"], None)
            self._last_traffic = time.monotonic()
        elif method == "Page.frameNavigated" and "parentId" not in parameters["frame"]:
            self._open_requests.clear()
        elif method == "Page.javascriptDialogOpening":
            # "Leave without saving?"
            self._send(0, "Page.handleJavaScriptDialog", {"accept": True})
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(_describe(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in (
            "error",
            "assert",
        ):
            self.complaints.append(
                " ".join(
                    str(item.get("value", item.get("description")))
                    for item in parameters["args"]
                )
            )

    def _listen(self, seconds):
        """Take in what the browser tells for a moment."""
        self._connection.settimeout(seconds)
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            self._event(json.loads(self._connection.recv()))

    # -- pages -------------------------------------------------------------

    def resize(self, size):
        """Show the pages on another screen from now on."""
        self.size = size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=size.width,
            height=size.height,
            deviceScaleFactor=size.scale,
            mobile=size.phone,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=size.phone)

    def open(self, url, selector):
        """Open a page.

        :param str selector: what is there once it has loaded.
        """
        self._open_requests.clear()
        # An address that differs after "#" only, or not at all, would not be loaded anew.
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.wait(selector)

    def evaluate(self, expression):
        """Evaluate a JavaScript expression in the page; one that is a promise is awaited.

        :return: its value.
        :raise PageError: when it throws.
        """
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise PageError(_describe(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_for(self, expression, what):
        """Wait until an expression is true.

        :param str expression: in JavaScript.
        :param str what: what is waited for, for the message.
        :raise PageError: when it takes too long.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.evaluate(expression):
                    return
            except PageError:
                # The page is just being left.
                pass
            self._listen(0.1)
        raise PageError(f"{what} did not appear at {self.evaluate('location.href')}")

    def wait(self, selector):
        """Wait until something is there and the page has come to rest."""
        self.wait_for(
            f"Boolean(document.querySelector({json.dumps(selector)}))", selector
        )
        self.rest()

    def rest(self):
        """Wait until nothing is loaded any more and everything is drawn."""
        deadline = time.monotonic() + WAIT_SECONDS
        self._last_traffic = max(
            self._last_traffic, time.monotonic() - QUIET_SECONDS / 2
        )
        while time.monotonic() < deadline:
            self._listen(0.1)
            now = time.monotonic()
            waiting = any(
                now - start < PATIENCE_SECONDS for start in self._open_requests.values()
            )
            if not waiting and now - self._last_traffic > QUIET_SECONDS:
                break
        self.evaluate("""Promise.all([
            document.fonts.ready,
            ...[...document.images]
                .filter((image) => image.loading !== 'lazy')
                .map((image) => image.decode().catch(() => {})),
            new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
        ]).then(() => true)""")

    # -- hands -------------------------------------------------------------

    def click(self, selector):
        """Click on the first thing of that name which is to be seen."""
        found = json.dumps(selector)
        self.wait_for(
            f"""(() => {{
            const node = [...document.querySelectorAll({found})]
                .find((item) => item.checkVisibility());
            if (node) {{ node.scrollIntoView({{ block: 'center' }}); node.click(); }}
            return Boolean(node);
        }})()""",
            selector,
        )
        self.rest()

    def type(self, selector, text):
        """Replace what is in an input by a text, as a person would."""
        self.wait(selector)
        self.evaluate(
            f"(() => {{ const node = document.querySelector({json.dumps(selector)}); "
            "node.focus(); node.select(); })()"
        )
        self.call("Input.insertText", text=text)
        self.rest()

    # -- pictures ----------------------------------------------------------

    def picture(self, selector=None, margin=0):
        """Take a picture of the screen, or of one thing on it.

        :param str selector: that thing; what of it is beyond the screen is left out.
        :param int margin: what is shown around it, in CSS pixels.
        :return: a PNG, as bytes.
        :raise PageError: when it is not there.
        """
        clip = {}
        if selector:
            box = self.evaluate(f"""(() => {{
                const node = [...document.querySelectorAll({json.dumps(selector)})]
                    .find((item) => item.checkVisibility());
                if (!node) {{ return null; }}
                node.scrollIntoView({{ block: 'center' }});
                const box = node.getBoundingClientRect();
                const {{ left, right, top, bottom }} = box;
                return {{ left, right, top, bottom }};
            }})()""")
            if not box:
                raise PageError(f"{selector} is not there to be photographed")
            left = max(0, box["left"] - margin)
            right = min(self.size.width, box["right"] + margin)
            top = max(0, box["top"] - margin)
            bottom = min(self.size.height, box["bottom"] + margin)
            clip = {
                "clip": {
                    "x": left,
                    "y": top,
                    "width": right - left,
                    "height": bottom - top,
                    "scale": 1,
                }
            }
        return base64.b64decode(
            self.call("Page.captureScreenshot", format="png", **clip)["data"]
        )

    def overflow(self):
        """Tell what is wider than the screen.

        :return: how many CSS pixels the page can be moved sideways.
        """
        return self.evaluate(
            "Math.max(0, document.documentElement.scrollWidth - innerWidth)"
        )


@contextlib.contextmanager
def running(program):
    """Run a browser for as long as the block lasts.

    :param str program: Chromium or Chrome.
    :return: a :class:`Browser`, as the context's value.
    """
    directory = tempfile.mkdtemp(prefix="sms_ovh-chromium-")
    command = [
        program,
        "--headless",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
        "--font-render-hinting=none",
        "--lang=fr-FR",
        "--accept-lang=fr-FR",
        f"--user-data-dir={directory}",
        "--remote-debugging-port=0",
        "about:blank",
    ]
    if os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        connection = websocket.create_connection(
            _page_address(process, Path(directory)),
            suppress_origin=True,
            timeout=WAIT_SECONDS,
        )
        try:
            yield Browser(connection)
        finally:
            connection.close()
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _page_address(process, directory):
    """Wait for the browser.

    :return: the address of its page's DevTools.
    """
    port_file = directory / "DevToolsActivePort"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        lines = port_file.read_text().split() if port_file.exists() else []
        if len(lines) == 2:
            with opener.open(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                for target in json.load(answer):
                    if target["type"] == "page":
                        return target["webSocketDebuggerUrl"]
        time.sleep(0.1)
    raise PageError("the browser did not start")
