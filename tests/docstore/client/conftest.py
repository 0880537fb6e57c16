"""The served store of the API's tests."""

from tests.api.http.conftest import serve

__all__ = ["serve"]
