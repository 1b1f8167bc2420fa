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


if __name__ == "__main__":
    from hypercorn.__main__ import main

    threading.Thread(target=die_with_the_starter, daemon=True).start()
    sys.exit(main(sys.argv[2:]))
