"""A migration of any size, written by the database itself: months of it in a minute."""

from django.db import connection

# As long as sign-ins have been going on, and for how long challenge sessions are kept.
DAYS, CHALLENGE_DAYS = 180, 30

USERS = """
INSERT INTO auth_user (id, username, email, password, first_name, last_name, is_staff, is_superuser, is_active,
    date_joined)
SELECT n, 'user' || n, 'user' || n || '@example.com', '!', '', '', false, false, true, now()
FROM generate_series(1, %(people)s) n
"""
NEXT_USER = "SELECT setval(pg_get_serial_sequence('auth_user', 'id'), %(people)s)"
# Migrated people, and a tenth of that number who are not.
PEOPLE = """
INSERT INTO cognito_passwordless_migrateduser (
    connection, pool, sub, username, email, email_key, phone_number, phone_key, attributes, pool_status,
    pool_enabled, status, method, user_id, imported_at, migrated_at, active_at, last_error, digest,
    shares_address, changes
)
SELECT
    CASE WHEN n / 36 %% 4 = 0 THEN 'partners' ELSE 'main' END,
    'eu-west-1_Example',
    md5('sub' || n)::uuid::text, 'user' || n, 'user' || n || '@example.com', 'user' || n || '@example.com', '', '',
    '{}', 'CONFIRMED', true,
    CASE WHEN n <= %(people)s THEN 'migrated'
        ELSE (ARRAY['pending','pending','pending','conflict','failed','excluded'])[1 + n %% 6] END,
    CASE WHEN n <= %(people)s
        THEN (ARRAY['cognito_otp','cognito_otp','local_otp','cognito_oidc','bulk'])[1 + n %% 5] ELSE '' END,
    CASE WHEN n <= %(people)s THEN n END,
    now() - interval '1 day' * (%(days)s + 31 * (n / 6 %% 6)),
    CASE WHEN n <= %(people)s THEN now() - interval '1 day' * %(days)s * power(random(), 2) END,
    CASE WHEN n %% 3 <> 0 THEN now() - interval '1 day' * 90 * random() END,
    CASE WHEN n <= %(people)s OR n %% 6 NOT IN (3, 4) THEN ''
        ELSE (ARRAY['several_users','address_not_proven','inactive_user'])[1 + n / 6 %% 3] END,
    '', false, '{}'
FROM generate_series(1, %(people)s + %(people)s / 10) n
"""
# The n-th attempt of all; the last of them has just been made.
AT = "now() - interval '1 second' - interval '1 day' * %(days)s * (%(attempts)s - n) / %(attempts)s"
CHALLENGES = f"""
INSERT INTO cognito_passwordless_challengesession (
    id, handle_hash, identifier, spelling, channel, purpose, language, next_url, hosted_login, refusal_floor,
    known_browser, route, connection, recipient, decoy_reason, pool_username, pool_challenge, pool_session,
    key_fingerprint, scope, password_offered, code_length, generation, attempts, sends, outcome, sending,
    verdict, account, created_at, last_sent_at,
    expires_at
)
SELECT
    md5('attempt' || n)::uuid, md5('a' || n) || md5('b' || n), 'user' || n || '@example.com', '', 'email', 'sign_in',
    'en', '', '', 0, '', 'cognito_otp',
    CASE WHEN n %% 4 = 0 THEN 'partners' ELSE 'main' END, '', '', '', '', '', '', '', false, 6,
    1, 1, 1, 'verified', 'done', '', '', {AT}, {AT}, {AT} + interval '10 minutes'
FROM generate_series(1, %(attempts)s) n
WHERE {AT} >= now() - interval '1 day' * %(challenge_days)s
"""
# Five of each attempt; one in six of them stops early, for one of many causes.
EVENTS = f"""
INSERT INTO cognito_passwordless_journeyevent (
    attempt, at, step, outcome, cause, category, connection, route, duration_ms, user_id
)
SELECT
    md5('attempt' || n)::uuid, {AT} + interval '1 millisecond' * part,
    (ARRAY['sent','answered','answered','signed_in',
        CASE WHEN n %% 3 = 0 THEN 'migrated' ELSE 'pool_sign_in' END])[part],
    CASE WHEN part = 1 AND n %% 97 < 2 THEN 'failed' WHEN part = 1 AND n %% 97 < 6 THEN 'refused'
        WHEN part = 2 THEN CASE WHEN n %% 7 = 0 THEN 'refused' ELSE 'ok' END
        WHEN part = 3 AND n %% 6 = 0 THEN 'refused' ELSE 'ok' END,
    CASE WHEN part = 1 AND n %% 97 < 2 THEN (ARRAY['throttled','timeout'])[1 + n %% 2]
        WHEN part = 1 AND n %% 97 < 6 THEN (ARRAY['unknown_user','limit_sends','disabled'])[1 + n %% 3]
        WHEN part = 2 AND n %% 7 = 0 THEN 'wrong_code'
        WHEN part = 3 AND n %% 6 = 0 THEN (ARRAY['expired','wrong_code','used_up'])[1 + n / 6 %% 3] ELSE '' END,
    CASE WHEN part = 1 AND n %% 97 < 2 THEN 'system'
        WHEN part < 4 AND (n %% 7 = 0 OR n %% 6 = 0) THEN 'flow' ELSE '' END,
    CASE WHEN n %% 4 = 0 THEN 'partners' ELSE 'main' END,
    (ARRAY['cognito_otp','cognito_otp','cognito_oidc','local'])[1 + n / 4 %% 4],
    CASE WHEN part <= 3 THEN 50 * exp(4 * random()) END,
    CASE WHEN part >= 4 THEN 1 + n %% %(people)s END
FROM generate_series(1, %(attempts)s) n CROSS JOIN generate_series(1, 5) part
"""
COUNTS = """
INSERT INTO cognito_passwordless_sendcount (scope, key, count, window_started_at)
SELECT 'sends', 'user' || n || '@example.com', 1, now() - interval '1 hour' * random()
FROM generate_series(1, %(people)s / 10) n
"""
OF_ALL = """
INSERT INTO cognito_passwordless_sendcount (scope, key, count, window_started_at)
VALUES ('emails_per_day', '', 4210, now()), ('sms_per_day', '', 640, now()), ('sms_per_country', 'DE', 640, now())
"""


def fill(people: int, events: int) -> None:
    """Writes ``people`` who have been migrated, a tenth more who have not, and ``events`` of their sign-ins."""
    sizes = {"people": people, "attempts": events // 5, "days": DAYS, "challenge_days": CHALLENGE_DAYS}
    with connection.cursor() as cursor:
        for statement in (USERS, NEXT_USER, PEOPLE, CHALLENGES, EVENTS, COUNTS, OF_ALL):
            cursor.execute(statement, sizes)
        cursor.execute("VACUUM ANALYZE")
