#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh DIRECTORY [TARGET...]: fuzzes with each target of the build's fuzz directory, or
# those named, one after the other, LKL_FUZZ_SECONDS each (600). What libFuzzer learns is
# kept in DIRECTORY/corpus/TARGET and used the next time; findings, inputs that made the
# kernel die, hang or need too much memory, in DIRECTORY/findings/TARGET, the output with
# the kernel's log beside them. LKL_FUZZ_FLAGS: more options for libFuzzer.
#
# Exit code: 0, nothing found; 1, findings; 2, a target did not run.
set -euo pipefail

directory=$(realpath "$1")
shift
export LKL_FUZZ_BASES=${LKL_FUZZ_BASES:-$directory/bases}
seconds=${LKL_FUZZ_SECONDS:-600}
read -ra flags <<<"${LKL_FUZZ_FLAGS:-}"

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for seeds in "$directory"/seeds/*/; do
        targets+=("$(basename "$seeds")")
    done
fi

# A target goes on after a finding, until it has too many of them.
most_findings=10
status=0
for target in "${targets[@]}"; do
    corpus=$directory/corpus/$target
    findings=$directory/findings/$target
    mkdir -p "$corpus" "$findings"
    echo "$target: $seconds s"
    end=$((SECONDS + seconds))
    for ((found = 0; found < most_findings && SECONDS < end; )); do
        log=$(mktemp "$findings/$(date +%Y%m%d-%H%M%S)-XXXX.log")
        result=0
        "$directory/$target" -max_total_time=$((end - SECONDS)) -timeout=20 -rss_limit_mb=4096 \
            -max_len=1024 -artifact_prefix="$findings/" -print_final_stats=1 "${flags[@]}" \
            "$corpus" "$directory/seeds/$target" >"$log" 2>&1 || result=$?
        if [ $result -eq 0 ]; then
            grep -E 'exec_per_sec|number_of_executed' "$log" | sed 's/^stat::/    /'
            rm "$log"
            break
        elif artefact=$(grep -o 'Test unit written to .*' "$log"); then
            echo "    found: ${artefact#Test unit written to }"
            echo "    its log: $log"
            found=$((found + 1))
            [ $status -ne 0 ] || status=1
        else
            tail -5 "$log" >&2
            status=2
            break
        fi
    done
done
exit $status
