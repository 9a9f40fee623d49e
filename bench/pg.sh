# A PostgreSQL of a benchmark's own, sourced by those that need one: durable settings as they come, a scratch folder under
# $work, a Unix socket, no TCP. Root runs it as the user postgres.
#
#   pg_begin         initdb and start; sets pg_pid (the postmaster) and pg_socket
#   pg_fresh NAME    a new database; prints its URL
#   pg_cpu_s         seconds of CPU that the server's processes have used since they began, ended ones included
#   pg_statements    statements that the server has run since it began (needs pg_stat_statements: calls of all)
#   pg_end           stop; called at the exit too
pg_bin=${PGBIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)}

pg_as() { # COMMAND...: as somebody who is not root
    if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --clear-groups env -C / HOME=/ "$@"; else "$@"; fi
}

pg_begin() {
    [ -x "$pg_bin/initdb" ] || { tell "no PostgreSQL here (PGBIN names its bin folder)"; return 1; }
    pg_folder=$work/pg
    mkdir -p "$pg_folder"
    if [ "$(id -u)" = 0 ]; then
        chown postgres: "$pg_folder"
        for above in "$work" "$dir"; do chmod o+x "$above"; done
    fi
    pg_as "$pg_bin/initdb" -D "$pg_folder/data" -U catena -A trust --no-locale -E UTF8 --no-sync >/dev/null || return 1
    pg_socket=$(mktemp -d /tmp/catena-pg.XXXXXX) # the path of a socket is short
    [ "$(id -u)" != 0 ] || chown postgres: "$pg_socket"
    printf "listen_addresses=''\nunix_socket_directories='%s'\nmax_connections=100\nshared_preload_libraries='%s'\n" \
        "$pg_socket" "$([ -e "$(dirname "$pg_bin")/lib/pg_stat_statements.so" ] && echo pg_stat_statements)" |
        pg_as tee -a "$pg_folder/data/postgresql.conf" >/dev/null
    sync
    pg_as "$pg_bin/pg_ctl" -D "$pg_folder/data" -l "$pg_folder/log" -w start >/dev/null ||
        { tell "PostgreSQL does not start: $(tail -1 "$pg_folder/log")"; return 1; }
    pg_pid=$(head -1 "$pg_folder/data/postmaster.pid")
    trap 'pg_end; rm -rf "$work"' EXIT
    pg_sql "CREATE EXTENSION IF NOT EXISTS pg_stat_statements" || true
}

pg_sql() { "$pg_bin/psql" -X -q -A -t -h "$pg_socket" -U catena -d "${2:-postgres}" -c "$1"; }

pg_fresh() {
    pg_sql "CREATE DATABASE $1" >&2
    echo "postgresql://catena@/$1?host=$pg_socket"
}

pg_cpu_s() { # one of them may end while we look
    { cat "/proc/$pg_pid/stat" $(pgrep -P "$pg_pid" | sed 's|.*|/proc/&/stat|') 2>/dev/null || true; } |
        awk -v tick="$(getconf CLK_TCK)" '{ sub(/^.*\) /, ""); sum += $12 + $13; if (NR == 1) sum += $14 + $15 }
            END { print sum / tick }'
}

pg_statements() { pg_sql "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"; }

pg_end() {
    [ -n "${pg_pid:-}" ] || return 0
    pg_as "$pg_bin/pg_ctl" -D "$pg_folder/data" -m fast -w stop >/dev/null 2>&1 || true
    pg_pid=
    rm -rf "$pg_socket"
}
