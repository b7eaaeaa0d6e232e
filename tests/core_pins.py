"""Pins: what the source of core was that the addon overrides or relies upon.

``tests/core_pins.json`` keeps a hash of each definition. ``./dev/pins`` writes it
anew, and ``tests/test_core_pins.py`` names what differs from it.
"""

import hashlib
import inspect
import json
import re
import sys
from pathlib import Path

from odoo.models import BaseModel
from odoo.modules import Manifest
from odoo.tools.misc import file_path

ADDON = __name__.split(".")[2]
ROOT = Path(__file__).resolve().parent.parent
PINS = Path(__file__).with_name("core_pins.json")
OWN = f"odoo.addons.{ADDON}."
# Methods of the ORM: made to be overridden, and of each of Odoo's addons a little.
ORM_METHODS = frozenset(
    name for name, value in vars(BaseModel).items() if callable(value)
)
# Addons each of whose definitions counts. Of the others' only where a method begins:
# what they add to it by `super()` is no concern of ours.
SMS_ADDONS = ("mass_mailing", "mass_mailing_sms", "phone_validation", "sms")
# What is called, or copied in part, without being overridden. A name that is
# overridden as well is pinned once.
RELIED_UPON = {
    "mail.render.mixin": ("_render_template_inline_template",),
    "mail.thread.phone": ("_phone_format",),
    "mail.notification": ("_filtered_for_web_client",),
    "mail.thread": (
        "_message_sms",
        "_message_sms_schedule_mass",
        "_message_sms_with_template",
        "_notify_thread_by_sms",
        "_sms_get_recipients_info",
    ),
    "mailing.mailing": (
        "_get_opt_out_list_sms",
        "_get_recipients",
        "_get_remaining_recipients",
        "_get_seen_list_sms",
        "_process_mass_mailing_queue",
        "_compute_sms_has_iap_failure",
        "_send_sms_get_composer_values",
        "action_compare_versions",
        "action_put_in_queue",
        "action_send_sms",
        "convert_links",
    ),
    "mailing.sms.test": ("action_send_sms",),
    "ir.actions.server": ("_run_action_sms_multi",),
    "sms.composer": (
        "_action_send_sms",
        "_action_send_sms_comment",
        "_action_send_sms_mass",
        "_action_send_sms_numbers",
        "_compute_body",
        "_filter_out_and_handle_revoked_sms_values",
        "_get_blacklist_record_ids",
        "_prepare_mass_sms",
        "_prepare_mass_sms_trace_values",
        "_prepare_mass_sms_values",
        "_prepare_recipient_values",
    ),
    "sms.sms": (
        "_get_send_batch_size",
        "_process_queue",
        "_send",
        "_send_with_api",
        "_split_by_api",
        "_update_sms_state_and_trackers",
        "resend_failed",
        "send",
    ),
    "sms.tracker": (
        "_action_update_from_provider_error",
        "_action_update_from_sms_state",
        "_update_sms_notifications",
        "_update_sms_traces",
    ),
}
# What JavaScript calls or extends, besides what a `patch` or `t-inherit` names.
RELIED_UPON_FILES = (
    "mass_mailing_sms/static/src/components/sms_widget/fields_sms_widget.js",
    "sms/static/src/components/sms_widget/fields_sms_widget.xml",
)


def _hash(text):
    """Hash source, but no blank lines, indentation or lines of comment."""
    lines = (line.strip() for line in text.splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith("#"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _get_dependencies(name=ADDON):
    """Return the names of the modules that the addon needs, and of what these need."""
    found = set()
    todo = [name]
    while todo:
        for dependency in Manifest.for_addon(todo.pop())["depends"]:
            if dependency not in found:
                found.add(dependency)
                todo.append(dependency)
    return found | {"base"}


def _get_function(definition):
    """Return the plain function of what a class has under a name, None for the rest."""
    if isinstance(definition, staticmethod | classmethod):
        definition = definition.__func__
    elif isinstance(definition, property):
        definition = definition.fget
    definition = inspect.unwrap(definition) if callable(definition) else None
    return definition if inspect.isfunction(definition) else None


def _get_addon(cls):
    """Return the addon that defines a class, "base" for Odoo's framework."""
    module = cls.__module__
    return module.split(".")[2] if module.startswith("odoo.addons.") else "base"


def _get_name(cls):
    """Return how a class of core is called: by its module, and its model if any."""
    return f"{cls.__module__.removeprefix('odoo.addons.')}:{cls.__name__}"


class CorePins:
    """What there is to pin in a database's registry.

    :param env: any environment
    """

    def __init__(self, env):
        self.env = env
        self.dependencies = _get_dependencies()
        # (our file, class or model, method) of each override
        self.overrides = set()
        # Source by "module:Class.method" or by file.
        self.sources = {}
        self._add_models()
        self._add_classes()
        self._add_relied_upon()
        self._add_files()

    @property
    def hashes(self):
        """Hashes by what is pinned."""
        return {name: _hash(text) for name, text in sorted(self.sources.items())}

    def _get_core(self, name, classes):
        """Return which of these classes define a method.

        :param str name: the method's
        :param classes: in the order of `super()`
        :rtype: list
        """
        return [
            cls
            for cls in classes
            if name in vars(cls)
            and _get_function(vars(cls)[name])
            and cls.__module__.startswith("odoo.")
            and not cls.__module__.startswith(OWN)
            # Others come and go with the database.
            and _get_addon(cls) in self.dependencies
        ]

    def _get_pinned(self, name, definers):
        """Return those of the classes that define a method which concern us."""
        of_sms = [cls for cls in definers if _get_addon(cls) in SMS_ADDONS]
        if name in ORM_METHODS:
            return of_sms
        return of_sms + [cls for cls in definers[-1:] if cls not in of_sms]

    def _add_source(self, cls, name):
        function = _get_function(vars(cls)[name])
        self.sources[f"{_get_name(cls)}.{name}"] = inspect.getsource(function)

    def _add_overridden(self, cls, bases):
        """Pin each definition of core that one of our classes stands before.

        :param cls: our class
        :param bases: the classes behind it
        """
        for name, definition in vars(cls).items():
            if name.startswith("__") or not _get_function(definition):
                continue
            behind = self._get_core(name, bases)
            owner = getattr(cls, "_name", cls.__name__)
            # Of our own models the methods that every model has are ours.
            is_ours = owner.startswith("sms.ovh.") and (
                name in ORM_METHODS
                or all(getattr(base, "_name", None) == "base" for base in behind)
            )
            if behind and not is_ours:
                self.overrides.add((cls.__module__.removeprefix(OWN), owner, name))
            for base in self._get_pinned(name, behind):
                self._add_source(base, name)

    def _add_models(self):
        for model_class in self.env.registry.values():
            mro = model_class.__mro__
            for index, cls in enumerate(mro):
                if cls.__module__.startswith(OWN):
                    self._add_overridden(cls, mro[index + 1 :])

    def _add_classes(self):
        """Those that are no models: providers, controllers, fields."""
        for module_name, module in list(sys.modules.items()):
            if not module_name.startswith(OWN) or ".tests" in module_name:
                continue
            for cls in vars(module).values():
                if (
                    inspect.isclass(cls)
                    and cls.__module__ == module_name
                    and not issubclass(cls, BaseModel)
                ):
                    self._add_overridden(cls, cls.__mro__[1:])

    def _add_relied_upon(self):
        for model_name, names in RELIED_UPON.items():
            for name in names:
                bases = self._get_core(name, type(self.env[model_name]).__mro__)
                bases = self._get_pinned(name, bases)
                for base in bases:
                    self._add_source(base, name)
                if not bases:
                    self.sources[f"{model_name}.{name}"] = "is gone"

    def _add_files(self):
        """Pin the files of core whose JavaScript or templates ours change."""
        for path in {*RELIED_UPON_FILES, *self._get_changed_files()}:
            try:
                self.sources[path] = Path(file_path(path)).read_text(encoding="utf-8")
            except FileNotFoundError:
                self.sources[path] = "is gone"

    def _get_changed_files(self):
        for path in (ROOT / "static" / "src").rglob("*.js"):
            text = path.read_text(encoding="utf-8")
            imported = {
                name.strip(): f"{addon}/static/src/{rest}.js"
                for names, addon, rest in re.findall(
                    r'import \{([^}]*)\} from "@(\w+)/([^"]+)"', text
                )
                if addon != "odoo"  # owl, a library
                for name in names.split(",")
            }
            for name in re.findall(r"\bpatch\((\w+)|\bextends (\w+)", text):
                changed = imported.get("".join(name))
                if changed:
                    yield changed
        for path in (ROOT / "static" / "src").rglob("*.xml"):
            text = path.read_text(encoding="utf-8")
            for template in re.findall(r't-inherit="([^"]+)"', text):
                addon = template.split(".")[0]
                folder = Path(file_path(f"{addon}/static/src"))
                for other in folder.rglob("*.xml"):
                    if f't-name="{template}"' in other.read_text(encoding="utf-8"):
                        yield f"{addon}/static/src/{other.relative_to(folder)}"


def read_pins():
    """Return what is kept: ``overridden``, a number, and ``hashes``."""
    return json.loads(PINS.read_text(encoding="utf-8"))


def write_pins(env):
    """Keep what is now. See `dev/pins`.

    :param env: any environment
    :return: what differs from what was kept, a line each
    :rtype: list[str]
    """
    old = read_pins() if PINS.exists() else {"overridden": 0, "hashes": {}}
    found = CorePins(env)
    new = {"overridden": len(found.overrides), "hashes": found.hashes}
    PINS.write_text(json.dumps(new, indent=4) + "\n", encoding="utf-8")
    lines = [
        f"{name}: {what}"
        for what, names in (
            ("new", new["hashes"].keys() - old["hashes"].keys()),
            ("gone", old["hashes"].keys() - new["hashes"].keys()),
            (
                "changed",
                {
                    name
                    for name, value in new["hashes"].items()
                    if old["hashes"].get(name, value) != value
                },
            ),
        )
        for name in sorted(names)
    ]
    return [
        *lines,
        f"{new['overridden']} definitions of core are overridden"
        f" ({old['overridden']} before)",
    ]
