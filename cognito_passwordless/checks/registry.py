"""Which check runs when. Imported once the needed apps are known to be installed."""

from typing import Final

from . import (
    allauth,
    connections,
    cross_connection,
    deployment,
    installation,
    people,
    senders,
    services,
    settings,
    urls,
)
from .problems import Check

ALWAYS: Final[tuple[Check, ...]] = (
    installation.middleware,
    installation.middleware_order,
    installation.authentication_backends,
    installation.templates,
    settings.is_dict,
    settings.known_keys,
    settings.types,
    settings.public_url,
    settings.dispatch,
    settings.sms_countries,
    settings.update_on_return,
    settings.deleted_user_returns,
    settings.event_data,
    settings.retention,
    settings.captcha,
    senders.channels,
    senders.entries,
    senders.backends,
    senders.options,
    people.user_model,
    people.people_without_an_address,
    people.people_without_a_number,
    urls.included_once,
    urls.reachable,
    urls.allauth_pages,
    urls.login_url,
    urls.api,
    services.cache,
    services.broker,
    services.broker_timeouts,
    services.queues,
    services.database,
    allauth.account_adapter,
    allauth.social_adapter,
    allauth.phone_needed,
)

SECURITY: Final[tuple[Check, ...]] = (
    settings.otp,
    settings.limits,
    settings.refusal_floor,
    settings.review_codes,
    people.match_user,
    people.attributes,
    people.groups,
    allauth.unique_email,
    allauth.linking_by_email,
    allauth.login_by_code,
    allauth.signup,
    connections.settings_can_be_read,
    cross_connection.in_settings,
)

DEPLOY: Final[tuple[Check, ...]] = (
    deployment.public_url,
    deployment.inline,
    deployment.cookies,
    deployment.senders,
    deployment.cache,
    deployment.proxies,
    deployment.review_codes,
    deployment.countries,
)

DATABASE: Final[tuple[Check, ...]] = (
    connections.rows_can_be_read,
    cross_connection.with_the_admins,
    connections.unchanged_pools,
    connections.people_left_out,
    people.groups_exist,
    people.unproven_users,
)
