#!/bin/sh
# Puts the shards of a run together, has everything checked again, writes the reports and judges the gate.
#
# Shards that have not ended take part with their last snapshot, and points without an answer count as unknown: what is said stays true,
# only weaker. The shared folder gets run.db, report.html, report.json, report.xml (JUnit), report.sarif and report.md.
#
# From the environment: MODEL, SHARDS, SHARED, SCRATCH and BARTIZAN as for shard.sh, and
#   REQUIRE     share of inputs that must be correct and robust, such as 0.8 [default: no gate]
#   CONFIDENCE  of the interval by which that is judged [default: 0.95]
#
# Exit codes:
#   0  everything was confirmed; the gate was met, or without one all points have an answer
#   1  the gate was not met, or the checker refused an answer: the output says which
#   2  wrong options or files, no shard, or shards of different questions
#   3  no gate, and points without an answer
set -eu

fail() {
    echo "error: merge.sh: $1" >&2
    exit 2
}

for name in MODEL SHARDS SHARED; do
    eval "value=\${$name-}"
    [ -n "$value" ] || fail "variable $name: expected a value, found none"
done

bartizan=${BARTIZAN:-bartizan}
confidence=${CONFIDENCE:-0.95}
folder=$(mktemp -d "${SCRATCH:-${TMPDIR:-/tmp}}/bartizan.XXXXXX") || fail "variable SCRATCH: cannot make a folder there"
trap 'rm -rf "$folder"' EXIT

# A finished store is one file that nobody writes to: it may be read where it is. A snapshot comes with its log: not on a network disk.
set --
shard=1
while [ "$shard" -le "$SHARDS" ]; do
    part=$SHARED/part-$shard
    if [ -e "$part.db" ]; then
        set -- "$@" "$part.db"
    elif [ -e "$part.tar" ]; then
        echo "warning: merge.sh: shard $shard has not ended; its last snapshot takes part" >&2
        mkdir "$folder/part-$shard"
        tar -C "$folder/part-$shard" -xf "$part.tar"
        set -- "$@" "$folder/part-$shard/part.db"
    else
        echo "warning: merge.sh: shard $shard has left nothing" >&2
    fi
    shard=$((shard + 1))
done
[ $# -gt 0 ] || fail "folder $SHARED: expected part-1.db to part-$SHARDS.db, found none of them"

merged=0
"$bartizan" merge "$@" --store "$folder/run.db" || merged=$?
case $merged in 0 | 3) ;; *) exit 2 ;; esac
"$bartizan" check "$folder/run.db" --model "$MODEL"

new="$SHARED/run.db.$(uname -n).$$"
cp "$folder/run.db" "$new" || fail "cannot write $new"
mv "$new" "$SHARED/run.db" || fail "cannot write $SHARED/run.db"

set -- "$SHARED/run.db" --confidence "$confidence"
[ -z "${REQUIRE-}" ] || set -- "$@" --require "$REQUIRE"
judged=0
"$bartizan" report "$@" --report "$SHARED/report.html" --json "$SHARED/report.json" --junit "$SHARED/report.xml" \
    --sarif "$SHARED/report.sarif" --markdown "$SHARED/report.md" || judged=$?
[ "$judged" -le 1 ] || exit "$judged"
"$bartizan" coverage "$@" || exit $?
[ -n "${REQUIRE-}" ] || exit "$merged"
