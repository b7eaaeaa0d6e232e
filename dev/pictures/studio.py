"""Odoo and the simulator as the photographer uses them.

Nothing here goes by a text that is translated: fields, XML ids, buttons' names and
Odoo's own classes only.
"""

import argparse
import contextlib
import io
import shutil
import time

from PIL import Image

from .browser import PageError, running
from .screen import DESKTOP, PHONE

#: Bytes that a picture may have, so that a README can carry it.
LARGEST = 150 * 1024
#: Colours kept, from the best looking on.
COLOURS = (256, 128, 64)
LOGIN = "admin"
PASSWORD = "admin"
WAIT_SECONDS = 120


def reduce_colours(data):
    """Return a PNG with fewer colours, as far as its size asks for."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    for colours in COLOURS:
        out = io.BytesIO()
        # Without dithering: its noise would cost more than the colours save.
        image.quantize(
            colours,
            method=Image.Quantize.MAXCOVERAGE,
            kmeans=3,
            dither=Image.Dither.NONE,
        ).save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST:
            return out.getvalue()
    raise PageError(f"{out.tell() // 1024} KiB, more than {LARGEST // 1024}")


class Studio:
    """A browser that is logged in to the demonstration, and the simulated OVHcloud."""

    def __init__(self, page, odoo, simulator, directory):
        self.page = page
        self.odoo = odoo
        self.simulator = simulator
        self.directory = directory
        #: Name of each picture taken, with its size in bytes.
        self.taken = {}
        #: What is wrong with what the pictures show, as far as a program can tell.
        self.remarks = []

    # -- Odoo --------------------------------------------------------------

    def log_in(self):
        """Log in, the way everybody does."""
        self.page.resize(DESKTOP)
        self.page.open(f"{self.odoo}/web/login", "input[name=login]")
        self.page.type("input[name=login]", LOGIN)
        self.page.type("input[name=password]", PASSWORD)
        self.page.click(".oe_login_form button[type=submit]")
        self.page.wait(".o_main_navbar")

    def rpc(self, model, method, *arguments, **keywords):
        """Call a method of a model, as the user who is logged in, and return its result."""
        values = {"model": model, "method": method, "args": arguments}
        answer = self.page.page.request.post(
            f"{self.odoo}/web/dataset/call_kw/{model}/{method}",
            data={"jsonrpc": "2.0", "params": {**values, "kwargs": keywords}},
        ).json()
        if "error" in answer:
            raise PageError(answer["error"]["data"]["message"])
        return answer.get("result")

    def search(self, model, *domain, **keywords):
        """Return the ids of records."""
        return self.rpc(model, "search", list(domain), **keywords)

    def create(self, model, **values):
        """Create a record, and return its id."""
        return self.rpc(model, "create", [values])[0]

    def read(self, model, record, field):
        """Return a field of a record."""
        return self.rpc(model, "read", [record], [field])[0][field]

    def wait_until(self, condition, what):
        """Wait until a condition of something that Odoo does by itself is true."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise PageError(f"waited in vain for {what}")
            time.sleep(0.5)

    def ref(self, xml_id):
        """Return the id of the record that has an XML id, None without one."""
        module, name = xml_id.split(".")
        domain = [("module", "=", module), ("name", "=", name)]
        found = self.rpc("ir.model.data", "search_read", domain, ["res_id"])
        return found[0]["res_id"] if found else None

    def create_mailing(self, subject, text, **values):
        """Create a draft of an SMS campaign to mailing lists, and return its id."""
        return self.create(
            "mailing.mailing",
            subject=subject,
            mailing_type="sms",
            mailing_model_id=self.ref("mass_mailing.model_mailing_list"),
            body_plaintext=text,
            **values,
        )

    def open(self, path, selector=".o_view_controller"):
        """Open what is below ``/odoo/``, and wait for what is there once it has loaded."""
        self.page.open(f"{self.odoo}/odoo/{path}", selector)

    # -- pictures ----------------------------------------------------------

    def take(self, name, selector=None, **options):
        """Take a picture and keep it.

        :param str name: the file's, without ending.
        :param str selector: the thing to show, by default the whole screen.
        :param options: those of :meth:`Browser.picture`.
        """
        self.page.rest()
        if selector is None:
            self.page.evaluate("document.activeElement?.blur()")
            self.page.rest()
        data = reduce_colours(self.page.picture(selector, **options))
        (self.directory / f"{name}.png").write_bytes(data)
        self.taken[name] = len(data)
        overflow = self.page.overflow()
        if overflow:
            self.remarks.append(
                f"{name}: the page is {overflow} px wider than the screen"
            )
        self.remarks += [f"{name}: {complaint}" for complaint in self.page.complaints]
        self.page.complaints.clear()

    def on_both(self, path, name, selector=".o_view_controller", show=None):
        """Take the picture of a page of Odoo on a desktop and on a phone.

        :param str path: what comes after ``/odoo/``.
        :param str name: the file's; that of the phone ends in ``_phone``.
        :param str selector: what is there once it has loaded.
        :param str show: what to bring into view.
        """
        for ending in self.on_screens():
            self.open(path, selector)
            if show:
                self.page.evaluate(
                    f"document.querySelector({show!r}).scrollIntoView({{block: 'center'}})"
                )
            self.take(name + ending)

    def on_screens(self):
        """Show pages on a desktop, then on a phone; give the ending of a picture's name."""
        for size, ending in ((DESKTOP, ""), (PHONE, "_phone")):
            self.page.resize(size)
            yield ending
        self.page.resize(DESKTOP)


@contextlib.contextmanager
def visit(description, arguments=None):
    """Visit a running demonstration, as the command line says, by a :class:`Studio`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--odoo", default="http://localhost:8069", metavar="URL")
    parser.add_argument("--browser", default=None, metavar="PROGRAM")
    options = parser.parse_args(arguments)
    browser = options.browser or shutil.which("chromium") or shutil.which("chrome")
    with running(browser) as page:
        studio = Studio(page, options.odoo, None, None)
        studio.log_in()
        yield studio
