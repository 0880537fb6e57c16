"""Which version of docstore this is, as the package that is installed says."""

from importlib.metadata import version

VERSION = version("docstore")
