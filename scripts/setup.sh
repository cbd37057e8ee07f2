#!/bin/sh
# Sets up everything on a fresh Debian 12 or 13: system packages, virtual environment, locked dependencies.
# Changes nothing when all of it is there.
set -eu
cd "$(dirname "$0")/.."

if ! command -v python3 >/dev/null || ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "handover needs Python 3.11 or newer as python3; Debian 12 and 13 have it" >&2
  exit 1
fi

# What is missing, found by what would be used, not by package names.
missing=""
need() { missing="$missing $1"; }
has_library() { python3 -c "import ctypes, sys; ctypes.CDLL(sys.argv[1])" "$1" 2>/dev/null; }
python3 -c 'import venv, ensurepip' 2>/dev/null || need python3-venv
has_library libpango-1.0.so.0 || need libpango-1.0-0
has_library libpangoft2-1.0.so.0 || need libpangoft2-1.0-0
has_library libharfbuzz-subset.so.0 || need libharfbuzz-subset0
has_library libseccomp.so.2 || need libseccomp2
[ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || need fonts-dejavu-core
command -v age >/dev/null || need age
command -v unzip >/dev/null || need unzip
command -v ssh-keygen >/dev/null || need openssh-client
command -v pdfsig >/dev/null || need poppler-utils
# Only for tests in a browser: `setup.sh browser`.
[ "${1:-}" != browser ] || command -v chromium >/dev/null || need chromium

if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ]; then as_root=""
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root="sudo"
  else
    echo "system packages are missing and this user may not install them; run as root:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  $as_root apt-get update -qq
  # shellcheck disable=SC2086  (a list of package names)
  $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

stamp=".venv/.handover-$(cat requirements.lock pyproject.toml | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
  [ -x .venv/bin/python ] || python3 -m venv .venv
  .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
  # The checkout itself is on the path; nothing of it is copied, so nothing gets stale.
  site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  pwd >"$site/handover-checkout.pth"
  printf '#!%s/.venv/bin/python\nfrom handover.cli.main import main\nmain()\n' "$(pwd)" >.venv/bin/handover
  chmod +x .venv/bin/handover
  rm -f .venv/.handover-*
  touch "$stamp"
fi
