"""Says what is missing in the built distributions: dist_contents.py DIST VERSION."""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("LICENSE", "README.md", "CHANGELOG.md")


def wanted_in_wheel(version: str) -> set[str]:
    """Every typed package, the default configuration, the page of the API, and the documents."""
    packages = ["gateway", *(path.name for path in ROOT.glob("plugins/gateway_*"))]
    info = f"dragoman-{version}.dist-info"
    return {
        *(f"{package}/{name}" for package in packages for name in ("__init__.py", "py.typed")),
        "gateway/models.yaml",
        *(
            f"gateway/http/swagger_ui/{path.name}"
            for path in ROOT.glob("gateway/http/swagger_ui/*")
        ),
        f"{info}/licenses/LICENSE",
        f"{info}/extra_metadata/CHANGELOG.md",
    }


def missing(dist: Path, version: str) -> list[str]:
    """A line for whatever should be there and is not."""
    wheel_name, sdist_name = f"dragoman-{version}-py3-none-any.whl", f"dragoman-{version}.tar.gz"
    with zipfile.ZipFile(dist / wheel_name) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(f"dragoman-{version}.dist-info/METADATA").decode()
    lacks = [f"{wheel_name}: {name}" for name in sorted(wanted_in_wheel(version) - names)]
    if (ROOT / "README.md").read_text(encoding="utf-8").strip() not in metadata:
        lacks.append(f"{wheel_name}: the README, as the description")
    with tarfile.open(dist / sdist_name) as sdist:
        packed = set(sdist.getnames())
    return lacks + [
        f"{sdist_name}: {name}"
        for name in (*DOCUMENTS, "pyproject.toml", "gateway/py.typed", "requirements/run.txt")
        if f"dragoman-{version}/{name}" not in packed
    ]


if __name__ == "__main__":
    lacking = missing(Path(sys.argv[1]), sys.argv[2])
    if lacking:
        sys.exit("Missing in the distributions:\n" + "\n".join(lacking))
