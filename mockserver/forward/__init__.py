"""Forwarding: every message goes on as it came, and what went by is handed over when it is done.

What the exchanges mean, and the decision to hold one back, are left to :mod:`mockserver.proxy`.
"""
