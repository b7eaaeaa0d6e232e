"""Actions that a button returns to the web client."""

# What can follow a notification.
NEXT_ACTIONS = {
    "reload": {"type": "ir.actions.client", "tag": "soft_reload"},
    "close": {"type": "ir.actions.act_window_close"},
}


def notify(message, kind="success", then="reload", **params):
    """Return the action that shows `message` as a notification.

    :param str message: in the user's language
    :param str kind: 'success', 'info', 'warning' or 'danger', which stays until closed
    :param str|None then: what follows, a key of `NEXT_ACTIONS`; by default the form is
        reloaded
    :param params: further parameters of the notification
    :rtype: dict
    """
    params = {
        "type": kind,
        "message": message,
        "sticky": kind == "danger",
        **params,
    }
    if then:
        params["next"] = NEXT_ACTIONS[then]
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": params,
    }


def open_dialog(name, model, res_id=False, **context):
    """Return the action that opens a form in a dialog.

    :param str name: title of the dialog, in the user's language
    :param str model: model of the form
    :param int|bool res_id: id of the record, by default a new one
    :param context: the context to open it in
    :rtype: dict
    """
    return {
        "type": "ir.actions.act_window",
        "name": name,
        "res_model": model,
        "res_id": res_id,
        "view_mode": "form",
        "views": [(False, "form")],
        "target": "new",
        "context": context,
    }
