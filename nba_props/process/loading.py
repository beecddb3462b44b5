"""Loading modules without looking for garbage among them: what is imported stays, and there is a lot of it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Inside, no garbage is collected; afterwards what was loaded is left out of collections, the one at exit included.

    A third of the CPU of loading Dagster, pandas and these definitions would be spent on it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
