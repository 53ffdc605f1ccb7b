"""One key's slowest requests, as many at once as it may have: `python -m tests.support.flood URL
KEY SECONDS PATH...` keeps 64 in flight, and prints how each ended."""

import json
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException

from tests.support.waiting import HANG_SECONDS

IN_FLIGHT = 64
ENDLESS_POLICY = (
    "package main\ndeny[message] { xs := numbers.range(1, 3000); x := xs[_]; y := xs[_];"
    ' z := xs[_]; x * y * z == 7; message := "found" }\n'
)
PLAYBOOK = "- hosts: all\n  tasks:\n" + "".join(
    f"    - name: t{i}\n      ansible.builtin.copy:\n        src: a\n"
    f"        dest: \"/x/{{{{ v{i} | default('x') }}}}\"\n"
    for i in range(1500)
)
"""More than a second of work, and a pass."""
ROWS = "".join(
    json.dumps(
        {
            "instruction": f"A Dockerfile number {i} from alpine:3.20 that runs as app{i}.",
            "output": f"FROM alpine:3.20\nUSER app{i}\n",
            "category": "dockerfile",
        }
    )
    + "\n"
    for i in range(20_000)
)
COMPOSE = "services:\n  web:\n    image: nginx:1.27\n"
REGO = [{"op": "rego", "value": ENDLESS_POLICY}]
SEARCH = {
    "instruction": "A playbook.",
    "temperature": 2.0,
    "best_of": 64,
    "repair": 4,
    "max_tokens": 900,
    "category": "ansible",
}
BODIES: dict[str, tuple[str, ...]] = {
    "/verify": (
        json.dumps({"category": "ansible", "text": PLAYBOOK}),
        json.dumps({"category": "compose", "text": COMPOSE, "checks": REGO}),
    ),
    "/judge": (
        json.dumps({"category": "ansible", "instruction": "x", "answers": [PLAYBOOK, PLAYBOOK]}),
    ),
    "/datasets": (ROWS,),
    "/generate": (json.dumps(SEARCH),),
}


def main() -> None:
    """Floods until the time is over, whatever the answers are."""
    url, key, seconds, paths = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4:]
    end = time.monotonic() + seconds
    endings: Counter[str] = Counter()
    bodies = [(path, body.encode()) for path in paths for body in BODIES[path]]

    def flood(number: int) -> None:
        path, body = bodies[number % len(bodies)]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        while time.monotonic() < end:
            connection = HTTPConnection(url.removeprefix("http://"), timeout=HANG_SECONDS)
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                answer.read()
                endings[f"{path} {answer.status}"] += 1
                # As clients do that read the header.
                time.sleep(float(answer.headers.get("retry-after", 0)))
            except (OSError, HTTPException) as error:
                endings[f"{path} {type(error).__name__}"] += 1
            finally:
                connection.close()

    # Daemons: a request that is in flight at the end holds nobody up.
    threads = [
        threading.Thread(target=flood, args=(number,), daemon=True) for number in range(IN_FLIGHT)
    ]
    for thread in threads:
        thread.start()
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    sys.stdout.write(json.dumps(endings) + "\n")


if __name__ == "__main__":
    main()
