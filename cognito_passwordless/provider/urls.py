"""allauth mounts every provider's ``urls`` by itself. Ours are where the site includes them, and only there."""

from typing import Any

urlpatterns: list[Any] = []
