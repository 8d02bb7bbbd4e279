#!/bin/sh
# Starts the daemon of one tenant: its virtualenv, its source folder, its INI file.
# For supervisord, runit and the like. The final `exec` matters: the daemon takes the place of
# this shell, so that the supervisor's signals reach the daemon itself.
#
# Copy it per tenant and change the three lines, or set the variables from outside.
set -eu

INISCHED_VENV=${INISCHED_VENV:-/srv/example/venv}
INISCHED_SOURCE=${INISCHED_SOURCE:-/srv/example/source}
INISCHED_PATH=${INISCHED_PATH:-/srv/example/scheduler.ini}
export INISCHED_PATH

. "$INISCHED_VENV/bin/activate"
cd "$INISCHED_SOURCE"
exec inisched run -P "$INISCHED_PATH" "$@"
