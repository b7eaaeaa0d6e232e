"""What is ordered inside Odoo: see :meth:`provision.platform.Platform.call`."""


def generate_assets(env):
    """Generate the assets of all pages, as Odoo does before its tests of pages."""
    env["ir.qweb"]._pregenerate_assets_bundles()
    env.cr.commit()
