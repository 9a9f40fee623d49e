/*
 * export.c -- lines of an export out of a store.
 *
 * What must hold: whoever reads the file gets back, byte for byte, what stood in the store, because hashes are over
 * bytes. A body is written as JSON if writing it again gives the same bytes, and as a text otherwise (a damaged one).
 */
#include "store/export.h"

#include "store/backend.h"
#include "store/raw.h"
#include "store/seal.h"
#include <inttypes.h>

typedef struct exporting {
    ctn_store *st;
    const ctn_export_options *options;
    ctn_err *err;
    ctn_arena *arena;
    ctn_buf line;
    ctn_hasher hasher;
    bool has_definitions; /* they stand before the first entry, which names them */
    uint64_t seq_last;
    int64_t exec_no;
    ctn_seal_key key; /* of its sealed values */
    bool has_key, is_keyless;
    int write_failed; /* what the sink returned */
    ctn_export_report report;
} exporting;

/* ---- members ---- */

static void put_name(ctn_buf *b, const char *name)
{
    if (b->len && b->data[b->len - 1] != '{')
        ctn_buf_append_char(b, ',');
    ctn_json_write_string(b, ctn_str_from(name));
    ctn_buf_append_char(b, ':');
}

static void put_text(ctn_buf *b, const char *name, ctn_str text)
{
    put_name(b, name);
    ctn_json_write_string(b, text);
}

static void put_text_if(ctn_buf *b, const char *name, ctn_str text)
{
    if (text.len)
        put_text(b, name, text);
}

static void put_int(ctn_buf *b, const char *name, int64_t value)
{
    put_name(b, name);
    ctn_buf_append_int64(b, value);
}

static void put_int_if(ctn_buf *b, const char *name, int64_t value)
{
    if (value)
        put_int(b, name, value);
}

static void put_digest(ctn_buf *b, const char *name, ctn_digest digest)
{
    put_text(b, name, ctn_str_from(ctn_digest_to_text(digest).text));
}

static bool reads_back(exporting *x, ctn_str json)
{
    const ctn_json *v = NULL;
    ctn_arena_mark mark = ctn_arena_save(x->arena);
    ctn_json_options options = {.depth_max = CTN_JSON_DEPTH_MAX + 64, .reject_duplicates = true};
    bool reads = ctn_json_parse(x->arena, json, &options, &v, NULL) == CTN_OK &&
                 ctn_str_equal(ctn_json_to_str(x->arena, v), json);
    ctn_arena_restore(x->arena, mark);
    return reads;
}

/* Under `text_name` when it is no JSON that can be written again. */
static void put_json(exporting *x, const char *name, const char *text_name, ctn_str json)
{
    if (reads_back(x, json)) {
        put_name(&x->line, name);
        ctn_buf_append(&x->line, json);
    } else {
        put_text(&x->line, text_name, json);
    }
}

static void put_json_if(exporting *x, const char *name, ctn_str json)
{
    if (json.len)
        put_json(x, name, name, json);
}

/* ---- lines ---- */

static void begin_line(exporting *x, const char *what)
{
    ctn_buf_clear(&x->line);
    ctn_buf_append_char(&x->line, '{');
    if (what) {
        put_name(&x->line, what);
        ctn_buf_append_char(&x->line, '{');
    }
}

static int end_line(exporting *x, const char *closing)
{
    ctn_buf_append(&x->line, ctn_str_from(closing));
    ctn_buf_append_char(&x->line, '\n');
    if (x->line.overflowed)
        return x->write_failed = ctn_fail(x->err, CTN_E_LIMIT, "a line of the export is longer than %zu bytes",
                                          CTN_EXPORT_LINE_BYTES_MAX);
    ctn_hasher_add(&x->hasher, ctn_buf_str(&x->line));
    x->write_failed = x->options->write(x->options->ctx, ctn_buf_str(&x->line), x->err);
    return x->write_failed;
}

static int write_head(exporting *x, const ctn_execution_row *row)
{
    ctn_buf *b = &x->line;
    char at[25];
    ctn_time_format(x->options->now_ms, at);
    begin_line(x, NULL);
    put_int(b, "catenaExport", CTN_EXPORT_FORMAT);
    put_text(b, "executionId", ctn_str_from(ctn_id_to_text(row->id).text));
    put_text(b, "chain", row->chain_id);
    put_int(b, "version", row->chain_version);
    put_name(b, "row");
    ctn_buf_append_char(b, '{');
    put_text(b, "status", ctn_str_from(ctn_status_name(row->status)));
    put_int(b, "priority", row->priority);
    put_text_if(b, "queueKey", row->queue_key);
    put_text_if(b, "idempotencyKey", row->idempotency_key);
    put_text_if(b, "tenant", row->tenant);
    if (!ctn_id_is_none(row->parent))
        put_text(b, "parent", ctn_str_from(ctn_id_to_text(row->parent).text));
    put_json_if(x, "labels", row->labels);
    put_json_if(x, "input", row->input);
    put_json_if(x, "outputs", row->outputs);
    put_json_if(x, "error", row->error);
    put_int(b, "createdAtMs", row->created_at_ms);
    put_int_if(b, "startedAtMs", row->started_at_ms);
    put_int_if(b, "finishedAtMs", row->finished_at_ms);
    put_int_if(b, "wakeAtMs", row->wake_at_ms);
    put_text_if(b, "damage", row->damage);
    ctn_buf_append_char(b, '}');
    put_text(b, "exportedAt", ctn_str_from(at));
    put_text(b, "exportedBy", x->options->actor);
    put_text(b, "exportedWith", x->options->program);
    return end_line(x, "}");
}

static int write_definition(exporting *x, const ctn_digest *digest)
{
    ctn_definition d = {0};
    if (x->st->ops->definition_get(x->st, x->arena, digest, &d, NULL))
        return CTN_OK; /* it is not there; the file will say so */
    begin_line(x, "definition");
    put_digest(&x->line, "digest", *digest);
    put_text(&x->line, "kind", d.kind);
    put_text(&x->line, "name", d.name);
    put_json(x, "body", "text", d.body);
    x->report.definitions++;
    return end_line(x, "}}");
}

/* Of the first entry. What cannot be read of it names nothing. */
static int write_definitions(exporting *x, ctn_str first_body)
{
    const ctn_json *body = NULL;
    ctn_json_options options = {.depth_max = CTN_JSON_DEPTH_MAX + 64};
    int rc = CTN_OK;
    x->has_definitions = true;
    if (ctn_json_parse(x->arena, first_body, &options, &body, NULL))
        return CTN_OK;
    const ctn_json *list = ctn_json_member_of(body, "digests");
    for (size_t i = 0; rc == CTN_OK && i < ctn_json_count(list); i++) {
        ctn_digest digest;
        if (ctn_digest_parse(ctn_json_text(ctn_json_at(list, i)), &digest))
            rc = write_definition(x, &digest);
    }
    return rc;
}

/* Where sensitive values stand, without what opens them. */
static void put_sealed(exporting *x, ctn_str sealed)
{
    const ctn_json *list = NULL;
    if (sealed.len == 0 || ctn_json_parse(x->arena, sealed, NULL, &list, NULL))
        return;
    put_name(&x->line, "sealed");
    ctn_buf_append_char(&x->line, '[');
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_buf_append_literal(&x->line, "{\"at\":");
        ctn_json_write_string(&x->line, ctn_json_str_or(ctn_json_at(list, i), "at", CTN_STR("")));
        ctn_buf_append(&x->line, i + 1 < ctn_json_count(list) ? CTN_STR("},") : CTN_STR("}"));
        x->report.sealed++;
    }
    ctn_buf_append_char(&x->line, ']');
}

/* What opens is told with its salt; what does not (shredded, altered) stays a commitment. */
static int put_revealed(exporting *x, const ctn_record *r)
{
    ctn_revealed *items = NULL;
    size_t count = 0;
    if (!x->options->seal || !r->sealed.len || x->is_keyless)
        return CTN_OK;
    if (!x->has_key) {
        int rc = ctn_seal_key_read(x->options->seal, x->st, x->exec_no, x->options->id, &x->key, x->err);
        x->is_keyless = rc == CTN_E_NOT_FOUND || rc == CTN_E_CORRUPT;
        if (rc)
            return x->is_keyless ? CTN_OK : (x->write_failed = rc);
        x->has_key = true;
    }
    if (ctn_seal_reveal(&x->key, x->options->id, r, x->arena, &items, &count, NULL) || count == 0)
        return CTN_OK;
    ctn_buf *b = &x->line;
    put_name(b, "revealed");
    ctn_buf_append_char(b, '[');
    for (size_t i = 0; i < count; i++) {
        ctn_digest salt; /* as long as one */
        memcpy(salt.bytes, items[i].salt.ptr, sizeof salt.bytes);
        ctn_buf_append(b, i ? CTN_STR(",{") : CTN_STR("{"));
        put_text(b, "at", items[i].at);
        put_digest(b, "salt", salt);
        put_name(b, "value");
        ctn_buf_append(b, items[i].json);
        ctn_buf_append_char(b, '}');
        x->report.revealed++;
    }
    ctn_buf_append_char(b, ']');
    return CTN_OK;
}

static int write_entry(exporting *x, const ctn_record *r, ctn_str kind, int64_t position, const char *damage,
                       bool is_lost)
{
    ctn_buf *b = &x->line;
    ctn_arena_mark mark = ctn_arena_save(x->arena);
    int rc = x->has_definitions ? CTN_OK : write_definitions(x, r->body);
    if (rc == CTN_OK) {
        begin_line(x, "entry");
        put_int(b, "seq", (int64_t) r->seq);
        put_int(b, "position", position);
        put_int(b, "atMs", r->at_ms);
        put_text(b, "kind", kind);
        put_text_if(b, "step", r->step);
        if (r->item >= 0)
            put_int(b, "item", r->item);
        put_int_if(b, "attempt", r->attempt);
        put_text_if(b, "actor", r->actor);
        put_json(x, "body", "text", r->body);
        put_sealed(x, r->sealed);
        rc = put_revealed(x, r);
    }
    if (rc == CTN_OK) {
        if (damage)
            put_text(b, "damage", ctn_str_from(damage));
        if (is_lost) {
            put_name(b, "lost");
            ctn_buf_append_literal(b, "true");
        } else {
            put_digest(b, "hash", r->hash);
            x->report.hash_last = r->hash;
        }
        x->report.entries++;
        x->seq_last = r->seq;
        rc = end_line(x, "}}");
    }
    ctn_arena_restore(x->arena, mark);
    return rc;
}

static int take_record(void *ctx, const ctn_record *r, int64_t position)
{
    return write_entry(ctx, r, ctn_str_from(ctn_entry_kind_name(r->kind)), position, NULL, false);
}

/* Behind a fault, what is left. */
static int take_raw(void *ctx, const ctn_raw_record *raw)
{
    exporting *x = ctx;
    if (raw->record.seq <= x->seq_last && x->report.entries)
        return 0;
    return write_entry(x, &raw->record, raw->kind_name, raw->position, raw->damage, raw->is_lost);
}

static int write_end(exporting *x)
{
    ctn_hasher hasher = x->hasher;
    begin_line(x, "end");
    put_int(&x->line, "entries", (int64_t) x->report.entries);
    put_digest(&x->line, "hash", x->report.hash_last);
    put_digest(&x->line, "digest", ctn_hasher_finish(&hasher));
    return end_line(x, "}}");
}

static int write_journal(exporting *x, int64_t exec_no)
{
    ctn_err why = {0};
    x->write_failed = CTN_OK;
    int rc = ctn_store_journal_read(x->st, exec_no, 1, take_record, x, &why);
    if (rc == CTN_E_CORRUPT && !x->write_failed)
        rc = ctn_store_journal_read_raw(x->st, exec_no, take_raw, x, &why);
    if (x->write_failed)
        return x->write_failed;
    if (rc && rc != CTN_E_CORRUPT) {
        if (x->err)
            *x->err = why;
        return rc;
    }
    return CTN_OK; /* what could not be read is missing, and a check of the file tells it */
}

static int export_in_snapshot(exporting *x)
{
    ctn_execution_row row;
    ctn_id_text id = ctn_id_to_text(x->options->id);
    int rc = ctn_store_execution_read_raw(x->st, x->arena, ctn_str_from(id.text), &row, x->err);
    if (rc == CTN_OK)
        rc = write_head(x, &row);
    x->exec_no = row.exec_no;
    if (rc == CTN_OK)
        rc = write_journal(x, row.exec_no);
    if (rc == CTN_OK)
        rc = write_end(x);
    x->report.id = x->options->id;
    x->report.version = rc ? 0 : row.chain_version;
    return rc;
}

int ctn_store_export(ctn_store *st, const ctn_export_options *options, ctn_export_report *ret_report, ctn_err *err)
{
    exporting x = {.st = st, .options = options, .err = err, .arena = ctn_arena_new(65536)};
    ctn_buf_init(&x.line, CTN_EXPORT_LINE_BYTES_MAX);
    ctn_hasher_init(&x.hasher);
    int rc = ctn_store_snapshot_begin(st, err);
    if (rc == CTN_OK) {
        rc = export_in_snapshot(&x);
        ctn_store_snapshot_end(st);
    }
    ctn_seal_key_wipe(&x.key);
    ctn_buf_done(&x.line);
    ctn_arena_free(x.arena);
    if (rc == CTN_OK)
        *ret_report = x.report;
    return rc;
}
