"""Seals verdicts and reasons for the page, and arranges choices, by one small generator that the page has too.

A seal keeps the key out of sight: out of the saved notebook, the widget's state and the page's source. It is not
secrecy, because the page must open it at once, without asking the kernel; whoever wants to read the answers reads
the bank. `static/quiz.js` holds the other half and must give the same numbers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def numbers(seed: str) -> Iterator[int]:
    """Endless 24-bit numbers from an ASCII seed: FNV-1a into xorshift32.

    Sources: http://www.isthe.com/chongo/tech/comp/fnv/ and https://www.jstatsoft.org/article/view/v008i14
    """
    x = 2166136261
    for byte in seed.encode("ascii"):
        x = (x ^ byte) * 16777619 & 0xFFFFFFFF
    x = x or 1
    drawn = 0
    while True:
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        drawn += 1
        # Seeds that differ in their last character only need a few rounds to part.
        if drawn > 16:
            yield x >> 8


def seal(values: Mapping[str, Any]) -> dict[str, str]:
    """Seal values (anything JSON can say), each under its seed, so that their lengths do not tell them apart."""
    plain = {seed: json.dumps(value, ensure_ascii=False).encode() for seed, value in values.items()}
    longest = max(map(len, plain.values()), default=0)
    return {seed: base64.b64encode(_mixed(seed, text.ljust(longest))).decode() for seed, text in plain.items()}


def unseal(seed: str, sealed: str) -> Any:
    """The value that was sealed under this seed."""
    return json.loads(_mixed(seed, base64.b64decode(sealed)))


def _mixed(seed: str, text: bytes) -> bytes:
    return bytes(byte ^ number & 0xFF for byte, number in zip(text, numbers(seed), strict=False))


def arranged(things: Sequence[Any], seed: str) -> list[Any]:
    """The things in an order that the seed decides (Fisher and Yates)."""
    order, draw = list(things), numbers(seed)
    for last in range(len(order) - 1, 0, -1):
        other = next(draw) % (last + 1)
        order[last], order[other] = order[other], order[last]
    return order
