# W12, for bench/run: the engine on PostgreSQL, on this machine with its server: W1 and W2 beside the embedded store in
# turn, a bare commit beside them, DBOS if the peers' harness is there, and what an idle fleet of ten nodes asks.
#
#   W12_NODES     10
#   W12_IDLE_S    30
. bench/pg.sh
pg_begin || return 0

w12_cpu() { # KEY COMMAND...: the figures, and the server's CPU a step
    local key=$1 before after
    shift
    before=$(pg_cpu_s)
    "$@" >"$work/w12.figures"
    after=$(pg_cpu_s)
    grep -E 'steps_per_s|p50|p99|cpu_us_per_step |commits_per_s|others' "$work/w12.figures" | note
    awk -v key="$key" -v cpu="$(awk -v a="$after" -v b="$before" 'BEGIN { print a - b }')" -v span="$(part 1.2)" \
        '$1 == key "/steps_per_s" { printf "%s/server_cpu_us_per_step %.1f\n", key, cpu / ($2 * span) * 1e6 }' \
        "$work/w12.figures" | note
}

w12_turn() { # N
    tell "w12: turn $1"
    w12_cpu "w12/postgres/256/$1" "$bin/bench_chains" "w12/postgres/256/$1" "$work" 256 --store "$(pg_fresh "w1_$1")" \
        --seconds "$(part 1)" --warm "$(part 0.2)"
    "$bin/bench_chains" "w12/sqlite/256/$1" "$work" 256 --seconds "$(part 0.5)" --warm "$(part 0.2)" |
        grep -E 'steps_per_s|p50|p99|cpu_us_per_step |others' | note
    w12_cpu "w12/postgres/1/$1" "$bin/bench_chains" "w12/postgres/1/$1" "$work" 1 --store "$(pg_fresh "w2_$1")" \
        --seconds "$(part 0.5)" --warm "$(part 0.1)"
    pg_sql "CREATE TABLE IF NOT EXISTS bare(n bigint GENERATED ALWAYS AS IDENTITY, body text)"
    echo "INSERT INTO bare(body) VALUES (repeat('x', 300));" >"$work/bare.sql"
    (cd "$work" && rm -f pgbench_log.* && "$pg_bin/pgbench" -n -M prepared -c 1 -t 2000 -l \
        -h "$pg_socket" -U catena -f "$work/bare.sql" postgres >/dev/null 2>&1 &&
        cat pgbench_log.* | awk '{ print $3 / 1000 }' | sort -n |
        awk -v key="w12/bare_commit/$1" '{ all[NR] = $1 } END { printf "%s/p50_ms %.3f\n%s/p99_ms %.3f\n", key,
            all[int((NR + 1) / 2)], key, all[int(NR * 0.99)] }') | note
}

w12_idle() {
    local nodes=${W12_NODES:-10} span before after n url pids=
    span=${W12_IDLE_S:-30}
    tell "w12: $nodes nodes with nothing to do for $span s"
    url=$(pg_fresh idle)
    mkdir -p "$work/idle"
    for n in $(seq "$nodes"); do
        (cd "$work/idle" && exec "$catena" serve --store "$url" --node "n$n" >"n$n.log" 2>&1) &
        pids+=" $!"
    done
    sleep 8 # they join, and share
    before=$(pg_statements)
    sleep "$span"
    after=$(pg_statements)
    # BEGIN and COMMIT are counted too; so is our own look
    say "w12/idle/$nodes/statements_per_s" "$(awk -v a="$after" -v b="$before" -v s="$span" 'BEGIN { printf "%.1f", (a - b - 1) / s }')"
    pg_sql "SELECT calls, left(query, 120) FROM pg_stat_statements ORDER BY calls DESC LIMIT 5" >&2
    kill $pids && wait $pids || true
}

for n in $(seq "$repeat"); do w12_turn "$n"; done
w12_idle
if [ -n "$peers" ]; then
    . bench/peers.sh
    peers_wanted=dbos
    peers_ready && PG=1 "$peers_harness/run.sh" dbos w1 256 2>>"$peers_log" | peer_figures dbos | note || true
fi
pg_end
