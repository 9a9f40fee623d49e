# W5, for bench/run: start on a store of a million finished and 100,000 parked executions. The store is made once (10
# million journal rows, 4 GB, some minutes; W6 leaves it behind, too) and kept as grown.db in the folder of the stores.
tell w5
mkdir -p "$work/w5"
if [ ! -e "$dir/grown.db" ]; then
    tell "making $dir/grown.db, once"
    "$bin/bench_fill" "$work/grown.db" rows "${BENCH_ROWS:-10000000}"
    mv "$work"/grown.db* "$dir/"
fi
"$bin/bench_fill" "$dir/grown.db" parked "${BENCH_PARKED:-100000}"
"$bin/bench_fill" "$dir/grown.db" cut 100
"$bin/bench_wake" w5 "$catena" "$work/w5" "$dir/grown.db" "$(part 0.27)" | note
