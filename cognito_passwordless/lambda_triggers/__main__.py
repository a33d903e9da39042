"""`python -m cognito_passwordless.lambda_triggers build` and `… attach`: what a developer does with the triggers."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .deploy.packaging import build


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 where the pool or the file system says no."""
    parser = argparse.ArgumentParser("python -m cognito_passwordless.lambda_triggers")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="make the zip and the SAM template")
    building.add_argument("--output", type=Path, default=Path("build"), help="the folder to write into")
    attaching = commands.add_parser("attach", help="put functions on an existing pool, and change nothing else")
    attaching.add_argument("--user-pool-id", required=True)
    attaching.add_argument("--region")
    attaching.add_argument("--stack", help="attach all functions of this stack")
    attaching.add_argument("--endpoint-url", help="of a stand-in")
    attaching.add_argument("--dry-run", action="store_true", help="only show what would change")
    attaching.add_argument(
        "triggers", nargs="*", metavar="TRIGGER=ARN", help="such as DefineAuthChallenge=arn:aws:lambda:…"
    )
    options = parser.parse_args(arguments)
    try:
        if options.command == "build":
            for path in build(options.output):
                sys.stdout.write(f"{path}\n")
        else:
            from .deploy.attach import attach_from  # noqa: PLC0415  # needs boto3, which a build does not

            sys.stdout.write(attach_from(options))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
