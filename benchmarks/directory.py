"""``python -m benchmarks.directory <users>``: a pool that lists invented users as fast as it is asked.

Prints its port, and serves until its input ends. It knows ListUsers and DescribeUserPool, and no more of HTTP than
botocore sends; its own time would otherwise be part of every measurement.
"""

import json
import socket
import sys
import threading
from collections.abc import Iterator

PAGE = 60
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n"
CREATED = 1_700_000_000.5


def user(number: int) -> dict[str, object]:
    """As ListUsers has them."""
    sub = f"{number:08x}-0000-4000-8000-00000000cafe"
    attributes = {
        "sub": sub,
        "email": f"person.{number}@example.com",
        "email_verified": "true",
        "given_name": "Ann",
        "family_name": "Beispiel",
        "custom:customer": f"{number:08d}",
    }
    if number % 4 == 0:
        attributes |= {"phone_number": f"+4915{number % 10**8:09d}", "phone_number_verified": "true"}
    return {
        "Username": sub,
        "Attributes": [{"Name": name, "Value": value} for name, value in attributes.items()],
        "UserCreateDate": CREATED + number,
        "UserLastModifiedDate": CREATED + number,
        "Enabled": True,
        "UserStatus": "CONFIRMED",
    }


def page(first: int, total: int) -> bytes:
    last = min(first + PAGE, total)
    answer: dict[str, object] = {"Users": [user(number) for number in range(first, last)]}
    if last < total:
        answer["PaginationToken"] = str(last)
    return json.dumps(answer, separators=(",", ":")).encode()


def requests(connection: socket.socket) -> Iterator[tuple[str, bytes]]:
    """The operation and the body of each request on a connection that is kept open."""
    buffered = b""
    while True:
        while b"\r\n\r\n" not in buffered:
            read = connection.recv(65536)
            if not read:
                return
            buffered += read
        head, _, buffered = buffered.partition(b"\r\n\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))
        }
        length = int(headers[b"content-length"])
        while len(buffered) < length:
            buffered += connection.recv(65536)
        body, buffered = buffered[:length], buffered[length:]
        yield headers[b"x-amz-target"].rpartition(b".")[2].decode(), body


def serve(connection: socket.socket, pages: dict[str, bytes], described: bytes) -> None:
    with connection:
        for operation, body in requests(connection):
            asked = json.loads(body)
            answer = pages[asked.get("PaginationToken", "0")] if operation == "ListUsers" else described
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(answer)}\r\n\r\n"
            )
            connection.sendall(head.encode() + answer)


def main(total: int) -> None:
    # Made before the measurement begins; about 700 MB for a million.
    pages = {str(first): page(first, total) for first in range(0, total, PAGE)}
    described = json.dumps({"UserPool": {"EstimatedNumberOfUsers": total}}).encode()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)

        def accept() -> None:
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=serve, args=(connection, pages, described), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]))
