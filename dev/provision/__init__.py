"""The development platform: where Odoo, Python packages and PostgreSQL come from.

It runs before anything is installed, so it uses the standard library only.
"""
