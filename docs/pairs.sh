#!/usr/bin/env bash
# Runs commands that print "img_per_s" as JSON in turn, on a machine whose speed changes by the hour, and prints the
# median and all values of each.
#   docs/pairs.sh 5 'old/reidbench bench train osnet --json' 'new/reidbench bench train osnet --json'
set -euo pipefail
rounds=$1
shift
declare -a values
for ((round = 0; round < rounds; round++)); do
  i=0
  for command in "$@"; do
    values[i]+=" $(bash -c "$command" 2> /dev/null | grep -oE '"img_per_s": *[0-9.]+' | grep -oE '[0-9.]+$')"
    i=$((i + 1))
  done
done
i=0
for command in "$@"; do
  sorted=($(printf '%s\n' ${values[i]} | sort -g))
  printf '%9.2f  %s  (%s )\n' "${sorted[${#sorted[@]} / 2]}" "$command" "${values[i]}"
  i=$((i + 1))
done
