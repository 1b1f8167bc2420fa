"""Runs the emulator and dies with whoever started it.

The starter holds the other end of stdin. When it ends, however it ends, a kill -9 included, stdin closes and this process kills its own group: the
emulator and every Lambda it runs. State is thrown away at each start, so there is nothing to save.

Usage: emulator.py <state directory> <hypercorn arguments...>   (the directory is there for the process list: it says whose emulator this is)
"""
import os
import signal
import sys
import threading


def die_with_the_starter() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def fetch_keys_of_pools_without_tls(plain: str) -> None:
    """An authorizer asks this very process for the keys of its pool, always over plain HTTP: it is sent to the listener that speaks it."""
    from urllib.parse import urlsplit

    import ministack.app  # noqa: F401  (in the order in which the server itself loads it)
    from ministack.services import apigateway

    fetch = apigateway._fetch_jwks
    own = f"127.0.0.1:{os.environ['GATEWAY_PORT']}"
    apigateway._fetch_jwks = lambda url: fetch(url.replace(own, plain, 1) if urlsplit(url).netloc == own else url)


if __name__ == "__main__":
    from hypercorn.__main__ import main

    fetch_keys_of_pools_without_tls(sys.argv[sys.argv.index("--insecure-bind") + 1])

    threading.Thread(target=die_with_the_starter, daemon=True).start()
    sys.exit(main(sys.argv[2:]))
