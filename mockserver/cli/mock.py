"""``mock``: serve a contract until interrupted.  What is answered is left to the server."""

from __future__ import annotations

from typing import Literal

import click

from mockserver.cli.values import Seconds, Whole, variable


@click.command("mock")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=Whole(0, 65535), default=4010, show_default=True, help="0 takes a free port.")
@click.option("--contract", metavar="NAME_OR_PATH", help="A shipped contract, a folder or an OpenAPI 3.1 file.")
@click.option("--scenario", metavar="NAME", help="Answer by this scenario of the contract.")
@click.option("--seed", type=int, metavar="N", help="Give the same answer to the same request, always.")
@click.option("--workers", type=Whole(1, 64), default=1, show_default=True, help="Processes that serve.")
@click.option(
    "--state",
    metavar="PLACE",
    help="Where workers share journal and scenarios: a file, or redis://HOST for several machines; else a temporary file.",
)
@click.option(
    "--on-violation",
    type=click.Choice(["enforce", "report", "ignore"]),
    default="enforce",
    show_default=True,
    help="What happens to a request that breaks the contract: refuse it, serve and record it, or do not look.",
)
@click.option(
    "--api-key-env", type=variable, metavar="NAME", help="Environment variable that holds the only valid key."
)
@click.option("--replay", metavar="CASSETTE", help="Give recorded answers to the requests that a cassette holds.")
@click.option(
    "--delay",
    type=Seconds(0, 3600),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long before every answer; in a stream before every event.",
)
@click.option(
    "--request-timeout",
    type=Seconds(0, 86_400),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a request may take to arrive, and a second more per 1000 bytes; then it gets a 408. 0: for ever.",
)
@click.option(
    "--send-timeout",
    type=Seconds(0, 86_400),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a client may take to read an answer, likewise; then its connection is reset. 0: for ever.",
)
@click.option(
    "--image-style",
    type=click.Choice(["scene", "plain"]),
    default="scene",
    show_default=True,
    help="How pictures are drawn: a scene with the prompt in it, or one colour, for load tests.",
)
@click.option("--watch", is_flag=True, help="Read the contract again when a file of it changes.")
def command(
    host: str,
    port: int,
    contract: str | None,
    scenario: str | None,
    seed: int | None,
    workers: int,
    state: str | None,
    on_violation: Literal["enforce", "report", "ignore"],
    api_key_env: str | None,
    image_style: Literal["scene", "plain"],
    watch: bool,
    replay: str | None,
    delay: float,
    request_timeout: float,
    send_timeout: float,
) -> None:
    """Serve the mock.

    The first line on stdout is the base URL, printed when the mock is ready. Ctrl-C stops it.
    """
    from mockserver.cli.keys import required
    from mockserver.cli.proof import prove
    from mockserver.server import serve
    from mockserver.settings import Settings

    prove(contract)
    serve(
        Settings(
            contract=contract,
            host=host,
            port=port,
            scenario=scenario,
            seed=seed,
            workers=workers,
            state=state,
            on_violation=on_violation,
            api_key=required(api_key_env) if api_key_env else None,
            watch=watch,
            replay=replay,
            delay=delay,
            request_timeout=request_timeout,
            send_timeout=send_timeout,
            image_style=image_style,
        )
    )
