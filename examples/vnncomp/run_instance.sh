#!/bin/sh
# Answers an instance of VNN-COMP. The results file gets, whole or not at all, a first line
#   unsat    no counterexample exists: proved
#   sat      the lines after it are a counterexample
#   timeout  the time limit, or whoever ended this script, came first
#   unknown  nothing was found out
#   error    the files are wrong or the network is refused (standard error says why), or bartizan crashed
#
# The time limit is that of everything: reading the files counts. Ended with SIGTERM or SIGINT this script leaves `timeout` and no
# process; ended with SIGKILL no process either, where there is setpriv (util-linux).
#
# Usage: run_instance.sh v1 CATEGORY MODEL.onnx[.gz] PROPERTY.vnnlib[.gz] RESULTS TIMEOUT
# From the environment: BARTIZAN, the program [default: that of install_tool.sh]
# Exit codes: 0 the results file says what came of it; 1 wrong arguments, or results that cannot be written.
set -u

fail() {
    echo "error: run_instance.sh: $1" >&2
    exit 1
}

if [ $# -ne 6 ] || [ "$1" != v1 ]; then
    fail "expected \`v1 CATEGORY MODEL PROPERTY RESULTS TIMEOUT\`, found \`$*\`"
fi
bartizan=${BARTIZAN:-$(dirname "$0")/../../target/release/bartizan}
model=$3 property=$4 results=$5 limit=$6
new=$results.$$
run=
told=

# Told to end: bartizan ends at once, and what it was writing is thrown away.
# shellcheck disable=SC2317 # The trap below calls it.
end() {
    told=yes
    [ -z "$run" ] || kill -TERM "$run" 2> /dev/null || true
}
trap end TERM INT
trap 'rm -f "$new"' EXIT

# A process that is killed together with the one that started it.
tied=
if command -v setpriv > /dev/null && setpriv --pdeathsig KILL true 2> /dev/null; then
    tied="setpriv --pdeathsig KILL"
fi

(: > "$new") 2> /dev/null || fail "cannot write $new"
if [ -z "$told" ]; then
    # shellcheck disable=SC2086 # Blanks separate the words.
    $tied timeout "$limit" $tied "$bartizan" verify "$model" "$property" --timeout "$limit" --format vnncomp > "$new" &
    run=$!
    [ -z "$told" ] || kill -TERM "$run" 2> /dev/null || true
    code=0
    wait "$run" || code=$?
    # A signal ends the first wait before the process has ended.
    [ -z "$told" ] || wait "$run" 2> /dev/null || true
fi

if [ -n "$told" ]; then
    echo timeout > "$new"
else
    case $code in
    0 | 1 | 3) ;;
    124) echo timeout > "$new" ;;
    *) echo error > "$new" ;;
    esac
fi
mv "$new" "$results" || fail "cannot write $results"
