"""Garbage is looked for again once the modules are loaded."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from nba_props.process.loading import without_collecting


def test_collections_pause_while_modules_load_and_are_on_afterwards_whatever_happens():
    with without_collecting():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), without_collecting():
        raise ImportError
    assert gc.isenabled()


def test_who_switched_them_off_finds_them_off():
    gc.disable()
    try:
        with without_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_definitions_load_so():
    code = "import gc; import nba_props.definitions; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True True\n"
    )
