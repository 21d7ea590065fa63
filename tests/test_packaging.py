"""A wheel, an sdist, an editable install and the checkout import one copy of the same modules."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGE_FOLDERS = ("tensorgrad", "nn", "viz")
PLUGIN = "pytest_tensorgrad.py"  # beside the package: importing a part of it would import all of it

# Imports every module below tensorgrad, and says what Python then holds. (multiprocessing gives the
# main module a second name.)
PROBE = """
import importlib, importlib.util, json, os, pkgutil, sys
import tensorgrad
for found in pkgutil.walk_packages(tensorgrad.__path__, "tensorgrad."):
    importlib.import_module(found.name)
files = {name: os.path.realpath(module.__file__) for name, module in list(sys.modules.items())
         if getattr(module, "__file__", None) and name not in ("__main__", "__mp_main__")}
import tensorgrad as tg
from tensorgrad import nn
y = nn.Linear(2, 1)(tg.ones(1, 2))
bare = [name for name in ("nn", "viz") if importlib.util.find_spec(name)]
print(json.dumps({"files": files, "bare": bare, "version": tensorgrad.__version__,
                  "place": y.grad_fn.location[0]}))
"""


def package_files() -> set[str]:
    """Every file of the package as the path it must have when installed."""
    files = set()
    for folder, _, names in os.walk(ROOT / "tensorgrad", followlinks=True):
        path = Path(folder)
        if "__pycache__" not in path.parts:
            files |= {(path / name).relative_to(ROOT).as_posix() for name in names}
    return {f for f in files if not f.endswith((".tmp", ".swp", ".pyc"))}


def module_names() -> set[str]:
    """The dotted name of every module of the package."""
    stems = {f.removesuffix(".py").replace("/", ".") for f in package_files() if f.endswith(".py")}
    return {s.removesuffix(".__init__") for s in stems}


def run(*command: object, cwd: Path) -> str:
    """Run a command without the caller's Python settings; its output, or an error that shows it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def copy_sources(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Copies what a build reads, links as links: builds leave folders behind where they run."""

    def copy(name: str) -> Path:
        target = tmp_path_factory.mktemp(name) / "checkout"
        target.mkdir()
        ignore = shutil.ignore_patterns("__pycache__", "*.tmp", "*.swp", "*.egg-info")
        for folder in PACKAGE_FOLDERS:
            shutil.copytree(ROOT / folder, target / folder, symlinks=True, ignore=ignore)
        for file in ("pyproject.toml", "README.md", "LICENSE", PLUGIN):
            shutil.copy(ROOT / file, target / file)
        return target

    return copy


def build(hook: str, source: Path, out: Path) -> Path:
    """Call one PEP 517 hook of setuptools: what pip does, without pip and without a network."""
    out.mkdir(exist_ok=True)
    before = set(out.iterdir())
    code = f"from setuptools import build_meta; build_meta.{hook}({str(out)!r})"
    run(sys.executable, "-c", code, cwd=source)
    (made,) = set(out.iterdir()) - before
    return made


def bare_environment(where: Path) -> tuple[Path, Path]:
    """A new environment's interpreter and site-packages; it borrows numpy from the present one.

    The loan is a .pth file: paths added that way do not run the .pth files they hold, so that the
    editable install of the present environment stays out of sight.
    """
    run(sys.executable, "-m", "venv", "--without-pip", where, cwd=where.parent)
    python = where / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=where)
        .rstrip("\n")
    )  # fmt: skip
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python, site


def probe(python: Path | str, cwd: Path, *flags: str) -> dict:
    """What the probe reports, run as a user's script in `cwd`."""
    script = cwd / "probe_script.py"
    script.write_text(PROBE, encoding="utf-8")
    report = json.loads(run(python, *flags, script, cwd=cwd))
    assert report["place"] == str(script), "the recorded place is not the user's line"
    return report


def modules_below(report: dict, folder: Path) -> dict[str, str]:
    """The part of the report whose files lie in `folder`, with each file relative to it."""
    real = os.path.realpath(folder) + os.sep
    return {
        name: file.removeprefix(real).replace(os.sep, "/")
        for name, file in report["files"].items()
        if file.startswith(real)
    }


def assert_one_copy(modules: dict[str, str]) -> None:
    assert set(modules) == module_names()
    assert len(set(modules.values())) == len(modules), "one file was imported under two names"


@pytest.mark.long
def test_wheel_and_sdist_hold_the_same_package(copy_sources, tmp_path):
    source = copy_sources("wheel")
    wheel = build("build_wheel", source, tmp_path / "dist")
    sdist = build("build_sdist", copy_sources("sdist"), tmp_path / "sdist")
    # Not shutil.unpack_archive: it warns without filter=, which Python 3.11.2 does not know.
    run(sys.executable, "-m", "tarfile", "-e", sdist, tmp_path / "unpacked", cwd=tmp_path)
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    second = build("build_wheel", unpacked, tmp_path / "second")

    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(second) as two:
        names = {n for n in one.namelist() if ".dist-info/" not in n}
        assert names == package_files() | {
            PLUGIN
        }  # all of it, data included, and nothing as bare nn or viz
        assert {n for n in two.namelist() if ".dist-info/" not in n} == names
        assert all(one.read(n) == two.read(n) for n in names)
        assert "tensorgrad/data/digits.npz" in names
        (metadata,) = (n for n in one.namelist() if n.endswith(".dist-info/METADATA"))
        assert any(n.endswith(".dist-info/licenses/LICENSE") for n in one.namelist())
        message = Parser().parsestr(one.read(metadata).decode())
    # 1.5 MB in November 2026, all of it source but the digits (45 kB): a data set would show.
    assert wheel.stat().st_size < 2e6
    assert wheel.name.endswith("-py3-none-any.whl")
    required = {r for r in message.get_all("Requires-Dist") if "extra ==" not in r}
    assert required == {"numpy>=2.1", "graphviz", "tqdm", "safetensors>=0.7"}
    assert message["Requires-Python"] == ">=3.11"

    python, site = bare_environment(tmp_path / "env")
    zipfile.ZipFile(second).extractall(site)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    report = probe(python, elsewhere)
    modules = modules_below(report, site)
    assert_one_copy(modules)
    assert modules["tensorgrad.nn"] == "tensorgrad/nn/__init__.py"
    assert report["bare"] == []
    assert report["version"] == message["Version"]


def test_editable_install_imports_the_folders_of_the_checkout(copy_sources, tmp_path):
    source = copy_sources("editable")
    wheel = build("build_editable", source, tmp_path / "dist")
    python, site = bare_environment(tmp_path / "env")
    zipfile.ZipFile(wheel).extractall(site)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    report = probe(python, elsewhere)
    modules = modules_below(report, source)
    assert_one_copy(modules)
    assert modules["tensorgrad.nn"] == "nn/__init__.py"
    assert report["bare"] == []


def test_checkout_runs_without_being_installed(copy_sources, tmp_path):
    source = copy_sources("plain")
    python, _ = bare_environment(tmp_path / "env")
    report = probe(python, source)  # bare nn is found here, Python puts the script's folder first;
    modules = modules_below(report, source)  # what counts is that nothing of ours imports it
    assert_one_copy(modules)
    assert modules["tensorgrad.viz"] == "viz/__init__.py"


def test_packages_in_pyproject_are_the_folders_that_exist():
    folders = {f.rpartition("/")[0].replace("/", ".") for f in package_files() if f[-3:] == ".py"}
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted(folders)
    wanted = {f"{p.replace('.', '/')}/__init__.py" for p in listed}
    assert wanted - package_files() == set()


def test_links_are_relative():
    # The same two links make mypy, pyright and uninstalled runs see what an install has.
    for name in ("nn", "viz"):
        link = ROOT / "tensorgrad" / name
        assert link.is_symlink()
        assert link.readlink() == Path("..") / name


def test_version_is_written_once():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assignment = re.compile(r"^__version__\b.*=", re.MULTILINE)
    modules = [f for f in package_files() if f.endswith(".py")]
    places = [f for f in modules if assignment.search((ROOT / f).read_text(encoding="utf-8"))]
    assert places == ["tensorgrad/__init__.py"]


def test_import_is_light_and_the_rest_loads_on_first_use(tmp_path):
    heavy = [
        *("tensorgrad.nn", "tensorgrad.viz", "tensorgrad.optim", "tensorgrad.data"),
        *("tensorgrad.training", "tensorgrad.utils", "graphviz", "tqdm", "safetensors"),
        *("matplotlib", "scipy", "torch", "IPython", "asyncio", "urllib.request", "tarfile"),
    ]
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import numpy
before = set(sys.modules)
import tensorgrad
early = [name for name in {heavy!r} if name in sys.modules and name not in before]
assert not early, f"import tensorgrad also imported {{early}}"
for name in ("nn", "viz", "optim", "data"):
    assert name in dir(tensorgrad)
    assert getattr(tensorgrad, name) is sys.modules["tensorgrad." + name]
from tensorgrad import nn, viz, optim
try:
    tensorgrad.no_such_name
except AttributeError as error:
    assert "no_such_name" in str(error)
else:
    raise AssertionError("a name that does not exist was found")
"""
    run(sys.executable, "-c", code, cwd=tmp_path)
