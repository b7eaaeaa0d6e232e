"""HTTP requests to a server, a fixed number at a time, in a process of their own.

``python -m bench.load PORT CONNECTIONS REQUESTS``: REQUESTS is a JSON file, a list of
[method, path, headers, body]. Prints, as JSON, seconds and how many were not answered
by 200. Written for sockets, since client and server share the machine's processors.
"""

import json
import socket
import sys
import threading
import time
from pathlib import Path


class _Client(threading.Thread):
    """Sends requests one after the other.

    :param requests: iterator that all clients share
    """

    def __init__(self, port, requests, lock):
        super().__init__()
        self._port = port
        self._requests = requests
        self._lock = lock
        self._socket = None
        self.failed = 0

    def run(self):
        """Send until there are none left."""
        while True:
            with self._lock:
                request = next(self._requests, None)
            if request is None:
                break
            if self._ask(request) != b"200":
                self.failed += 1
        if self._socket:
            self._socket.close()

    def _ask(self, request):
        """Return the status of one answer, None without an answer."""
        try:
            if not self._socket:
                self._socket = socket.create_connection(("127.0.0.1", self._port), 60)
            self._socket.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                piece = self._socket.recv(65536)
                if not piece:
                    raise ConnectionResetError
                answer += piece
            head, __, body = answer.partition(b"\r\n\r\n")
            length, close = 0, False
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line[15:])
                close = close or line == b"connection: close"
            left = length - len(body)
            while left > 0:
                left -= len(self._socket.recv(65536))
            if close or head.startswith(b"HTTP/1.0"):
                self._socket.close()
                self._socket = None
            return head.split(b" ", 2)[1]
        except OSError:
            self._socket = None
            return None


def _write(port, method, path, headers, body):
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()


def main(port, connections, path):
    """Send them all. See above."""
    listed = json.loads(Path(path).read_text())
    requests = iter([_write(port, *request) for request in listed])
    lock = threading.Lock()
    clients = [_Client(int(port), requests, lock) for __ in range(int(connections))]
    start = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds = time.perf_counter() - start
    failed = sum(client.failed for client in clients)
    print(json.dumps({"seconds": seconds, "failed": failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
