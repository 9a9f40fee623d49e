/*
 * entry.c -- names of entries, their stored form, and the chain of hashes over it.
 *
 * What must hold: two different records never hash the same bytes. Each column therefore goes in behind its
 * length (eight bytes, little-endian), whole numbers as eight bytes, so that no column can lend bytes to
 * its neighbour; the kind goes in by name, because numbers of an enum may move and names are for ever.
 */
#include "core/entry.h"
#include "core/sealed.h"

#include "base/plant.h"
#include <assert.h>

static const struct {
    const char *name;
    ctn_entry_about about;
} KINDS[CTN_ENTRY_KIND_COUNT] = {
#define KIND(kind, name, about) {name, CTN_ABOUT_##about},
    CTN_ENTRY_KINDS(KIND)
#undef KIND
};

/* A body wraps values that are as deep as values may be. */
#define BODY_DEPTH_MAX (CTN_JSON_DEPTH_MAX + 64)

const char *ctn_entry_kind_name(ctn_entry_kind kind)
{
    assert(kind < CTN_ENTRY_KIND_COUNT);
    return KINDS[kind].name;
}

ctn_entry_about ctn_entry_kind_about(ctn_entry_kind kind)
{
    assert(kind < CTN_ENTRY_KIND_COUNT);
    return KINDS[kind].about;
}

bool ctn_entry_kind_from_name(ctn_str name, ctn_entry_kind *ret_kind)
{
    for (int i = 0; i < CTN_ENTRY_KIND_COUNT; i++)
        if (ctn_str_is(name, KINDS[i].name)) {
            *ret_kind = (ctn_entry_kind) i;
            return true;
        }
    return false;
}

bool ctn_entry_is_stored(const ctn_entry *e)
{
    if (e->kind != CTN_ENTRY_ATTEMPT_STARTED)
        return true;
    return (ctn_str_is(ctn_json_str_or(e->body, "effect", CTN_STR("write")), "write") &&
            !CTN_PLANT(WRITE_START_NOT_STORED)) ||
           ctn_json_bool_or(e->body, "kept", false);
}

ctn_record ctn_entry_to_record(const ctn_entry *entry, const ctn_digest *previous, ctn_arena *arena)
{
    assert(entry->kind < CTN_ENTRY_KIND_COUNT);
    assert(!entry->body || ctn_json_is(entry->body, CTN_JSON_OBJECT));
    ctn_record record = {
        .kind = entry->kind,
        .seq = entry->seq,
        .at_ms = entry->at_ms,
        .step = entry->step,
        .item = entry->item,
        .attempt = entry->attempt,
        .actor = entry->actor,
        .body = entry->body ? ctn_json_to_str(arena, entry->body) : CTN_STR("{}"),
    };
    record.hash = ctn_record_hash(&record, previous);
    return record;
}

int ctn_record_to_entry(const ctn_record *record, ctn_arena *arena, ctn_entry *ret_entry, ctn_err *err)
{
    if (record->kind >= CTN_ENTRY_KIND_COUNT)
        return ctn_fail(err, CTN_E_CORRUPT, "journal entry %llu is of no known kind", (unsigned long long) record->seq);
    const ctn_json *body = NULL;
    ctn_json_options options = {.depth_max = BODY_DEPTH_MAX};
    int rc = ctn_json_parse(arena, record->body, &options, &body, err);
    if (rc) {
        if (err)
            err->code = CTN_E_CORRUPT;
        return ctn_wrap(err, CTN_E_CORRUPT, "body of journal entry %llu (%s)", (unsigned long long) record->seq,
                        KINDS[record->kind].name);
    }
    if (!ctn_json_is(body, CTN_JSON_OBJECT))
        return ctn_fail(err, CTN_E_CORRUPT, "body of journal entry %llu (%s): expected an object, got %s",
                        (unsigned long long) record->seq, KINDS[record->kind].name, ctn_json_kind_name(body));
    rc = ctn_sealed_hide(arena, body, record->sealed, &body, err);
    if (rc)
        return ctn_wrap(err, CTN_E_CORRUPT, "journal entry %llu (%s)", (unsigned long long) record->seq,
                        KINDS[record->kind].name);
    *ret_entry = (ctn_entry){
        .bytes = record->body.len,
        .kind = record->kind,
        .seq = record->seq,
        .at_ms = record->at_ms,
        .step = ctn_arena_str(arena, record->step),
        .item = record->item,
        .attempt = record->attempt,
        .actor = ctn_arena_str(arena, record->actor),
        .body = body,
        .is_hidden = record->sealed.len > 0,
    };
    return CTN_OK;
}

/* What is to be hashed, gathered so that a record is one or two calls of the hash function and not twelve. */
typedef struct gathered {
    ctn_hasher hasher;
    size_t len;
    char bytes[512];
} gathered;

static void add_bytes(gathered *g, const char *bytes, size_t len)
{
    if (len > sizeof g->bytes - g->len) {
        ctn_hasher_add(&g->hasher, (ctn_str){g->bytes, g->len});
        g->len = 0;
    }
    if (len > sizeof g->bytes)
        ctn_hasher_add(&g->hasher, (ctn_str){bytes, len});
    else if (len) {
        memcpy(g->bytes + g->len, bytes, len);
        g->len += len;
    }
}

static void add_number(gathered *g, uint64_t value)
{
    char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char) (unsigned char) (value >> (8 * i));
    add_bytes(g, bytes, sizeof bytes);
}

static void add_text(gathered *g, ctn_str text)
{
    add_number(g, text.len);
    add_bytes(g, text.ptr, text.len);
}

ctn_digest ctn_record_hash(const ctn_record *record, const ctn_digest *previous)
{
    static const ctn_digest FIRST = {{0}};
    const ctn_digest *before = previous ? previous : &FIRST;
    gathered g;
    g.len = 0;
    ctn_hasher_init(&g.hasher);
    add_bytes(&g, (const char *) before->bytes, sizeof before->bytes);
    add_number(&g, record->seq);
    add_number(&g, (uint64_t) record->at_ms);
    add_text(&g, ctn_str_from(ctn_entry_kind_name(record->kind)));
    add_text(&g, record->step);
    add_number(&g, (uint64_t) record->item);
    add_number(&g, record->attempt);
    add_text(&g, record->actor);
    add_text(&g, record->body);
    ctn_hasher_add(&g.hasher, (ctn_str){g.bytes, g.len});
    return ctn_hasher_finish(&g.hasher);
}

bool ctn_completed_outputs(ctn_str body, ctn_str *ret_outputs)
{
    ctn_str head = CTN_STR("{\"outputs\":");
    if (!ctn_str_starts_with(body, head) || body.len <= head.len || body.ptr[body.len - 1] != '}')
        return false;
    *ret_outputs = (ctn_str){body.ptr + head.len, body.len - head.len - 1};
    return true;
}
