"""From seen exchanges to findings: which of them the contract speaks of, and what is wrong on both sides.

``check``, ``client`` and ``proxy`` bring what they saw here.  Reading records is left to :mod:`mockserver.cassette`, every
rule to :mod:`mockserver.validation`.
"""
