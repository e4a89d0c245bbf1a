"""A copy of the documented image endpoint that is faithful in many ways and faulty in many more.

The contract suite is measured on it, so it shares nothing with the suite: it knows the documented page by itself, uses
the standard library alone, and speaks HTTP from bare streams. The server is started by ``tests.faulty.server.serve``.
"""

from __future__ import annotations

from tests.faulty.fault import Fault
from tests.faulty.faults import catalogue
from tests.faulty.profiles import PROFILES, Profile

FAULTS: dict[str, Fault] = catalogue()

__all__ = ["FAULTS", "PROFILES", "Fault", "Profile"]
