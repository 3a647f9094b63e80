#!/bin/sh
# Runs the shards, then the merge, and ends as the merge ends: 0 if it succeeded, else 1. Before, the model and the data are on the volume.
#
# A Job cannot wait for another one, so this script does. Whoever ends it may start it again: what exists is left as it is.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# finish JOB: waits for the end of a job, and tells which.
finish() {
    while :; do
        conditions=$(kubectl get job "$1" --output 'jsonpath={.status.conditions[?(@.status=="True")].type}')
        case " $conditions " in
        *" Complete "*) echo complete && return ;;
        *" Failed "*) echo failed && return ;;
        esac
        sleep "${POLL:-10}"
    done
}

kubectl apply --filename "$here/settings.yaml"
kubectl apply --filename "$here/shards.yaml"
echo "shards: $(finish bartizan-shards)"

# Even where some have failed: their points count as unknown, which leaves what is said true.
kubectl apply --filename "$here/merge.yaml"
end=$(finish bartizan-merge)
kubectl logs job/bartizan-merge
echo "merge: $end"
[ "$end" = complete ]
