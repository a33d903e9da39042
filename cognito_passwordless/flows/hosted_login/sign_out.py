"""Signing out at Cognito too, where the connection says so: else the next visit to its login page asks for nothing."""

import logging

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from ... import compat, connections
from ...cognito import CognitoError, provider_of, sign_out_url

logger = logging.getLogger(__name__)


def hosted_sign_out(request: HttpRequest, return_to: str) -> str:
    """Where a browser goes that is being signed out here: through the hosted login that it came by, and on to
    ``return_to`` (absolute). Empty where there is nothing to end there.

    No HTTP call once the provider's endpoints are known; a provider that is down keeps no session alive here.
    """
    user = request.user
    if not isinstance(user, AbstractBaseUser):
        return ""
    for alias in compat.social_logins_of_session(request, user):
        connection = connections.find(alias)
        if connection is None or not connection.active or not connection.global_sign_out:
            continue
        try:
            provider = provider_of(connection, now=timezone.now().timestamp())
        except CognitoError as error:
            logger.warning("No global sign-out at %s: %s", alias, error)
            continue
        return sign_out_url(connection, provider, return_to)
    return ""
