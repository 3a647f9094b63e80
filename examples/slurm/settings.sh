# What is run, and on what: the only file to change. All paths must be seen by all machines, apart from SCRATCH.
# shellcheck shell=sh disable=SC2034

# The question, as `bartizan certify` takes it.
export MODEL="$HOME/robustness/model.onnx"
export DATA="$HOME/robustness/images.npy"
export LABELS="$HOME/robustness/labels.npy"
export RADIUS=8/255
export OPTIONS="--clip 0,1 --timeout 60"

# What must come of the whole run; leave REQUIRE empty for no gate.
export REQUIRE=0.8
export CONFIDENCE=0.95

# Into how many tasks the run is divided, and where their parts and the reports go.
export SHARDS=16
export SHARED="$HOME/robustness/run"

# A folder on the node itself; many sites set TMPDIR to one in each job.
export SCRATCH="${TMPDIR:-/tmp}"
# Seconds between two copies of a shard's answers to SHARED: so much work is lost at most when a task is killed.
export SNAPSHOT=300
# How often a task that was ended before it had finished, or was killed, is queued again.
export RESTARTS=20

# The program, and what the site wants to hear (`--partition`, `--account`, `--mem` ...), separated by blanks.
export BARTIZAN=bartizan
SHARD_OPTIONS="--time=04:00:00 --cpus-per-task=4 --mem=8G"
MERGE_OPTIONS="--time=01:00:00 --cpus-per-task=4 --mem=8G"
