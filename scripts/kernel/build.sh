#!/bin/sh
# Makes handover/kernel/kernel.wasm from the C beside it: build.sh [TARGET]. The same compiler gives the same bytes.
set -eu
here=$(cd "$(dirname "$0")/../../handover/kernel" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check ziglang==0.17.1
"$work/venv/bin/python" -m ziglang cc --target=wasm32-freestanding -O3 -msimd128 -fno-builtin -nostdlib -Wall -Wextra -Werror \
  -Wl,--no-entry -Wl,--export-dynamic -Wl,--export=__heap_base -Wl,--strip-all -fvisibility=default \
  -o "${1:-$here/kernel.wasm}" "$here"/*.c
