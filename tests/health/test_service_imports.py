"""What lives inside a service must load fast, and with nothing else installed."""

import json
import subprocess
import sys
from pathlib import Path

import truegreen

SOURCE = Path(truegreen.__file__).parent.parent
PARTS = ", ".join(
    f"truegreen.{part}" for part in ("flags", "guard", "guard.wsgi", "guard.flask", "health")
)
ALLOWED = {"address", "errors", "frozen", "secret", "config", "flags", "guard", "headers", "health"}


def in_bare_python(code: str) -> str:
    """Runs ``code`` where no package is installed; only our source can be found."""
    prelude = f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", prelude + code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_flags_guard_and_health_load_only_the_standard_library() -> None:
    loaded = json.loads(
        in_bare_python(f"import json, {PARTS}\nprint(json.dumps(sorted(sys.modules)))")
    )
    ours = {name.split(".")[1] for name in loaded if name.startswith("truegreen.")}
    others = {name.split(".")[0] for name in loaded} - {"truegreen", "__main__"}
    assert ours <= ALLOWED
    assert "config" not in ours
    assert others <= set(sys.stdlib_module_names) | {"_distutils_hack"}


# Each of these takes a millisecond or more; benchmarks/flags.py holds the whole to ten.
HEAVY = {"typing", "re", "dataclasses", "enum", "pathlib", "inspect", "json", "hashlib", "hmac",
         "asyncio", "logging", "datetime", "threading", "tomllib", "urllib", "functools",
         "collections"}  # fmt: skip


def test_flags_and_health_load_nothing_heavy() -> None:
    loaded = in_bare_python(
        "before = set(sys.modules)\nimport truegreen.flags, truegreen.health\n"
        "print(*(set(sys.modules) - before))"
    )
    assert not {name for name in loaded.split() if name.split(".")[0] in HEAVY}


def mentions(*words: str, under: str = "") -> set[str]:
    """The modules of the tree (or of one room) in which one of ``words`` stands."""
    root = SOURCE / "truegreen"
    return {
        file.relative_to(root).as_posix()
        for file in (root / under).rglob("*.py")
        if any(word in file.read_text(encoding="utf-8") for word in words)
    }


def test_addresses_booleans_and_headers_are_each_read_in_one_place() -> None:
    # spans.py writes address.packed() out, to spare its call.
    assert mentions("_socket import", "inet_aton", "inet_ntop(") == {"address.py"}
    assert mentions("inet_pton(", "pton(") <= {"address.py", "guard/spans.py"}
    # Of the others a table of the code's own, what is packed already, and a constant.
    assert mentions("ip_address(", "ip_network(", "ip_interface(", "IPv4Address(", "IPv6Address(",
                    "IPv4Network(", "IPv6Network(") == {
        "address.py", "gates/scan/kinds/placeholders.py", "guard/refresh.py",
        "embedded/certificate.py",
    }  # fmt: skip
    assert mentions('"yes"', "strtobool", '"true", "false"') == {"flags/grammar.py"}
    assert mentions('"HTTP_" +', '"HTTP_{') == {"headers.py"}
    # The embedded platform's router and edge read raw HTTP: names in any case.
    assert mentions(".lower() == name]") == {"embedded/http1.py"}
    assert mentions("[0] == name") == {"headers.py"}


def test_what_the_service_imports_compares_addresses_without_ipaddress() -> None:
    """Which takes 4 ms to load, and a microsecond to read one. Only a refresh adds networks up."""
    for room in ("flags", "guard", "health"):
        found = mentions("ipaddress", under=room)
        assert found == ({"guard/refresh.py"} if room == "guard" else set())
    assert in_bare_python(f"import {PARTS}\nprint('ipaddress' in sys.modules)").strip() == "False"
