"""Settings of all tests."""

from hypothesis import settings

# How long an example takes says nothing about what it shows; on a busy machine it would fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
