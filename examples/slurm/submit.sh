#!/bin/sh
# Submits a run: an array with a task for each shard, and a job that puts them together.
#
#   sh submit.sh [SETTINGS]    the file `settings.sh` beside this script unless another is named
set -eu
here=$(cd "$(dirname "$0")" && pwd)
settings=${1:-$here/settings.sh}
case $settings in /*) ;; *) settings=$PWD/$settings ;; esac
scripts=$here/../cluster

# shellcheck source=settings.sh disable=SC1091
. "$settings"
mkdir -p "$SHARED"

# `--parsable` prints JOB or JOB;CLUSTER.
# shellcheck disable=SC2086 # Blanks separate options.
array=$(sbatch --parsable --array="1-$SHARDS" --output="$SHARED/shard-%a.log" $SHARD_OPTIONS \
    "$here/shards.sbatch" "$settings" "$scripts")
array=${array%%;*}

# After the shards whatever has become of them (afterany): points without an answer count as unknown, so what the merged run says is true
# even if a task has failed, and merge.sh names the task. With afterok one task that failed would keep the others' answers from everybody,
# and leave a job in the queue that never starts. A task that is queued again has not ended: the merge waits for it.
# shellcheck disable=SC2086
merge=$(sbatch --parsable --dependency="afterany:$array" --output="$SHARED/merge.log" $MERGE_OPTIONS \
    "$here/merge.sbatch" "$settings" "$scripts")
echo "shards: job $array, tasks 1 to $SHARDS; merge: job ${merge%%;*}; results in $SHARED"
