# W11, for bench/run: the labelled leads through the travel pack's mobile-lead-processing, and through a plain script that
# makes the same calls one after the other (bench/lead_client.mjs). The tool server is the same, behind bench_delay: a
# search takes 800 ms, reading a lead 300, as services far away would; all else is the tools' own time.
#
#   LEADS            the folder of the leads (../shared/data/leads)
#   LEADS_AT_ONCE    calls of one tool that the services take at the same time, in the second measurement (4)
leads=$(realpath "${LEADS:-../shared/data/leads}")
scripts/build release catena-travel >&2

# lead_world NAME [BENCH_DELAY_OPTION...]: a configuration and stores of its own, in $work/NAME
lead_world() {
    local world=$work/$1 pack=$PWD/travel
    shift
    mkdir -p "$world"
    lead_server=("$bin/bench_delay" "$@" extract_lead=300 search_flights=800 search_hotels=800 -- "$PWD/build/release/travel/catena-travel" serve)
    {
        echo "store: sqlite:bench.db"
        echo "sealing: {key: {file: bench.key}}"
        printf 'servers: {travel: {command: "%s", args: [' "${lead_server[0]}"
        printf '"%s", ' "${lead_server[@]:1}"
        echo "], env: {CRM: \"$world/crm.db\", AGENCY: \"$world/agency.yaml\"}, trusted: true}}"
        echo "include: [\"$pack/chains/*.yaml\", \"$pack/instruction-sets/*.yaml\", \"$pack/templates/\"]"
    } >"$world/catena.yaml"
    cp travel/agency.yaml "$world/" # what is sent goes to the outbox beside it
}
# lead_side KEY SIDE ARGUMENT... : what it prints are figures under KEY
lead_side() {
    local key=$1
    tell "${key//\// } $2"
    timeout 300 node bench/lead_client.mjs "${@:2}" >"$work/cell" 2>"$work/cell.log" ||
        { tell "$key failed: $(tail -1 "$work/cell.log")"; return 1; }
    sed "s,^,$key/," "$work/cell" | note
}
# What share of the plain script's time is saved, in percent
lead_saved() { # KEY FIGURE PLAIN_FIGURE
    awk -v chain="$1/chain/$2" -v plain="w11/plain/$3" '$1 == chain { c = $2 } $1 == plain { p = $2 }
        END { if (c && p) printf "%.1f", 100 * (1 - c / p) }' "$figures"
}

if ! command -v node >/dev/null || [ ! -d "$leads" ]; then
    tell "w11 is left out: it needs node, and the leads (LEADS names their folder)"
else
    lead_world plain
    CRM=$work/plain/crm.db AGENCY=$work/plain/agency.yaml lead_side w11 plain "$leads" "${lead_server[@]}"
    lead_world one
    lead_side w11/one chain "$catena" "$work/one/catena.yaml" "$leads" one
    lead_world all
    lead_side w11/all chain "$catena" "$work/all/catena.yaml" "$leads" all
    lead_world few --at-once "${LEADS_AT_ONCE:-4}"
    lead_side w11/few chain "$catena" "$work/few/catena.yaml" "$leads" all
    say w11/one/saved_percent "$(lead_saved w11/one one_p50_ms one_p50_ms)"
    say w11/all/saved_percent "$(lead_saved w11/all per_lead_ms per_lead_ms)"
    say w11/few/saved_percent "$(lead_saved w11/few per_lead_ms per_lead_ms)"
fi
