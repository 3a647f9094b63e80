#!/bin/sh
# Prepares an instance of VNN-COMP: nothing has to be converted, so this finds out whether the files are there and whether bartizan reads
# the network. Nothing is kept.
#
# Usage: prepare_instance.sh v1 CATEGORY MODEL.onnx[.gz] PROPERTY.vnnlib[.gz]
# From the environment: BARTIZAN, the program [default: that of install_tool.sh]
# Exit codes: 0 ready; 1 wrong arguments, no such file, a network that is refused (standard error names what in it).
set -eu

fail() {
    echo "error: prepare_instance.sh: $1" >&2
    exit 1
}

if [ $# -ne 4 ] || [ "$1" != v1 ]; then
    fail "expected \`v1 CATEGORY MODEL PROPERTY\`, found \`$*\`"
fi
bartizan=${BARTIZAN:-$(dirname "$0")/../../target/release/bartizan}
command -v "$bartizan" > /dev/null || fail "expected the program $bartizan, found none: run install_tool.sh"
for file in "$3" "$4"; do
    [ -r "$file" ] || fail "expected a file $file, found none"
done

"$bartizan" inspect "$3" > /dev/null || exit 1
