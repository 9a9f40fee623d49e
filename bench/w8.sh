# W8, for bench/run: how long a quiet tenant's executions wait, from the request to start until the first call begins: alone;
# beside a noisy tenant that submits NEIGHBOUR_NOISY; and beside him when his `running` is all places, so that none is kept free.
#
#   NEIGHBOUR_NOISY   100000
neighbour_noisy=${NEIGHBOUR_NOISY:-100000}

# neighbour_cell NAME NOISY NOISY_RUNNING
neighbour_cell() {
    tell "w8 $1"
    "$bin/bench_neighbour" "w8/$1" "$work" "$(part 1)" "$2" "$3" | note
}
neighbour_cell alone 0 0
neighbour_cell beside "$neighbour_noisy" 0
neighbour_cell beside_no_place_kept "$neighbour_noisy" 64
for neighbour in beside beside_no_place_kept; do
    for figure in p50 p99; do
        times=$(awk -v figure="quiet_${figure}_ms" -v who="w8/$neighbour/" '
            $1 == "w8/alone/" figure { alone = $2 }
            $1 == who figure { beside = $2 }
            END { if (alone) printf "%.2f", beside / alone }' "$figures")
        [ -z "$times" ] || say "w8/$neighbour/${figure}_times_alone" "$times"
    done
done
