/*
 * export_check.c -- the lines of an export, judged one after the other.
 *
 * Nothing in a file is believed: a member that is missing or of another kind reads as an empty one, and then the hash
 * over it does not fit, which is told where it is.
 */
#include "journal/export_check.h"

#include "base/memory.h"
#include "chain/definition.h"
#include <inttypes.h>

enum { DEFINITIONS_MAX = 100000 };
#define DEFINITIONS_BYTES_MAX ((size_t) 64 << 20)

typedef enum section { IN_HEAD, IN_DEFINITIONS, IN_ENTRIES, IN_END } section;

typedef struct exported_definition {
    ctn_plan_definition definition;
    bool is_altered;
} exported_definition;

struct ctn_export_check {
    void (*fault)(void *ctx, const ctn_proof_fault *fault);
    void *ctx;
    ctn_arena *arena;   /* head and definitions */
    ctn_arena *scratch; /* a line */
    ctn_prover *prover;
    ctn_hasher hasher;
    section section;
    uint64_t line;
    ctn_proof_row row;
    exported_definition *definitions;
    size_t definition_capacity;
    ctn_export_report report;
};

static void on_fault(void *ctx, const ctn_proof_fault *fault)
{
    ctn_export_check *c = ctx;
    c->report.faults++;
    c->fault(c->ctx, fault);
}

static void tell(ctn_export_check *c, const char *rule, int64_t seq, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void tell(ctn_export_check *c, const char *rule, int64_t seq, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str what = ctn_arena_vprintf(c->scratch, format, args);
    va_end(args);
    on_fault(c, &(ctn_proof_fault){.rule = rule, .seq = seq > 0 ? (uint64_t) seq : 0, .what = what});
}

static int find_definition(void *ctx, ctn_arena *arena, const ctn_digest *digest, ctn_plan_definition *ret)
{
    const ctn_export_check *c = ctx;
    (void) arena; /* they live as long as the plans */
    for (uint64_t i = 0; i < c->report.definitions; i++)
        if (memcmp(&c->definitions[i].definition.digest, digest, sizeof *digest) == 0) {
            *ret = c->definitions[i].definition;
            return c->definitions[i].is_altered ? CTN_E_CORRUPT : CTN_OK;
        }
    return CTN_E_NOT_FOUND;
}

ctn_export_check *ctn_export_check_new(void (*fault)(void *ctx, const ctn_proof_fault *fault), void *ctx)
{
    ctn_export_check *c = ctn_calloc(1, sizeof *c);
    c->fault = fault;
    c->ctx = ctx;
    c->arena = ctn_arena_new(16384);
    c->scratch = ctn_arena_new(65536);
    c->prover = ctn_prover_new(&(ctn_prover_options){.definition = find_definition, .fault = on_fault, .ctx = c});
    ctn_hasher_init(&c->hasher);
    return c;
}

void ctn_export_check_free(ctn_export_check *c)
{
    if (!c)
        return;
    ctn_prover_free(c->prover);
    ctn_arena_free(c->arena);
    ctn_arena_free(c->scratch);
    ctn_free(c->definitions);
    ctn_free(c);
}

/* ---- members ---- */

static ctn_str text_of(const ctn_json *v, const char *name)
{
    const ctn_json *member = ctn_json_member_of(v, name);
    return ctn_json_is(member, CTN_JSON_STRING) ? ctn_json_text(member) : (ctn_str){0};
}

/* What stood there as JSON, byte for byte: see the writer (store/export.c). */
static ctn_str json_of(ctn_export_check *c, const ctn_json *v, const char *name)
{
    const ctn_json *member = ctn_json_member_of(v, name);
    return member && !ctn_json_is(member, CTN_JSON_NULL) ? ctn_json_to_str(c->scratch, member) : (ctn_str){0};
}

static ctn_str body_of(ctn_export_check *c, const ctn_json *v)
{
    const ctn_json *text = ctn_json_member_of(v, "text");
    return text ? ctn_json_text(text) : json_of(c, v, "body");
}

/* ---- the lines ---- */

static int take_head(ctn_export_check *c, const ctn_json *v, ctn_err *err)
{
    int64_t format = ctn_json_int_or(v, "catenaExport", 0);
    if (format <= 0)
        return ctn_fail(err, CTN_E_INVALID, "it is no export of catena: its first line does not say \"catenaExport\"");
    if (format > CTN_EXPORT_FORMAT)
        return ctn_fail(err, CTN_E_NEWER, "it was exported by a newer catena (format %" PRId64 ", this one knows %d)",
                        format, CTN_EXPORT_FORMAT);
    const ctn_json *row = ctn_json_member_of(v, "row");
    c->row = (ctn_proof_row){
        .chain_id = ctn_arena_str(c->arena, text_of(v, "chain")),
        .chain_version = ctn_json_int_or(v, "version", 0),
        .status = ctn_arena_str(c->arena, text_of(row, "status")),
        .labels = ctn_arena_str(c->arena, json_of(c, row, "labels")),
        .input = ctn_arena_str(c->arena, json_of(c, row, "input")),
        .outputs = ctn_arena_str(c->arena, json_of(c, row, "outputs")),
        .error = ctn_arena_str(c->arena, json_of(c, row, "error")),
        .created_at_ms = ctn_json_int_or(row, "createdAtMs", 0),
        .started_at_ms = ctn_json_int_or(row, "startedAtMs", 0),
        .finished_at_ms = ctn_json_int_or(row, "finishedAtMs", 0),
        .wake_at_ms = ctn_json_int_or(row, "wakeAtMs", 0),
        .has_wake = true,
        .priority = ctn_json_int_or(row, "priority", 0),
        .queue_key = ctn_arena_str(c->arena, text_of(row, "queueKey")),
        .tenant = ctn_arena_str(c->arena, text_of(row, "tenant")),
    };
    if (ctn_id_parse(text_of(v, "executionId"), &c->row.id, NULL))
        tell(c, "format", 0, "the head names no execution");
    ctn_str parent = text_of(row, "parent");
    if (parent.len && ctn_id_parse(parent, &c->row.parent, NULL))
        tell(c, "parent", 0, "the row's parent is no id");
    c->report.id = c->row.id;
    c->report.chain_id = c->row.chain_id;
    c->report.version = c->row.chain_version;
    c->report.status = c->row.status;
    ctn_prover_begin(c->prover, &c->row);
    c->section = IN_DEFINITIONS;
    return CTN_OK;
}

static void take_definition(ctn_export_check *c, const ctn_json *v)
{
    if (c->report.definitions == DEFINITIONS_MAX || ctn_arena_used_bytes(c->arena) > DEFINITIONS_BYTES_MAX) {
        tell(c, "format", 0, "line %" PRIu64 ": no execution has so many definitions", c->line);
        return;
    }
    c->definitions =
        ctn_array_room(c->definitions, c->report.definitions, &c->definition_capacity, sizeof *c->definitions);
    exported_definition d = {.definition = {.kind = ctn_arena_str(c->arena, text_of(v, "kind")),
                                            .name = ctn_arena_str(c->arena, text_of(v, "name")),
                                            .body = ctn_arena_str(c->arena, body_of(c, v))}};
    ctn_digest hash = ctn_hash(d.definition.body);
    if (!ctn_digest_parse(text_of(v, "digest"), &d.definition.digest) ||
        memcmp(&hash, &d.definition.digest, sizeof hash) != 0) {
        d.is_altered = true;
        tell(c, "definition", 0, "line %" PRIu64 ": the %.*s %.*s was altered: its content has another digest", c->line,
             CTN_STR_ARG(d.definition.kind), CTN_STR_ARG(d.definition.name));
    }
    if (!d.is_altered && !ctn_definition_is(c->scratch, d.definition.kind, d.definition.name, d.definition.body))
        tell(c, "definition", 0, "line %" PRIu64 ": it is not the %.*s %.*s", c->line, CTN_STR_ARG(d.definition.kind),
             CTN_STR_ARG(d.definition.name));
    c->definitions[c->report.definitions++] = d;
}

/* The commitment in the body is over the salt and the value's JSON. */
static bool is_committed_to(ctn_export_check *c, const ctn_json *body, const ctn_json *item)
{
    ctn_digest salt, commitment, hash;
    const ctn_json *value = ctn_json_member_of(item, "value");
    const ctn_json *mark = ctn_json_pointer(body, ctn_json_str_or(item, "at", CTN_STR("/")));
    if (!value || !ctn_digest_parse(text_of(item, "salt"), &salt) ||
        !ctn_digest_parse(text_of(mark, "$sealed"), &commitment))
        return false;
    ctn_hasher h;
    ctn_hasher_init(&h);
    ctn_hasher_add(&h, (ctn_str){(const char *) salt.bytes, sizeof salt.bytes});
    ctn_hasher_add(&h, ctn_json_to_str(c->scratch, value));
    hash = ctn_hasher_finish(&h);
    return memcmp(&hash, &commitment, sizeof hash) == 0;
}

static void judge_revealed(ctn_export_check *c, const ctn_json *v)
{
    const ctn_json *list = ctn_json_member_of(v, "revealed"), *body = ctn_json_member_of(v, "body");
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        const ctn_json *item = ctn_json_at(list, i);
        if (!is_committed_to(c, body, item))
            tell(c, "revealed", ctn_json_int_or(v, "seq", 0),
                 "what is revealed at %.*s is not what the entry commits to",
                 CTN_STR_ARG(ctn_json_str_or(item, "at", CTN_STR(""))));
        c->report.revealed++;
    }
}

static void take_entry(ctn_export_check *c, const ctn_json *v)
{
    ctn_digest hash = {{0}};
    bool has_hash = ctn_digest_parse(text_of(v, "hash"), &hash);
    ctn_proof_record record = {
        .position = ctn_json_int_or(v, "position", 0),
        .seq = ctn_json_int_or(v, "seq", 0),
        .at_ms = ctn_json_int_or(v, "atMs", 0),
        .kind = text_of(v, "kind"),
        .step = text_of(v, "step"),
        .item = ctn_json_int_or(v, "item", -1),
        .attempt = ctn_json_int_or(v, "attempt", 0),
        .actor = text_of(v, "actor"),
        .body = body_of(c, v),
        .hash = {(const char *) hash.bytes, has_hash ? sizeof hash.bytes : 0},
        .sealed = json_of(c, v, "sealed"),
    };
    c->section = IN_ENTRIES;
    c->report.entries++;
    if (ctn_json_bool_or(v, "lost", false)) /* the store had lost it: the next one shows the gap */
        return;
    ctn_prover_take(c->prover, &record);
    c->report.hash_last = hash;
    judge_revealed(c, v);
    c->report.sealed += ctn_json_count(ctn_json_member_of(v, "sealed"));
}

/* The one line that no digest covers is one that can be written again. */
static void take_end(ctn_export_check *c, ctn_str line, const ctn_json *v)
{
    ctn_hasher hasher = c->hasher;
    ctn_digest_text digest = ctn_digest_to_text(ctn_hasher_finish(&hasher));
    ctn_digest_text hash = ctn_digest_to_text(c->report.hash_last);
    int64_t entries = ctn_json_int_or(v, "entries", -1);
    uint64_t faults = c->report.faults;
    c->section = IN_END;
    if (entries != (int64_t) c->report.entries)
        tell(c, "end", 0, "it has %" PRIu64 " entries, and its end speaks of %" PRId64, c->report.entries, entries);
    else if (!ctn_str_is(text_of(v, "hash"), hash.text))
        tell(c, "end", 0, "its end names another hash than its last entry's");
    if (!ctn_str_is(text_of(v, "digest"), digest.text))
        tell(c, "digest", 0, "the file is not byte for byte what was exported");
    ctn_str whole =
        ctn_arena_printf(c->scratch, "{\"end\":{\"entries\":%" PRIu64 ",\"hash\":\"%s\",\"digest\":\"%s\"}}",
                         c->report.entries, hash.text, digest.text);
    if (faults == c->report.faults && !ctn_str_equal(line, whole))
        tell(c, "end", 0, "its end is written in another way than catena does");
}

int ctn_export_check_line(ctn_export_check *c, ctn_str line, ctn_err *err)
{
    const ctn_json *v = NULL;
    ctn_err why = {0};
    ctn_json_options options = {
        .depth_max = CTN_JSON_DEPTH_MAX + 70, .bytes_max = CTN_EXPORT_LINE_BYTES_MAX, .reject_duplicates = true};
    int rc = CTN_OK;
    c->line++;
    if (ctn_json_parse(c->scratch, line, &options, &v, &why)) {
        if (c->section == IN_HEAD)
            return ctn_fail(err, CTN_E_INVALID, "it is no export of catena: its first line is no JSON");
        tell(c, "format", 0, "line %" PRIu64 ": %s", c->line, why.message);
    } else if (c->section == IN_HEAD) {
        rc = take_head(c, v, err);
    } else if (c->section == IN_END) {
        tell(c, "format", 0, "line %" PRIu64 " stands behind the end", c->line);
    } else if (c->section == IN_DEFINITIONS && ctn_json_member_of(v, "definition")) {
        take_definition(c, ctn_json_member_of(v, "definition"));
    } else if (ctn_json_member_of(v, "entry")) {
        take_entry(c, ctn_json_member_of(v, "entry"));
    } else if (ctn_json_member_of(v, "end")) {
        take_end(c, line, ctn_json_member_of(v, "end"));
    } else {
        tell(c, "format", 0, "line %" PRIu64 " is none that belongs here", c->line);
    }
    ctn_hasher_add(&c->hasher, line);
    ctn_hasher_add(&c->hasher, CTN_STR("\n"));
    ctn_arena_reset(c->scratch);
    return rc;
}

void ctn_export_check_end(ctn_export_check *c, ctn_export_report *ret_report)
{
    if (c->section != IN_HEAD)
        ctn_prover_end(c->prover);
    if (c->section != IN_END)
        tell(c, "end", 0, "the file ends before its end: something is missing");
    ctn_arena_reset(c->scratch);
    *ret_report = c->report;
}
