"""A test that hangs ends as a failure, and does not hold up the others."""

import pytest


def test_every_test_has_a_time_limit(request: pytest.FixtureRequest) -> None:
    assert request.config.pluginmanager.hasplugin("timeout")
    markers = [item.get_closest_marker("timeout") for item in request.session.items]
    assert markers
    assert all(marker is not None and 0 < marker.args[0] <= 900 for marker in markers)
