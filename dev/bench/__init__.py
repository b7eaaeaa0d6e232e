"""Benchmarks. Each prints its figures beside what is asked of them.

``dev/bench/run NAME`` runs those that need Odoo; ``segments.py`` and
``simulator_load.py`` need none and are run by themselves.
"""
