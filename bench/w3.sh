# W3, for bench/run: cold start, idle memory, size of the binary.
tell w3
"$bin/bench_start" w3 "$catena" "$work" 20 "$(part 0.27)" | note
strip -o "$work/stripped" "$catena"
say w3/binary_stripped_bytes "$(stat -c %s "$work/stripped")"
say w3/binary_bytes "$(stat -c %s "$catena")"
