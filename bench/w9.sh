# W9, for bench/run: starts over the API of the real `catena serve`, API_RATE a second for API_SECONDS (an open load, each
# answered when it is on disk), then as fast as they can; and the disk alone before and after.
#
#   API_RATE      1000
#   API_SECONDS   four times the seconds of a measurement: 60
api_before=$(raw 100)
tell "w9: ${API_RATE:-1000} starts a second"
mkdir "$work/w9"
"$bin/bench_api" w9 "$catena" "$work/w9" "${API_RATE:-1000}" "${API_SECONDS:-$(part 4)}" | note
say w9/raw_rows_per_s "$(awk -v a="$api_before" -v b="$(raw 100)" 'BEGIN { printf "%.0f", (a + b) / 2 }')"
