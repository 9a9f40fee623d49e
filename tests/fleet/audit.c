/*
 * audit.c -- see audit.h: triggers that write events, and a merge of what three witnesses saw.
 */
#include "fleet/audit.h"

#include "base/memory.h"
#include "base/str.h"
#include "store/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char WITNESS[] =
    "CREATE SCHEMA audit;"
    "CREATE TABLE audit.events("
    "  no bigserial PRIMARY KEY,"
    "  at_ms bigint NOT NULL DEFAULT floor(extract(epoch FROM clock_timestamp()) * 1000),"
    "  xact xid8 NOT NULL DEFAULT pg_current_xact_id(), kind text NOT NULL, node bigint, shard integer, epoch bigint,"
    "  exec_no bigint, seq bigint, until_ms bigint, flag boolean, key text);"
    /* The node behind an address: the last that joined under its name. */
    "CREATE TABLE audit.names(addr text PRIMARY KEY, name text NOT NULL);"
    "CREATE FUNCTION audit.caller() RETURNS bigint LANGUAGE sql STABLE AS"
    "  'SELECT max(n.incarnation) FROM catena.nodes n JOIN audit.names a USING (name)"
    "    WHERE a.addr = host(inet_client_addr())';"

    "CREATE FUNCTION audit.node() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN"
    "  IF TG_OP = 'INSERT' THEN"
    "    INSERT INTO audit.events(kind, node, until_ms, key) VALUES ('joined', NEW.incarnation, NEW.expires_at_ms, NEW.name);"
    "  ELSIF OLD.is_live AND NOT NEW.is_live THEN"
    "    INSERT INTO audit.events(kind, node, flag) VALUES ('ended', NEW.incarnation,"
    "      audit.caller() IS DISTINCT FROM NEW.incarnation);"
    "  ELSIF NEW.expires_at_ms <> OLD.expires_at_ms OR NOT NEW.is_live THEN"
    "    INSERT INTO audit.events(kind, node, until_ms) VALUES ('beat', NEW.incarnation, NEW.expires_at_ms);"
    "  END IF; RETURN NULL; END $f$;"
    "CREATE TRIGGER audit AFTER INSERT OR UPDATE ON catena.nodes FOR EACH ROW EXECUTE FUNCTION audit.node();"

    "CREATE FUNCTION audit.shard() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN"
    "  IF OLD.holder <> 0 AND NEW.holder <> OLD.holder THEN"
    "    INSERT INTO audit.events(kind, node, shard, flag) VALUES ('freed', OLD.holder, NEW.shard, NEW.was_crash);"
    "  END IF;"
    "  IF NEW.holder <> 0 AND (NEW.holder <> OLD.holder OR NEW.epoch <> OLD.epoch) THEN"
    "    INSERT INTO audit.events(kind, node, shard, epoch, flag)"
    "      VALUES ('taken', NEW.holder, NEW.shard, NEW.epoch, OLD.was_crash);"
    "  END IF; RETURN NULL; END $f$;"
    "CREATE TRIGGER audit AFTER UPDATE ON catena.shards FOR EACH ROW EXECUTE FUNCTION audit.shard();"

    "CREATE FUNCTION audit.execution() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN"
    "  INSERT INTO audit.events(kind, exec_no, key) SELECT 'started', exec_no,"
    "    regexp_replace(idempotency_key, '^.*:', '') FROM fresh"
    "    WHERE idempotency_key IS NOT NULL; RETURN NULL; END $f$;"
    "CREATE TRIGGER audit AFTER INSERT ON catena.chain_executions REFERENCING NEW TABLE AS fresh"
    "  FOR EACH STATEMENT EXECUTE FUNCTION audit.execution();"

    "CREATE FUNCTION audit.entry() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN"
    "  INSERT INTO audit.events(kind, node, shard, exec_no, seq, flag) SELECT 'entry', audit.caller(), shard, exec_no,"
    "    seq, kind IN ('completed', 'failed', 'rolled_back', 'rollback_failed', 'cancelled') FROM fresh"
    "    ORDER BY exec_no, seq; RETURN NULL; END $f$;"
    "CREATE TRIGGER audit AFTER INSERT ON catena.execution_journal REFERENCING NEW TABLE AS fresh"
    "  FOR EACH STATEMENT EXECUTE FUNCTION audit.entry();"

    "CREATE FUNCTION audit.request() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN"
    "  IF OLD.done_at_ms IS NULL AND NEW.done_at_ms IS NOT NULL THEN"
    "    INSERT INTO audit.events(kind, shard, seq) VALUES ('done', NEW.shard, NEW.no);"
    "  END IF; RETURN NULL; END $f$;"
    "CREATE TRIGGER audit AFTER UPDATE ON catena.requests FOR EACH ROW EXECUTE FUNCTION audit.request();"
    /* A node that ends by itself gives its shards back with it; one that is buried loses them: the checker knows. */
    "CREATE VIEW audit.story AS SELECT e.no, e.at_ms,"
    "  CASE WHEN e.kind <> 'ended' THEN e.kind"
    "    WHEN EXISTS (SELECT 1 FROM audit.events f WHERE f.xact = e.xact AND f.kind = 'freed' AND f.node = e.node)"
    "    THEN CASE WHEN (SELECT bool_or(f.flag) FROM audit.events f"
    "      WHERE f.xact = e.xact AND f.kind = 'freed' AND f.node = e.node) THEN 'buried' ELSE 'left' END"
    "    WHEN e.flag THEN 'buried' ELSE 'left' END AS kind,"
    "  e.node, e.shard, e.epoch, e.exec_no, e.seq, e.until_ms, e.flag, e.key"
    "  FROM audit.events e WHERE NOT (e.kind = 'freed' AND EXISTS (SELECT 1 FROM audit.events n"
    "    WHERE n.xact = e.xact AND n.kind = 'ended' AND n.node = e.node));"
    "CREATE INDEX events_xact ON audit.events(xact) WHERE kind IN ('ended', 'freed');";
/* clang-format on */

void audit_install(pg_server *server, const char *database)
{
    free(pg_server_sql(server, database, "%s", WITNESS));
}

void audit_name(pg_server *server, const char *database, const char *address, const char *node)
{
    free(pg_server_sql(server, database, "INSERT INTO audit.names VALUES ('%s', '%s')", address, node));
}

/* ---- the ledger ---- */

typedef struct ledger_line {
    int64_t at_ms;
    uint32_t shard;
    char key[HISTORY_KEY_MAX], node[32];
} ledger_line;

typedef struct merge {
    history *into;
    int64_t shard_count;
    const audit_accepted *accepted;
    size_t accepted_count, accepted_at;
    ledger_line *lines; /* of writes, by time */
    size_t line_count, line_at;
    const char *const *paused;
    struct {
        char name[32];
        int64_t incarnation;
    } nodes[64]; /* the last that joined under each name */
    size_t node_count;
} merge;

static int by_time(const void *a, const void *b)
{
    const ledger_line *x = a, *y = b;
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static void read_ledger(merge *m, const char *path)
{
    char line[800], execution[64];
    long long at_ms;
    ledger_line l;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        ctn_execution_id id;
        if (sscanf(line, "book %159s %31s %lld %63s", l.key, l.node, &at_ms, execution) != 4)
            continue;
        if (ctn_id_parse(ctn_str_from(execution), &id, NULL)) {
            fprintf(stderr, "audit: a line of the ledger without an execution: %s", line);
            abort();
        }
        l.at_ms = at_ms;
        l.shard = ctn_shard_of_id(id, (uint32_t) m->shard_count);
        if (m->line_count % 1024 == 0)
            m->lines = ctn_realloc(m->lines, (m->line_count + 1024) * sizeof *m->lines);
        m->lines[m->line_count++] = l;
    }
    if (file)
        fclose(file);
    if (m->line_count)
        qsort(m->lines, m->line_count, sizeof *m->lines, by_time);
}

/* ---- the merge ---- */

static int64_t *incarnation_of(merge *m, const char *name)
{
    size_t i = 0;
    while (i < m->node_count && strcmp(m->nodes[i].name, name) != 0)
        i++;
    if (i == sizeof m->nodes / sizeof *m->nodes)
        abort();
    if (i == m->node_count)
        snprintf(m->nodes[m->node_count++].name, sizeof m->nodes[0].name, "%s", name);
    return &m->nodes[i].incarnation;
}

/* What the ledger and the clients know of, up to this moment. */
static void tell_until(merge *m, int64_t at_ms)
{
    for (; m->line_at < m->line_count && m->lines[m->line_at].at_ms < at_ms; m->line_at++) {
        const ledger_line *l = &m->lines[m->line_at];
        history_event e = {.kind = HISTORY_ARRIVED, .at_ms = l->at_ms, .exec_no = l->shard};
        e.node = *incarnation_of(m, l->node);
        for (size_t i = 0; m->paused && m->paused[i]; i++)
            e.was_stopped = e.was_stopped || strcmp(m->paused[i], l->node) == 0;
        snprintf(e.key, sizeof e.key, "%s", l->key);
        history_add(m->into, &e);
        e.kind = HISTORY_EFFECT;
        history_add(m->into, &e);
    }
    for (; m->accepted_at < m->accepted_count && m->accepted[m->accepted_at].at_ms < at_ms; m->accepted_at++) {
        history_event e = {.kind = HISTORY_ACCEPTED, .at_ms = m->accepted[m->accepted_at].at_ms};
        snprintf(e.key, sizeof e.key, "%s", m->accepted[m->accepted_at].key);
        history_add(m->into, &e);
    }
}

static int64_t number(const char *text)
{
    return text ? strtoll(text, NULL, 10) : 0;
}

static void tell_event(void *ctx, char *const *row)
{
    static const struct {
        const char *name;
        history_kind kind;
    } kinds[] = {{"joined", HISTORY_JOINED}, {"beat", HISTORY_BEAT},       {"left", HISTORY_LEFT},
                 {"buried", HISTORY_BURIED}, {"taken", HISTORY_TAKEN},     {"freed", HISTORY_RELEASED},
                 {"entry", HISTORY_ENTRY},   {"started", HISTORY_STARTED}, {"done", HISTORY_DONE}};
    merge *m = ctx;
    history_event e = {.at_ms = number(row[0]),
                       .node = number(row[2]),
                       .shard = (uint32_t) number(row[3]),
                       .epoch = (uint64_t) number(row[4]),
                       .exec_no = number(row[5]),
                       .seq = (uint64_t) number(row[6]),
                       .request = number(row[6]),
                       .until_ms = number(row[7])};
    bool flag = row[8] && row[8][0] == 't';
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(row[1], kinds[i].name) == 0)
            e.kind = kinds[i].kind;
    e.was_crash = flag && e.kind == HISTORY_TAKEN;
    e.is_end = flag && e.kind == HISTORY_ENTRY;
    if (e.kind == HISTORY_JOINED)
        *incarnation_of(m, row[9]) = e.node;
    else if (row[9])
        snprintf(e.key, sizeof e.key, "%s", row[9]);
    tell_until(m, e.at_ms);
    history_add(m->into, &e);
}

void audit_tell(pg_server *server, const char *database, const char *ledger, const audit_accepted *accepted,
                size_t accepted_count, const char *const *paused, history *into)
{
    merge m = {.into = into,
               .accepted = accepted,
               .accepted_count = accepted_count,
               .paused = paused,
               .shard_count = pg_server_number(server, database, "SELECT count(*) FROM catena.shards")};
    read_ledger(&m, ledger);
    pg_server_rows(server, database,
                   "SELECT at_ms, kind, node, shard, epoch, exec_no, seq, until_ms, flag, key FROM audit.story"
                   " ORDER BY no",
                   tell_event, &m);
    tell_until(&m, INT64_MAX);
    history_finish(into);
    free(m.lines);
}
