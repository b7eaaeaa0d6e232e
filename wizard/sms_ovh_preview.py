from difflib import SequenceMatcher

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.client_actions import open_dialog
from ..tools.gsm7_filling import OFF
from ..tools.number_country import get_country_code
from ..tools.sms_segments import count_segments, split_segments


class SmsOvhPreview(models.TransientModel):
    """A campaign as a recipient's phone shows it."""

    _name = "sms.ovh.preview"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Preview of an SMS Campaign"

    _sms_ovh_guarded_links = {"mailing_id": "write"}

    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, readonly=True, ondelete="cascade"
    )
    position = fields.Integer(default=1)
    count = fields.Integer(compute="_compute_count")
    resource_ref = fields.Reference(
        selection="_selection_target_model",
        string="Recipient",
        compute="_compute_resource_ref",
        store=True,
        readonly=False,
    )
    content = fields.Json(compute="_compute_content")

    @api.model
    def _selection_target_model(self):
        # sudo: names of models.
        models_sudo = self.env["ir.model"].sudo().search_fetch([], ["model", "name"])
        return [(model.model, model.name) for model in models_sudo]

    def _get_recipients(self):
        """Return the ids of the campaign's recipients, in its order."""
        return self.mailing_id._sms_ovh_as_sent()._get_recipients()

    @api.depends("mailing_id")
    def _compute_count(self):
        for preview in self:
            preview.count = len(preview._get_recipients())

    @api.depends("mailing_id", "position")
    def _compute_resource_ref(self):
        for preview in self:
            ids = preview._get_recipients()
            if not ids:
                preview.resource_ref = False
            elif 0 < preview.position <= len(ids):
                model = preview.mailing_id.mailing_model_real
                preview.resource_ref = f"{model},{ids[preview.position - 1]}"

    @api.onchange("resource_ref")
    def _onchange_resource_ref(self):
        """Continue from the recipient that the user chose."""
        if self.resource_ref:
            ids = self._get_recipients()
            position = 0
            if self.resource_ref.id in ids:
                position = ids.index(self.resource_ref.id) + 1
            if position != self.position:
                self.position = position

    @api.depends("mailing_id", "resource_ref")
    @api.depends_context("lang")
    def _compute_content(self):
        for preview in self:
            preview.content = preview._prepare_content()

    def _prepare_content(self):
        """Return what the phone shows, as plain text: the view escapes it.

        :rtype: dict
        """
        self.ensure_one()
        mailing = self.mailing_id
        # sudo: the sender of the account that sends.
        sender_sudo = mailing.sudo().sms_ovh_sender_id
        content = {"sender": sender_sudo.display_name or "", "parts": []}
        record = self.resource_ref
        if not record:
            content["error"] = self.env._(
                "Nobody is in the list: add recipients first."
            )
            return content
        try:
            record.check_access("read")
            content["name"] = record.display_name
            # With the rights of the user who looks: nothing is sent.
            theirs = mailing._sms_ovh_as_sent(self.env.user)
            (sms,) = theirs._sms_ovh_render(record.ids)
        except AccessError:
            content["error"] = self.env._(
                "You may not see this recipient. Choose another one."
            )
            return content
        except UserError as error:
            content["error"] = error.args[0]
            return content
        clause = sms.stop_clause
        # sudo: as above.
        sender_sudo = sender_sudo.browse(sms.sender_id or [])
        code = get_country_code(sms.number)
        notes = code and self.env["sms.ovh.exception"]._get_notes(
            mailing.sms_ovh_account_id, {code: (sender_sudo, sms.number)}
        )
        count = count_segments(sms.text, clause)
        parts = split_segments(sms.text, clause)
        content.update(
            number=sms.number or "",
            parts=parts,
            pieces=self._get_pieces(parts, sms),
            sender=sender_sudo.display_name or "",
            note=(notes or {}).get(code) or "",
            segments=count.segments,
            units=count.units,
            encoding=count.encoding,
        )
        if sms.several:
            content["note"] = self.env._(
                "Several numbers in one field: the first mobile gets the SMS."
            )
        if not self.position:
            content["reason"] = self.env._("Not a recipient of this campaign")
        elif sms.reason:
            reason_field = self.env["sms.ovh.estimate.line"]._fields["reason"]
            labels = dict(reason_field._description_selection(self.env))
            content["reason"] = labels.get(sms.reason) or sms.reason
        return content

    @api.model
    def _get_pieces(self, parts, sms):
        """Return the pieces of each part, cut where characters were replaced.

        :param list parts: texts of the parts
        :param sms: the `RenderedSms` that was split
        :return: for each part, dicts with ``text`` and, if it replaces something,
            ``original``
        :rtype: list[list[dict]]
        """
        original = (sms.texts or {}).get(OFF, sms.text)
        matcher = SequenceMatcher(None, original, sms.text, autojunk=False)
        replaced = [
            (start, end, original[first:last])
            for kind, first, last, start, end in matcher.get_opcodes()
            if kind == "replace"
        ]
        pieces = []
        offset = 0
        for part in parts:
            pieces.append([])
            position = 0
            for start, end, instead_of in replaced:
                # Stay within this part: the replacement of one letter may be split.
                start = max(start - offset, position)
                end = min(end - offset, len(part))
                if start >= end:
                    continue
                if start > position:
                    pieces[-1].append({"text": part[position:start]})
                pieces[-1].append({"text": part[start:end], "original": instead_of})
                position = end
            if position < len(part):
                pieces[-1].append({"text": part[position:]})
            offset += len(part)
        return pieces

    def _open(self):
        self.ensure_one()
        return open_dialog(
            self.env._("Preview"), self._name, self.id, dialog_size="medium"
        )

    def action_test(self):
        """Send this text to one's own number."""
        self.ensure_one()
        self.check_access("write")
        action = self.mailing_id.action_sms_ovh_test()
        if self.resource_ref:
            reference = f"{self.resource_ref._name},{self.resource_ref.id}"
            action["context"] = {
                **action["context"],
                "default_sms_ovh_resource_ref": reference,
            }
        return action
