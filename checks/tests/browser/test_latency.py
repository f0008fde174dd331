"""The wait from click to feedback is measured on feedback that was really shown."""

import math

from checks.course import latency


def test_measures_every_click(profile, server):
    measured = latency.clicked(profile.new_page(), server, clicks=11)
    assert len(measured.shown) == len(measured.painted) == 11
    for shown, painted in zip(measured.shown, measured.painted, strict=True):
        assert 0 < shown <= painted < math.inf
    assert measured.median_shown in measured.shown
