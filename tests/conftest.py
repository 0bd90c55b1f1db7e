"""What every test may ask for."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long what is disturbed at random is disturbed for; whether pictures are compared or taken anew."""
    parser.addoption("--soak", type=float, default=20, metavar="SECONDS", help="of kills at random (default 20)")
    parser.addoption("--renew-looks", action="store_true", help="keep the pictures of mails as they look now")


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> float:
    """Seconds of disturbance at random, as --soak says."""
    seconds: float = pytestconfig.getoption("--soak")
    return seconds


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository, which is itself a working project."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real files that are not ours to ship; tests that need them are skipped where they are absent."""
    folder = Path(os.environ.get("REPORTS_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the folder of real files (REPORTS_SHARED_DATA) is not on this machine")
    return folder
