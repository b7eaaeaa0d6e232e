#!/bin/sh
# Finds a Python that Odoo 19 runs on and starts the command with it.
# Usage: launch.sh COMMAND [ARGUMENT...]
set -eu

dev_dir=$(cd "$(dirname "$0")/.." && pwd -P)

usable() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    # The machine's own python3 first: a "python3.13" of a version manager may be a dead shim.
    for candidate in python3 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
        if usable "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

if ! python=$(find_python); then
    if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
        echo "==> Installing python3 with apt-get" >&2
        apt-get update -q >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3 python3-venv >&2
    fi
    if ! python=$(find_python); then
        echo "No Python from 3.10 to 3.13 was found: install one (on Debian, as root: apt-get install python3 python3-venv) and start this again." >&2
        exit 1
    fi
fi

PYTHONPATH="$dev_dir${PYTHONPATH:+:$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1 exec "$python" -m commands "$@"
