"""Three small services as they stand before anybody heard of TrueGreen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

FLASK = {
    "shop/__init__.py": (
        "import os\n\nfrom flask import Flask\n\n\n"
        "def create_app(config=None):\n"
        "    app = Flask(__name__)\n"
        "    app.config['DATABASE'] = os.environ['DATABASE_URL']\n"
        "    app.config['NEW'] = os.environ.get('FLAG_NEW_CHECKOUT')\n\n"
        "    @app.get('/healthz')\n"
        "    def health():\n"
        "        return {'commit': os.environ.get('HEROKU_SLUG_COMMIT')}\n\n"
        "    return app\n"
    ),
    "alembic.ini": "[alembic]\nscript_location = migrations\n",
    "migrations/env.py": "",
    "migrations/versions/0001_first.py": "revision = '0001'\ndown_revision = None\n",
    "tests/smoke/test_front.py": (
        "from shop import create_app\n\n\ndef test_it():\n"
        "    assert create_app().test_client().get('/healthz').status_code == 200\n"
    ),
    "tests/app_for_tests.py": "from flask import Flask\napp = Flask('not this one')\n",
    "Procfile": (
        "web: gunicorn 'shop:create_app()'\n"
        "release: alembic upgrade head && ./bin/warm-cache; pytest tests/smoke\n"
        "worker: python -m shop.worker\n"
    ),
    "requirements.txt": "flask~=3.1\nalembic\ngunicorn\npytest\ntruegreen\n",
    ".python-version": "3.12\n",
}
DJANGO = {
    "manage.py": (
        "import os\nimport sys\n\nif __name__ == '__main__':\n"
        "    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n"
        "    from django.core.management import execute_from_command_line\n"
        "    execute_from_command_line(sys.argv)\n"
    ),
    "site1/settings.py": "import os\n\nSECRET_KEY = os.environ['SECRET_KEY']\n",
    "site1/urls.py": "urlpatterns = [path('health/', views.health)]\n",
    "site1/wsgi.py": "application = get_wsgi_application()\n",
    "shop/migrations/0001_initial.py": "class Migration: pass\n",
    "pyproject.toml": (
        '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django>=5", "truegreen"]\n'
    ),
}
FASTAPI = {
    "src/shop/main.py": (
        "import os\n\nfrom fastapi import FastAPI\n"
        "from truegreen.health import Health\nfrom truegreen.health.asgi import HealthEndpoint\n\n"
        "app = FastAPI()\n"
        "app.add_middleware(HealthEndpoint, health=Health('shop', os.environ))\n"
    ),
    "src/shop/__init__.py": "",
    "tests/smoke/test_front.py": (
        "from shop.main import app\n\n\ndef test_it():\n    assert app.user_middleware\n"
    ),
    "requirements.txt": "fastapi\nuvicorn\npytest\ntruegreen\n",
}
ALL: Mapping[str, Mapping[str, str]] = {"flask": FLASK, "django": DJANGO, "fastapi": FASTAPI}
HEROKU = {
    "origin": "git@github.com:example/shop.git",
    "heroku": "https://git.heroku.com/shop-prod.git",
    "staging": "https://user:hunter2@git.heroku.com/shop-stage.git",
}


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def repository(root: Path, files: Mapping[str, str], remotes: Mapping[str, str] = HEROKU) -> Path:
    """A git repository with ``files`` committed; of nobody's configuration."""
    write(root, files)
    git(root, "init", "-q", "-b", "main")
    for name, url in remotes.items():
        git(root, "remote", "add", name, url)
    git(root, "add", "--all")
    git(root, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "first")
    return root


def git(root: Path, *arguments: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file outside of .git and .truegreen, with its content."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".git", ".truegreen"} & set(path.relative_to(root).parts)
    }
