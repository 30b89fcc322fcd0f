"""Keep native libraries from talking: some write straight to file descriptor 2, whatever they are told."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def libraries_muted() -> Iterator[None]:
    """Send what is written to standard error to nowhere; not for use while other threads write there."""
    stderr = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)
