"""What people read on more than one of our entrances: pages, API, steps and allauth's own forms.

Each is the same for everybody (law 4): it depends on what was typed, on the clock and on the configuration.
"""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .conf import conf


def cannot_send() -> str:
    return _("We can't send codes at the moment. Nothing is wrong with your entry. Try again in a minute.")


def not_served() -> str:
    if not conf.offers_email:
        return _("We can't send codes there. Enter a phone number of a country that we send SMS to.")
    if not conf.offers_sms:
        return _("We don't send codes to phone numbers. Enter your e-mail address instead.")
    return _("We can't send codes to phone numbers of this country. Use your e-mail address instead.")


def no_identifier() -> str:
    if conf.usernames:
        return _("That cannot be right. Check it for a typing mistake; a user name has no spaces.")
    if not conf.offers_email:
        return _("That is not a phone number. Check it for a typing mistake.")
    if not conf.offers_sms:
        return _("That is not an e-mail address. Check it for a typing mistake.")
    return _("That is neither an e-mail address nor a phone number. Check it for a typing mistake.")


def no_code() -> str:
    return _("Enter the digits of the code from the message.")


def wrong_code() -> str:
    return _("That code is not right, or no longer valid. Check it, or send a new code.")


def not_checked() -> str:
    """Whether it was right or wrong."""
    return _("We can't check codes at the moment. Nothing says that yours is wrong. Enter it again in a minute.")


def refused() -> str:
    return _("Your code was right, but our team needs to look at your account first. Please contact support.")


def not_a_robot() -> str:
    return _("Please confirm that you are not a robot, and try again.")


def too_many(seconds: int) -> str:
    """For a network that has started too many sign-ins."""
    minutes = max(1, seconds // 60)
    return ngettext(
        "Too many sign-ins were started from your network. Try again in %(minutes)d minute.",
        "Too many sign-ins were started from your network. Try again in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}


def wait(seconds: int) -> str:
    """How long until another code may be asked for; empty when it may be now."""
    if not seconds:
        return ""
    return ngettext(
        "You can ask for another code in %(seconds)d second.",
        "You can ask for another code in %(seconds)d seconds.",
        seconds,
    ) % {"seconds": seconds}


def patience(channel: str) -> str:
    """True before and after the message has gone, for without JavaScript the page stays as it is."""
    if channel == "sms":
        return _("It can take a minute to arrive.")
    return _("It can take a minute to arrive. Look in the spam folder too.")
