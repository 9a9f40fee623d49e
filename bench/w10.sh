# W10, for bench/run: STREAMS event streams of `catena serve`: what each costs that waits, what one event costs that reaches
# all of them, and what they cost the starts beside them.
#
#   STREAMS   10000
mkdir -p "$work/streams"
tell "w10"
"$bin/bench_streams" w10 "$catena" "$work/streams" "${STREAMS:-10000}" "$(part 1)" | note
