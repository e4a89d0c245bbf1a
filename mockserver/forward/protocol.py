"""HTTP on the proxy's own side: uvicorn's protocol, which loses the body of a request that offers another protocol."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mockserver.upgrades import declined


class DecliningProtocol(HttpToolsProtocol):
    """Takes no offer of another protocol."""

    def data_received(self, data: bytes) -> None:
        """Parse; between requests, whatever comes is the beginning of one."""
        idle = self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)
        super().data_received(declined(data) if idle else data)
