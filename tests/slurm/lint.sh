#!/usr/bin/env bash
# lint.sh SOURCE: the batch scripts and their tests, to the last hint. Where there is no shellcheck they are only parsed, and the
# test counts as skipped.
set -uo pipefail
cd "$1" || exit 1
scripts=(docs/machines/*.sh tests/slurm/*.sh)
for script in "${scripts[@]}"; do bash -n "$script" || exit 1; done
if ! command -v shellcheck >/dev/null; then
  echo "skipped: there is no shellcheck (Debian: shellcheck)"
  [ -z "${KAON_SLURM_REQUIRED:-}" ] || { echo "FAILED: KAON_SLURM_REQUIRED is set, so that this is no excuse"; exit 1; }
  exit 77
fi
shellcheck -x -P SCRIPTDIR "${scripts[@]}" && echo "${#scripts[@]} scripts"
