#!/bin/sh
# Answers one shard of a run, for any scheduler, and goes on where an earlier attempt at it ended.
#
# SQLite's write-ahead log needs memory that processes share, which network file systems do not give. So the store lives in a folder of
# this machine while the shard is answered, and the shared folder gets
#   part-I.tar  every SNAPSHOT seconds, and when somebody ends the run: what has been answered so far
#   part-I.db   once all points have an answer: the store as one file
# Each of them appears whole or not at all. Whoever kills this script with SIGKILL, or its machine, loses what has been answered since the
# last snapshot and nothing else.
#
# From the environment:
#   MODEL, DATA, RADIUS  what `bartizan certify` is asked; LABELS where DATA does not hold them
#   OPTIONS              more of its options, separated by blanks, such as `--clip 0,1 --timeout 60`
#   SHARD, SHARDS        which part of how many, from 1
#   SHARED               folder that all machines see; it exists
#   SCRATCH              folder on this machine [default: TMPDIR, or else /tmp]
#   SNAPSHOT             seconds between snapshots [default: 300]
#   BARTIZAN             the program [default: bartizan]
#
# Exit codes:
#   0  all points have an answer, or the time of `--budget` is over: nothing is left to do
#   2  wrong options or files, a disk that is full: the same again would fail again
#   3  somebody ended it with SIGTERM or SIGINT before it was finished: run it again, and it goes on
#   any other: bartizan was killed (137: often for want of memory) or crashed: run it again, but not for ever
set -eu

fail() {
    echo "error: shard.sh: $1" >&2
    exit 2
}

for name in MODEL DATA RADIUS SHARD SHARDS SHARED; do
    eval "value=\${$name-}"
    [ -n "$value" ] || fail "variable $name: expected a value, found none"
done
[ -d "$SHARED" ] || fail "variable SHARED: expected a folder that exists, found \`$SHARED\`"
# A snapshot waits until all threads stand still, which only /proc tells.
[ -e /proc/self/status ] || fail "expected a Linux system with /proc, found none"

bartizan=${BARTIZAN:-bartizan}
interval=${SNAPSHOT:-300}
part=$SHARED/part-$SHARD
run=
told=

# Told to end: bartizan finishes the answers that are ready and closes the store. A second signal would end it at once, so it gets one.
# shellcheck disable=SC2317 # The trap below calls it.
end() {
    if [ -z "$told" ] && [ -n "$run" ]; then
        kill -TERM "$run" 2>/dev/null || true
    fi
    told=yes
}

# publish FILE NAME: puts a file into the shared folder, whole or not at all.
publish() {
    new="$2.$(uname -n).$$"
    if cp "$1" "$new" && mv "$new" "$2"; then return 0; fi
    rm -f "$new"
    return 1
}

# Waits until no thread of the run moves, for 10 s at most.
stand_still() {
    tries=0
    while grep -qs '^State:[[:space:]]*[RSD]' "/proc/$run/task"/*/status; do
        tries=$((tries + 1))
        [ "$tries" -lt 1000 ] || return 1
        sleep 0.01
    done
}

# Publishes the store as it is on the disk, whoever writes to it: with its log it is what a run that was killed at this moment leaves
# behind, from which SQLite recovers. `part.db-shm` and `part.db-lock` mean nothing to others.
keep() {
    rm -rf "$folder/copy"
    mkdir "$folder/copy"
    for suffix in "" -wal -journal; do
        [ ! -e "$folder/part.db$suffix" ] || cp "$folder/part.db$suffix" "$folder/copy/" || return 1
    done
}
send() {
    [ -e "$folder/copy/part.db" ] || return 0
    tar -C "$folder/copy" -cf "$folder/part.tar" . && publish "$folder/part.tar" "$part.tar"
}

# A snapshot of a run that goes on: it stands still while its files are copied on this machine, and no longer.
snapshot() {
    kill -STOP "$run" 2>/dev/null || return 0
    is_kept=no
    if stand_still && keep; then is_kept=yes; fi
    kill -CONT "$run" 2>/dev/null || true
    [ "$is_kept" = yes ] && send
}

folder=$(mktemp -d "${SCRATCH:-${TMPDIR:-/tmp}}/bartizan.XXXXXX") || fail "variable SCRATCH: cannot make a folder there"
trap 'rm -rf "$folder"' EXIT
trap end TERM INT

if [ -e "$part.db" ]; then
    # Finished before: the run below finds out whether the same was asked, and does what a budget may have left.
    cp "$part.db" "$folder/part.db"
elif [ -e "$part.tar" ]; then
    tar -C "$folder" -xf "$part.tar"
fi

set -- certify "$MODEL" --data "$DATA" --radius "$RADIUS" --shard "$SHARD/$SHARDS" --store "$folder/part.db" --resume
[ -z "${LABELS-}" ] || set -- "$@" --labels "$LABELS"
set -f # Blanks separate options, and `*` is no pattern.
# shellcheck disable=SC2086
set -- "$@" ${OPTIONS-}
set +f

[ -z "$told" ] || exit 3
"$bartizan" "$@" &
run=$!
[ -z "$told" ] || kill -TERM "$run" 2>/dev/null || true

waited=0
while kill -0 "$run" 2>/dev/null; do
    # Where everything gets the signal, this does too.
    sleep 1 || true
    waited=$((waited + 1))
    if [ "$waited" -ge "$interval" ] && [ -z "$told" ]; then
        snapshot || echo "warning: shard.sh: no snapshot could be written to $part.tar; the run goes on" >&2
        waited=0
    fi
done
code=0
wait "$run" || code=$?

case $code in
0)
    publish "$folder/part.db" "$part.db" || fail "cannot write $part.db"
    # The snapshot, and what attempts that were killed while they wrote one have left.
    rm -f "$part.tar" "$part.tar".*.* "$part.db".*.*
    ;;
1 | 2) ;;
*)
    { keep && send; } || echo "warning: shard.sh: no snapshot could be written to $part.tar" >&2
    # A signal that came before bartizan listened, or a second one from elsewhere, ends it otherwise than with 3.
    [ -z "$told" ] || code=3
    ;;
esac
exit "$code"
