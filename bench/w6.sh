# W6, for bench/run: what a step costs as the store grows, as one execution grows, and with many in flight.
# BENCH_ROWS (10,000,000), BENCH_STEPS (1,000,000) and BENCH_IN_FLIGHT (100,000) make it smaller.
w6_rows() {
    local rows before after
    for rows in 0 1000000 3000000 "${BENCH_ROWS:-10000000}"; do
        [ "$rows" -le "${BENCH_ROWS:-10000000}" ] || continue
        tell "w6 at $rows rows"
        "$bin/bench_fill" "$work/grown.db" rows "$rows"
        before=$(raw 100)
        "$bin/bench_chains" "w6/rows/$rows" "$work" 256 --store "$work/grown.db" --seconds "$(part 0.3)" --warm "$(part 0.1)" |
            grep -E 'steps_per_s|cpu_us_per_step |p50|p99|others' | note
        after=$(raw 100)
        say "w6/rows/$rows/raw_rows_per_s" "$(awk -v a="$before" -v b="$after" 'BEGIN { printf "%.0f", (a + b) / 2 }')"
    done
    if [ ! -e "$dir/grown.db" ]; then mv "$work"/grown.db* "$dir/"; else rm -f "$work"/grown.db*; fi # for W5
}

w6_steps() {
    tell "w6: one execution of ${BENCH_STEPS:-1000000} steps"
    mkdir "$work/w6"
    "$bin/bench_million" w6/one_execution "$catena" "$work/w6" "${BENCH_STEPS:-1000000}" | note
}

w6_in_flight() {
    local many=${BENCH_IN_FLIGHT:-100000}
    tell "w6: $many in flight"
    "$bin/bench_chains" "w6/in_flight/$many" "$work" "$many" --seconds "$(part 2)" --warm "$(part 0.3)" |
        grep -E 'steps_per_s|cpu_us_per_step |p50|p99|rss|others' | note
}

w6_rows
w6_steps
w6_in_flight
