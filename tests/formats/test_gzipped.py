"""Gzip streams: what goes in comes out, damage and cuts are seen, cores change nothing."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from faceblind.formats.gzipped import DamagedError, deflate, inflate

DATA = np.random.default_rng(0).integers(0, 40, 3 * 2**20 + 17, dtype=np.uint8).tobytes()


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, len(DATA)])
def test_round_trip_through_the_standard_library(size):
    packed = b"".join(deflate(DATA[:size]))
    assert gzip.decompress(packed) == DATA[:size]
    assert inflate(packed, max(size, 1024)) == (DATA[:size], True)


def test_the_number_of_cores_changes_nothing():
    assert b"".join(deflate(DATA, 1)) == b"".join(deflate(DATA, 3))


def test_no_more_than_asked_is_unpacked():
    packed = gzip.compress(DATA)
    assert inflate(packed, 5000) == (DATA[:5000], True)
    assert inflate(packed[:4000], 500) == (DATA[:500], True)


def test_several_members_and_padding():
    packed = gzip.compress(DATA[:2000]) + gzip.compress(DATA[2000:9000]) + bytes(512)
    assert inflate(packed, 9000) == (DATA[:9000], True)
    assert inflate(packed, 99_000) == (DATA[:9000], True)


def test_cuts_are_seen():
    packed = gzip.compress(DATA[:50_000])
    for end in (3, 12, 20_000, len(packed) - 8, len(packed) - 1):
        assert not inflate(packed[:end], 50_000)[1]


def test_damage_is_seen():
    packed = bytearray(gzip.compress(DATA[:50_000]))
    packed[-5] ^= 255
    with pytest.raises(DamagedError):
        inflate(bytes(packed), 50_000)
