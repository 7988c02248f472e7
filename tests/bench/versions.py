"""Names and versions of the peers that are installed, one a line."""
from importlib.metadata import PackageNotFoundError, version
import sys

for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        print(f"{name} is not installed and left out", file=sys.stderr)
