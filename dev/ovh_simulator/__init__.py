"""A simulated OVHcloud SMS Pro: the API, the operators behind it and the phones at the end.

Start it with ``python -m ovh_simulator`` (``dev/`` on ``PYTHONPATH``);
``/simulator/help`` of a running simulator lists what can be ordered from it. ``seed``
and ``magic`` hold plain constants and can be imported without FastAPI.
"""
