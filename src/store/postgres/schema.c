/*
 * schema.c -- the schema of a store and its history.
 *
 * Migration n takes a store from schema n-1 to n; meta.schema_number holds n. What was once released is never edited: a
 * change is a new migration. All that are due run in one transaction under an advisory lock, so of several nodes that
 * come at once one migrates, and the others find it done.
 *
 * Nodes of the version before are running meanwhile. So a change comes in two releases:
 *   expand    adds what the new version needs (a table, a column that may be NULL or has a default, an index), and
 * takes nothing away that the old one reads or writes. meta.works_from stays: the old version goes on, and may be
 *             started again.
 *   contract  in a later release, when no node of the old version is left, takes away what nobody uses any more, and
 *             raises meta.works_from to the first schema whose program does without it.
 * A program opens a store of any schema that works from its own number or below, and refuses what is newer by name
 * (CTN_E_NEWER). A statement of a migration must not hold a lock for long: lock_timeout gives it three seconds.
 *
 * Why the tables look like this: `shard` leads every key, for each row is found, changed and admitted within its shard.
 * A step changes an execution's status; so no index, nor the condition of one, names the status or anything else that a
 * step changes (PostgreSQL then writes the new row beside the old one and touches no index), and pages keep room for
 * that (fillfactor). What indexes need to know is in `phase`. Positions come from the transaction's number (commit.c),
 * so those of one commit follow each other and those of later commits are larger.
 *
 * chain_executions caches the journal. `outputs` is '' when they are in the body of the `completed` entry.
 */
#include "store/postgres/schema.h"
#include "store/postgres/schema_chapters.h"
#include "store/postgres/schema_fleet.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

enum { MIGRATION_TIMEOUT_MS = 600000 };

#define NAME "text COLLATE \"C\""

/* clang-format off */
static const char schema_1_core[] =
    "CREATE TABLE meta("
    "  one integer PRIMARY KEY CHECK (one = 1),"
    "  schema_number integer NOT NULL, works_from integer NOT NULL,"
    "  shard_count integer NOT NULL,"
    "  position_base bigint NOT NULL," /* raised when a dump is restored where transactions are numbered lower */
    "  exec_no_floor bigint NOT NULL," /* highest numbers among what was deleted */
    "  position_floor bigint NOT NULL);"

    "CREATE TABLE chain_executions("
    "  shard integer NOT NULL, exec_no bigint NOT NULL,"
    "  execution_id bytea NOT NULL CHECK (length(execution_id) = 16),"
    "  chain_id " NAME " NOT NULL, chain_version bigint NOT NULL, status text NOT NULL, phase smallint NOT NULL,"
    "  priority integer NOT NULL, queue_key " NAME ", queue_held boolean NOT NULL, idempotency_key " NAME ","
    "  tenant " NAME ", parent_id bytea, wake_at_ms bigint, labels text, input text, outputs text, error text,"
    "  created_at_ms bigint NOT NULL, started_at_ms bigint, finished_at_ms bigint,"
    "  PRIMARY KEY (shard, exec_no), UNIQUE (shard, execution_id)) WITH (fillfactor = 60);"
    "CREATE INDEX chain_executions_no ON chain_executions(exec_no);"
    "CREATE INDEX chain_executions_chain ON chain_executions(chain_id, exec_no);"
    "CREATE INDEX chain_executions_tenant ON chain_executions(tenant, exec_no) WHERE tenant IS NOT NULL;"
    "CREATE INDEX chain_executions_unfinished ON chain_executions(shard, wake_at_ms, exec_no) WHERE phase < 2;"
    "CREATE INDEX chain_executions_trouble ON chain_executions(exec_no) WHERE phase = 3;"
    "CREATE INDEX chain_executions_queue ON"
    "  chain_executions(shard, tenant, chain_id, priority, queue_held, exec_no) WHERE phase = 0;"
    "CREATE INDEX chain_executions_line ON chain_executions(shard, queue_key, exec_no)"
    "  WHERE queue_key IS NOT NULL AND phase < 2;"
    "CREATE INDEX chain_executions_owing ON chain_executions(shard, exec_no)"
    "  WHERE phase >= 2 AND wake_at_ms IS NOT NULL;"

    "CREATE TABLE execution_journal("
    "  shard integer NOT NULL, exec_no bigint NOT NULL, seq bigint NOT NULL, position bigint NOT NULL,"
    "  at_ms bigint NOT NULL, kind text NOT NULL, step text, item bigint, attempt bigint, actor text,"
    "  body text NOT NULL, hash bytea NOT NULL, sealed text, PRIMARY KEY (shard, exec_no, seq));"
    "CREATE INDEX execution_journal_position ON execution_journal(position);";
/* clang-format on */

/* The parts of each migration, in order. */
static const char *const migrations[][6] = {
    {NULL},
    {schema_1_core, ctn_pg_schema_1_chapters, ctn_pg_schema_1_fleet, ctn_pg_schema_1_views, NULL},
    {ctn_pg_schema_2_needs, NULL}, /* expand: works_from stays 1 */
};
enum { NEWEST = sizeof migrations / sizeof migrations[0] - 1 };

const char *ctn_pg_schema_part(size_t at)
{
    for (size_t n = 1; n <= NEWEST; n++)
        for (size_t i = 0; migrations[n][i]; i++)
            if (at-- == 0)
                return migrations[n][i];
    return NULL;
}

uint32_t ctn_pg_schema_newest(void)
{
    return NEWEST;
}

/* ---- what stands there ---- */

/* Each is NULL or false when it is not there. */
static const char LOOK[] =
    "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1),"
    " EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1),"
    " (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    "  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'meta'"
    "  AND a.attname IN ('schema_number','works_from','shard_count')) = 3";

typedef struct found {
    bool is_there, has_tables, has_meta;
    int64_t number, works_from;
} found;

static int look(pg *db, found *ret, ctn_err *err)
{
    pg_params p = {0};
    PGresult *result = NULL;
    ctn_pg_text(&p, ctn_str_from(ctn_pg_schema(db)));
    int rc = ctn_pg_ask(db, "looking for the store", LOOK, &p, &result, err);
    if (rc)
        return rc;
    *ret = (found){.is_there = ctn_pg_get_bool(result, 0, 0),
                   .has_tables = ctn_pg_get_bool(result, 0, 1),
                   .has_meta = ctn_pg_get_bool(result, 0, 2)};
    PQclear(result);
    if (!ret->has_meta)
        return CTN_OK;
    rc =
        ctn_pg_ask(db, "reading the schema's number", "SELECT schema_number, works_from FROM meta", NULL, &result, err);
    if (rc)
        return rc;
    if (PQntuples(result) == 1) {
        ret->number = ctn_pg_get_int(result, 0, 0);
        ret->works_from = ctn_pg_get_int(result, 0, 1);
    }
    PQclear(result);
    return CTN_OK;
}

static int judge(const pg *db, const found *f, ctn_store_version *ret_version, ctn_err *err)
{
    if (!f->is_there)
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no store in %s (schema \"%s\"); `catena store init` makes it",
                        ctn_pg_where(db), ctn_pg_schema(db));
    if (f->has_tables && (!f->has_meta || f->number < 1 || f->works_from < 1 || f->works_from > f->number))
        return ctn_fail(err, CTN_E_CORRUPT,
                        "the schema \"%s\" of %s is another program's: give the store one of its own with ?schema=NAME",
                        ctn_pg_schema(db), ctn_pg_where(db));
    *ret_version = (ctn_store_version){.found = (uint32_t) f->number, .newest = NEWEST};
    if (f->works_from > NEWEST)
        return ctn_fail(err, CTN_E_NEWER,
                        "the store in %s has schema %" PRId64 " of a newer catena, and works from %" PRId64
                        " on; this one knows %d: use the newer program",
                        ctn_pg_where(db), f->number, f->works_from, NEWEST);
    return CTN_OK;
}

int ctn_pg_schema_find(pg *db, ctn_store_version *ret_version, ctn_err *err)
{
    found f = {0};
    int rc = look(db, &f, err);
    return rc ? rc : judge(db, &f, ret_version, err);
}

/* ---- raising it ---- */

static int run_migration(pg *db, uint32_t n, ctn_err *err)
{
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && migrations[n][i]; i++)
        rc = ctn_pg_script(db, "changing the schema", migrations[n][i], err);
    return rc ? ctn_wrap(err, rc, "migration to schema %" PRIu32, n) : CTN_OK;
}

/* The rows that a new store begins with. */
static int begin_store(pg *db, ctn_err *err)
{
    pg_params p = {0}, shards = {0};
    ctn_pg_int(&p, ctn_pg_shards_wanted(db));
    ctn_pg_int(&shards, ctn_pg_shards_wanted(db));
    int rc = ctn_pg_ask(db, "making the store", "INSERT INTO meta VALUES (1, 0, 1, $1, 0, 0, 0)", &p, NULL, err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(db, "making the store", ctn_pg_shards_make, &shards, NULL, err);
    return rc;
}

static int raise_found(pg *db, const found *f, uint32_t target, ctn_err *err)
{
    char sql[200];
    int rc = CTN_OK;
    if (!f->is_there) {
        snprintf(sql, sizeof sql, "CREATE SCHEMA \"%s\"", ctn_pg_schema(db)); /* a name of letters, digits and _ */
        rc = ctn_pg_script(db, "making the schema", sql, err);
    }
    for (uint32_t n = (uint32_t) f->number + 1; rc == CTN_OK && n <= target; n++)
        rc = run_migration(db, n, err);
    if (rc == CTN_OK && f->number == 0)
        rc = begin_store(db, err);
    if (rc == CTN_OK && f->number < target) {
        snprintf(sql, sizeof sql, "UPDATE meta SET schema_number = %" PRIu32, target);
        rc = ctn_pg_script(db, "changing the schema", sql, err);
    }
    return rc;
}

int ctn_pg_schema_raise(pg *db, uint32_t target, ctn_err *err)
{
    assert(target <= NEWEST);
    found f = {0};
    pg_params p = {0};
    ctn_store_version version;
    ctn_pg_text(&p, ctn_str_from(ctn_pg_schema(db)));
    int rc = ctn_pg_begin(db, err);
    if (rc)
        return rc;
    ctn_pg_patience(db, MIGRATION_TIMEOUT_MS);
    /* Everybody who may make or change this schema waits here; no lock_timeout, for a migration takes as long as it
     * takes. 1130460270: "Catn". */
    rc = ctn_pg_script(db, "waiting for another migration", "SET LOCAL lock_timeout = 0", err);
    if (rc == CTN_OK)
        rc = ctn_pg_ask(db, "waiting for another migration",
                        "SELECT 1 FROM pg_advisory_xact_lock(1130460270, hashtext($1))", &p, NULL, err);
    if (rc == CTN_OK)
        rc = ctn_pg_script(db, "waiting for another migration", "SET LOCAL lock_timeout = 3000", err);
    if (rc == CTN_OK)
        rc = look(db, &f, err);
    if (rc == CTN_OK && f.is_there)
        rc = judge(db, &f, &version, err);
    if (rc == CTN_OK)
        rc = raise_found(db, &f, target, err);
    if (rc == CTN_OK)
        rc = ctn_pg_commit(db, err);
    else
        ctn_pg_rollback(db);
    ctn_pg_patience(db, 0);
    return rc;
}

int ctn_pg_shard_count_read(pg *db, uint32_t *ret_count, ctn_err *err)
{
    PGresult *result = NULL;
    int rc = ctn_pg_ask(db, "reading the number of shards", "SELECT shard_count FROM meta", NULL, &result, err);
    if (rc)
        return rc;
    int64_t count = PQntuples(result) == 1 ? ctn_pg_get_int(result, 0, 0) : 0;
    PQclear(result);
    if (count < 1 || count > CTN_SHARDS_MAX)
        return ctn_fail(err, CTN_E_CORRUPT, "the store in %s says that it has %" PRId64 " shards", ctn_pg_where(db),
                        count);
    *ret_count = (uint32_t) count;
    return CTN_OK;
}
