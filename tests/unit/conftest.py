"""Properties among these tests are tried as those of `tests/fuzz` are, whichever tests run with them."""

from tests.fuzz.profiles import load_profile

load_profile()
