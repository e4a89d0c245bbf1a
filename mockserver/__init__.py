"""The mock server and everything that judges messages by a contract."""

__version__ = "0.1.0"
