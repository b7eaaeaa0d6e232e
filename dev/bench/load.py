"""HTTP requests to a server, a fixed number at a time, in a process of their own.

``python -m bench.load PORT CONNECTIONS REQUESTS``: REQUESTS is a JSON file, a list of
[method, path, headers, body]. Prints, as JSON, seconds and how many were not answered
by 200.
"""

import http.client
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main(port, connections, path):
    """Send them all. See above."""
    requests = [
        (method, url, body.encode(), headers)
        for method, url, headers, body in json.loads(Path(path).read_text())
    ]
    own = threading.local()

    def connect():
        own.connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)

    def ask(request):
        """Return whether a request was not answered as it must be."""
        try:
            own.connection.request(*request)
            answer = own.connection.getresponse()
            answer.read()
            return answer.status != 200
        except (OSError, http.client.HTTPException):
            own.connection.close()
            return True

    with ThreadPoolExecutor(int(connections), initializer=connect) as pool:
        start = time.perf_counter()
        failed = sum(pool.map(ask, requests))
        seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "failed": failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
