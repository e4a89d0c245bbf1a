"""Somebody's program against a mock of its own: run it, see what it sent, say what of that breaks the contract.

The mock is :mod:`mockserver.server`, the rules are :mod:`mockserver.validation`; how a report looks is left to
``mockserver.reports``.
"""
