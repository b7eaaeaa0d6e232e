"""A headless Chromium, driven by Playwright."""

import base64
import contextlib
import json
import time

from kit.system import is_root
from kit.ui import Problem
from playwright.sync_api import Error, sync_playwright

WAIT_SECONDS = 60
#: Seconds without any request after which a page counts as loaded.
QUIET_SECONDS = 0.5
#: Seconds after which a request without an answer is not waited for any more.
PATIENCE_SECONDS = 5
#: What a page is made of. Others have no end: workers and streams.
AWAITED = {"document", "stylesheet", "script", "image", "font", "xhr", "fetch"}
# What moves or blinks would make two pictures of the same thing differ.
STILL = """
    *, *::before, *::after {
        animation-duration: 0s !important; animation-delay: 0s !important;
        transition-duration: 0s !important; transition-delay: 0s !important;
        caret-color: transparent !important; scroll-behavior: auto !important;
    }
    ::-webkit-scrollbar { display: none !important; }
"""
STYLE = f"""
    document.addEventListener('DOMContentLoaded', () => {{
        const style = document.createElement('style');
        style.textContent = {json.dumps(STILL)};
        document.head.append(style);
    }});
"""
# When everything is drawn.
DRAWN = """() => Promise.all([
    document.fonts.ready,
    ...[...document.images]
        .filter((image) => image.loading !== 'lazy')
        .map((image) => image.decode().catch(() => {})),
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
]).then(() => true)"""


class PageError(Problem):
    """The page did not do what it should; the text says what."""


class Browser:
    """One page of a browser, by Playwright's."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(1000 * WAIT_SECONDS)
        #: The protocol below Playwright.
        self.devtools = page.context.new_cdp_session(page)
        self._open_requests = {}
        self._last_traffic = time.monotonic()
        self.size = None
        #: What the page has complained about, for whoever looks at the pictures.
        self.complaints = []
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)
        # "Leave without saving?"
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.add_init_script(STYLE)

    def _begin(self, request):
        if request.resource_type in AWAITED:
            self._last_traffic = self._open_requests[request] = time.monotonic()

    def _end(self, request):
        self._open_requests.pop(request, None)
        self._last_traffic = time.monotonic()

    def _hear(self, message):
        if message.type in ("error", "assert"):
            self.complaints.append(message.text)

    def resize(self, size):
        """Show the pages on another screen from now on."""
        self.size = size
        self.devtools.send(
            "Emulation.setDeviceMetricsOverride",
            {
                **{"width": size.width, "height": size.height},
                **{"deviceScaleFactor": size.scale, "mobile": size.phone},
            },
        )
        touch = {"enabled": size.phone}
        self.devtools.send("Emulation.setTouchEmulationEnabled", touch)

    def open(self, url, selector):
        """Open a page, and wait for what is there once it has loaded."""
        # An address that differs after "#" only, or not at all, would not be loaded anew.
        self.page.goto("about:blank")
        self._open_requests.clear()
        self.page.goto(url)
        self.wait(selector)

    def evaluate(self, expression):
        """Evaluate a JavaScript expression in the page; one that is a promise is awaited."""
        return self.page.evaluate(expression)

    def wait(self, selector):
        """Wait until something is there and the page has come to rest."""
        self.page.wait_for_selector(selector, state="attached")
        self.rest()

    def rest(self):
        """Wait until nothing is loaded any more and everything is drawn."""
        now = time.monotonic()
        deadline = now + WAIT_SECONDS
        self._last_traffic = max(self._last_traffic, now - QUIET_SECONDS / 2)
        busy = True
        while busy and time.monotonic() < deadline:
            self.page.wait_for_timeout(100)
            now = time.monotonic()
            busy = now - self._last_traffic < QUIET_SECONDS or any(
                now - start < PATIENCE_SECONDS for start in self._open_requests.values()
            )
        try:
            self.evaluate(DRAWN)
        except Error:
            # The page was just being left.
            self.page.wait_for_load_state()
            self.evaluate(DRAWN)

    def _find(self, selector):
        """Return the first thing of that name which is to be seen, in the middle."""
        found = self.page.locator(selector).locator("visible=true").first
        found.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
        return found

    def click(self, selector):
        """Click on the first thing of that name which is to be seen."""
        self._find(selector).dispatch_event("click")
        self.rest()

    def type(self, selector, text):
        """Replace what is in an input by a text, as a person would."""
        self.wait(selector)
        found = self.page.locator(selector).first
        found.evaluate("(node) => { node.focus(); node.select(); }")
        self.page.keyboard.insert_text(text)
        self.rest()

    def picture(self, selector=None, margin=0):
        """Take a picture of the screen, or of one thing on it, and return it as a PNG.

        :param str selector: that thing; what of it is beyond the screen is left out.
        :param int margin: what is shown around it, in CSS pixels.
        """
        options = {"format": "png"}
        if selector:
            box = self._find(selector).bounding_box()
            left, top = max(0, box["x"] - margin), max(0, box["y"] - margin)
            right = min(self.size.width, box["x"] + box["width"] + margin)
            bottom = min(self.size.height, box["y"] + box["height"] + margin)
            size = {"width": right - left, "height": bottom - top, "scale": 1}
            options["clip"] = {"x": left, "y": top, **size}
        # Not by Playwright, which knows nothing of the screen that is shown here.
        data = self.devtools.send("Page.captureScreenshot", options)["data"]
        return base64.b64decode(data)

    def overflow(self):
        """Return how many CSS pixels the page can be moved sideways."""
        return self.evaluate(
            "Math.max(0, document.documentElement.scrollWidth - innerWidth)"
        )


@contextlib.contextmanager
def running(program):
    """Have a :class:`Browser`, Chromium or Chrome, for as long as the block lasts."""
    options = ("--force-color-profile=srgb", "--font-render-hinting=none")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=options, chromium_sandbox=not is_root()
        )
        try:
            context = browser.new_context(
                no_viewport=True, locale="fr-FR", timezone_id="Europe/Paris"
            )
            yield Browser(context.new_page())
        except Error as error:
            raise PageError(error.message) from error
        finally:
            browser.close()
