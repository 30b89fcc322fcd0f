"""Keep native libraries from talking: some write straight to file descriptor 2, whatever they are told."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def libraries_muted() -> Iterator[None]:
    """Send what is written to standard error to nowhere; not for use while other threads write there.

    Where no file descriptor is free libraries may talk.
    """
    with ExitStack() as opened:
        try:
            stderr = os.dup(2)
            opened.callback(os.close, stderr)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            opened.callback(os.close, nowhere)
        except OSError:
            nowhere = stderr = 2
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
