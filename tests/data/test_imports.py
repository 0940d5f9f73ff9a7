"""A command that only describes starts at once: nothing heavy is imported with the package."""

import subprocess
import sys

HEAVY = {"torch", "monai", "nibabel", "nilearn", "sklearn", "scipy", "PIL", "pandas"}


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = "import sys, nas.data; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(modules.split())
