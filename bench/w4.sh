# W4, for bench/run: killed at half, started again.
tell w4
mkdir "$work/w4"
"$bin/bench_crash" w4 "$catena" "$bin/bench_server" "$work/w4" | note
