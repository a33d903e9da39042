import pytest

from .clients import ApiClient


@pytest.fixture(params=["browser", "app"])
def client_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def api(client_kind: str) -> ApiClient:
    return ApiClient(client_kind)
