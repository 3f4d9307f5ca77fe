"""How many inputs each property is tried on; a busy machine fails none, however slowly inputs are made there."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.configuration import set_hypothesis_home_dir

SUITE, LONG = "suite", "long"

_SLOW_TO_MAKE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)


def load_profile() -> None:
    """Let properties be tried as `make test` does; `--hypothesis-profile` loads another profile later."""
    # What hypothesis keeps of Unicode and of our sources is not for the checkout.
    set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "backscroll-hypothesis")
    settings.register_profile(
        SUITE,
        max_examples=30,
        derandomize=True,  # the same inputs in every run
        database=None,
        deadline=None,  # `tests.fuzz.limits` measures what counts
        phases=(Phase.explicit, Phase.generate),  # a long run looks for the smallest input
        suppress_health_check=_SLOW_TO_MAKE,
    )
    settings.register_profile(
        LONG,
        max_examples=2000,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=_SLOW_TO_MAKE,
    )
    settings.load_profile(SUITE)
