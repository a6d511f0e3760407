"""Settings that hold for every test."""

import os

from hypothesis import settings

# A slow machine is not a wrong answer: pytest-timeout is the limit. CI draws the same examples
# every time, so that a red run is about the change; everywhere else they are new ones.
settings.register_profile("local", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
