# W12, for bench/run: the engine on PostgreSQL, on this machine with its server: W1 and W2 beside the embedded store in
# turn, a bare commit and the six commits of W2's chain beside them, without an engine; 1, 2 and 4 nodes on one database; what an idle fleet of ten nodes asks; and with
# --peers DBOS on its server, with ours before and after it on the same.
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

# What the six commits of W2's chain ask the server, from pgbench: the same checks, rows and indexes, a round trip each.
w12_six_commits() {
    local n entry="INSERT INTO execution_journal(shard, exec_no, seq, position, at_ms, kind, step, attempt, actor, body, hash)
 SELECT 5, :n, seq, (SELECT position_base + (pg_current_xact_id()::text::bigint << 20) FROM meta) + seq, 1, 'attempt_succeeded',
 'a', 1, 'engine', repeat('x', 240), '\\x00112233445566778899aabbccddeeff' FROM unnest(array"
    echo '\set n random(1, 1000000000000)'
    for n in 1 2 3 4 5 6; do
        echo '\startpipeline'
        echo "SELECT 1/count(*) FROM (SELECT incarnation FROM nodes WHERE incarnation = 0 AND is_live FOR SHARE) n;"
        echo "SELECT 1/count(*) FROM unnest(array[5], array[1::bigint]) a(shard, epoch) JOIN shards s ON s.shard = a.shard;"
        if [ "$n" = 1 ]; then
            echo "INSERT INTO chain_executions(shard, exec_no, execution_id, chain_id, chain_version, status, phase,
 priority, queue_held, created_at_ms, started_at_ms, input) VALUES(5, :n, decode(lpad(to_hex(:n::bigint), 32, '0'), 'hex'),
 'bench', 1, 'running', 1, 0, false, 1, 1, '{}');"
        elif [ "$n" = 6 ]; then
            echo "UPDATE chain_executions SET status = 'completed', phase = 2, finished_at_ms = 2, outputs = ''
 WHERE shard = 5 AND exec_no = :n;"
        fi
        echo "${entry}[$n::bigint$([ "$n" != 6 ] || echo ', 7')]) e(seq);"
        echo '\endpipeline'
    done
}

w12_pgbench() { # KEY FILE DATABASE COUNT: how long one run of the script took
    (cd "$work" && rm -f pgbench_log.* && PGOPTIONS="-c search_path=catena" "$pg_bin/pgbench" -n -M prepared -c 1 -t "$4" -l \
        -h "$pg_socket" -U catena -f "$2" "$3" >"$work/pgbench.out" 2>&1 || tail -2 "$work/pgbench.out" >&2
        cat pgbench_log.* | awk '{ print $3 / 1000 }' | sort -n |
        awk -v key="$1" '{ all[NR] = $1 } END { printf "%s/p50_ms %.3f\n%s/p99_ms %.3f\n", key,
            all[int((NR + 1) / 2)], key, all[int(NR * 0.99)] }') | note
}

w12_turn() { # N
    tell "w12: turn $1"
    w12_cpu "w12/postgres/256/$1" "$bin/bench_chains" "w12/postgres/256/$1" "$work" 256 --store "$(pg_fresh "w1_$1")" \
        --seconds "$(part 1)" --warm "$(part 0.2)"
    "$bin/bench_chains" "w12/sqlite/256/$1" "$work" 256 --seconds "$(part 0.5)" --warm "$(part 0.2)" |
        grep -E 'steps_per_s|p50|p99|cpu_us_per_step |others' | note
    w12_cpu "w12/postgres/1/$1" "$bin/bench_chains" "w12/postgres/1/$1" "$work" 1 --store "$(pg_fresh "w2_$1")" \
        --seconds "$(part 0.5)" --warm "$(part 0.1)"
    pg_sql "CREATE SCHEMA IF NOT EXISTS catena; CREATE TABLE IF NOT EXISTS catena.bare(n bigint GENERATED ALWAYS AS IDENTITY, body text)"
    echo "INSERT INTO bare(body) VALUES (repeat('x', 300));" >"$work/bare.sql"
    w12_pgbench "w12/bare_commit/$1" "$work/bare.sql" postgres 2000
    w12_six_commits >"$work/six.sql"
    w12_pgbench "w12/six_commits/$1" "$work/six.sql" "w2_$1" 500
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

# So many processes share one database and the 256 chains; each begins when it has its share of the shards.
w12_nodes() { # NODES
    local n url pids=
    tell "w12: $1 nodes on one database"
    url=$(pg_fresh "nodes_$1")
    for n in $(seq "$1"); do
        mkdir -p "$work/node$n"
        "$bin/bench_chains" "w12/nodes/$1/$n" "$work/node$n" $((256 / $1)) --store "$url" --nodes "$1" \
            --seconds "$(part 1)" --warm "$(part 0.2)" >"$work/node$n/figures" &
        pids+=" $!"
    done
    for n in $pids; do wait "$n"; done
    awk -v key="w12/nodes/$1" '$1 ~ /\/steps_per_s$/ { sum += $2 } $1 ~ /\/p99_ms$/ && $2 > worst { worst = $2 }
        END { printf "%s/steps_per_s %.1f\n%s/worst_p99_ms %.2f\n", key, sum, key, worst }' "$work"/node*/figures | note
    rm -rf "$work"/node*
}

# Ours on the server that the peers' harness starts, before and after DBOS.
w12_peers() {
    local url PEERS_WANTED=dbos PEERS_WORKLOADS=none # bench/run has a round of all the peers behind this
    . bench/peers.sh                                 # its own round has nothing to do then
    [ -n "$peers_here" ] || return 0
    url=$("$peers_harness/pg.sh" url)
    w12_beside 1
    peer_run dbos w1 256
    w12_beside 2
    peer_run dbos w2
    awk '$1 ~ /^w12\/same_server\/postgres\/256\/[12]\/steps_per_s$/ { ours += $2 / 2 }
        $1 == "peers/w1_256/dbos/steps_per_s" { theirs = $2 }
        END { if (ours && theirs) printf "w12/same_server/times_dbos %.1f\n", ours / theirs }' "$figures" | note
    "$peers_harness/pg.sh" stop >>"$peers_log" 2>&1
}

w12_beside() { # N: w12_peers's url
    psql -q "$url" -c "DROP DATABASE IF EXISTS catena_$1 WITH (FORCE)" -c "CREATE DATABASE catena_$1" -c CHECKPOINT >>"$peers_log" 2>&1
    "$bin/bench_chains" "w12/same_server/postgres/256/$1" "$work" 256 --store "${url%/postgres}/catena_$1" \
        --seconds "$(part 1)" --warm "$(part 0.2)" | grep -E 'steps_per_s|p50|p99|cpu_us_per_step |others' | note
}

for n in $(seq "$repeat"); do w12_turn "$n"; done
for n in 1 2 4; do w12_nodes "$n"; done
w12_idle
pg_end
[ -z "$peers" ] || w12_peers
