from __future__ import annotations

import subprocess
import sys

import pytest

import truegreen.heroku as heroku


def test_every_public_name_is_there_and_listed_once() -> None:
    assert heroku.__all__ == [
        *sorted(n for n in heroku.__all__ if n.isupper()),
        *heroku.__all__[1:],
    ]
    assert set(heroku.__all__) == set(heroku._HOMES)
    assert len(heroku.__all__) == len(set(heroku.__all__))
    for name in heroku.__all__:
        value = getattr(heroku, name)
        assert getattr(value, "__module__", "truegreen.heroku").startswith("truegreen.heroku")
    assert set(heroku.__all__) <= set(dir(heroku))


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = heroku.no_such_name


def test_importing_the_package_and_its_models_does_not_import_httpx() -> None:
    code = (
        "import sys; from truegreen.heroku import models, address, wait_for_release, Release\n"
        "assert 'httpx' not in sys.modules\n"
        "from truegreen.heroku import HerokuClient\n"
        "assert 'httpx' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
