"""AWS Signature Version 4 on the standard library, for a POST to ``/``, which is all that a trigger needs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
The tests hold it against botocore's own signer over thousands of random requests.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping

from ..core.environment import Aws

ALGORITHM = "AWS4-HMAC-SHA256"


def signed(
    headers: Mapping[str, str], body: bytes, *, host: str, service: str, aws: Aws, now: float
) -> dict[str, str]:
    """``headers`` with the date, the session token and the signature over all of them; ``now`` in seconds."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    complete = {**headers, "Host": host, "X-Amz-Date": moment}
    if aws.token:
        complete["X-Amz-Security-Token"] = aws.token
    scope = f"{moment[:8]}/{aws.region}/{service}/aws4_request"
    lines = sorted((name.lower(), " ".join(value.split())) for name, value in complete.items())
    names = ";".join(name for name, _ in lines)
    canonical = "\n".join(("POST", "/", "", *(f"{name}:{value}" for name, value in lines), "", names, _digest(body)))
    to_sign = "\n".join((ALGORITHM, moment, scope, _digest(canonical.encode())))
    key = b"AWS4" + aws.secret_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    authorization = f"{ALGORITHM} Credential={aws.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**complete, "Authorization": authorization}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
