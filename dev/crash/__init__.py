"""The crash test: whatever dies while SMS are sent, each recipient gets each SMS once.

A private PostgreSQL cluster, the simulated OVHcloud and Odoo are started. Odoo is
loaded once, in :mod:`crash.host`, and each process that is to die is forked from it,
as Odoo's own prefork server makes its workers. When a scenario has run to its end, the
simulator's ledger and Odoo's records are compared number by number.

:mod:`crash.host`, :mod:`crash.lives` and :mod:`crash.steps` run inside Odoo; the rest
needs Python's standard library only.
"""
