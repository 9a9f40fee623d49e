/*
 * sim_disk.c -- each record is judged as it comes to disk and as it is told; where the store is on a disk that can lose
 * something, all of it is read again after each death and compared with what was seen to come.
 */
#include "sim/sim_state.h"

#include "engine/fold.h"

#include <string.h>

/* ---- what is on disk ---- */

static subject *subject_of(sim *s, ctn_execution_id id)
{
    for (int i = 0; i < s->count + s->child_count; i++)
        if (ctn_id_equal(s->subjects[i].id, id))
            return &s->subjects[i];
    return NULL;
}

static void mark(sim *s, const char *what, const char *key)
{
    sim_note(s->marks, &s->mark_count, what, key);
}

bool sim_is_marked(const sim *s, const char *what, const char *key)
{
    return sim_total(s->marks, s->mark_count, what, key, false) > 0;
}

static void key_of_record(const subject *x, const ctn_record *r, const ctn_json *body, bool is_undo, char ret_key[160])
{
    ctn_str call = ctn_json_str_or(body, "call", CTN_STR(""));
    char item[32] = "";
    if (r->item >= 0)
        snprintf(item, sizeof item, "[%lld]", (long long) r->item);
    snprintf(ret_key, 160, "%s/%.*s%s%s%.*s/%s", ctn_id_to_text(x->id).text, CTN_STR_ARG(r->step), item,
             call.len ? "/" : "", CTN_STR_ARG(call), is_undo ? "undo" : "do");
}

static void take_record(sim *s, subject *x, const ctn_record *r)
{
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_json *body = NULL;
    char key[160], what[64];
    assert_int_equal(ctn_json_parse(arena, r->body, NULL, &body, NULL), CTN_OK);
    if (r->seq != x->seq_on_disk + 1)
        SIM_FAIL(s, "entry %llu came to disk after entry %llu", (unsigned long long) r->seq,
                 (unsigned long long) x->seq_on_disk);
    bool is_reopened = r->kind == CTN_ENTRY_CANCEL_REQUESTED && ctn_json_bool_or(body, "reopens", false);
    if (x->has_ended && !is_reopened)
        SIM_FAIL(s, "%s came to disk after the end", ctn_entry_kind_name(r->kind));
    if (is_reopened)
        x->has_ended = x->end_was_told = false;
    x->seq_on_disk = r->seq;
    x->hash_on_disk = r->hash;
    bool is_undo = r->kind == CTN_ENTRY_COMPENSATION_STARTED || r->kind == CTN_ENTRY_COMPENSATION_SUCCEEDED;
    switch (r->kind) {
    case CTN_ENTRY_ATTEMPT_STARTED:
    case CTN_ENTRY_COMPENSATION_STARTED:
        key_of_record(x, r, body, is_undo, key);
        snprintf(what, sizeof what, "started %u", r->attempt);
        mark(s, what, key);
        break;
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_COMPENSATION_SUCCEEDED:
        key_of_record(x, r, body, is_undo, key);
        mark(s, "done", key);
        break;
    case CTN_ENTRY_COMPLETED:
    case CTN_ENTRY_FAILED:
    case CTN_ENTRY_ROLLED_BACK:
    case CTN_ENTRY_ROLLBACK_FAILED:
    case CTN_ENTRY_CANCELLED:
        x->has_ended = true;
        x->life_of_end = ctn_world_life(s->world);
        break;
    default: break;
    }
    ctn_arena_free(arena);
}

/* A row that came to disk: whose it is. */
static subject *subject_of_row(sim *s, const ctn_execution_row *row, int64_t exec_no)
{
    subject *x = NULL;
    for (int i = 0; i < s->count && !x; i++)
        if (row->idempotency_key.len && s->subjects[i].exec_no == 0) {
            char key[32];
            snprintf(key, sizeof key, "run-%d", i);
            if (ctn_str_is(row->idempotency_key, key))
                x = &s->subjects[i];
        }
    if (!x && !ctn_id_is_none(row->parent)) {
        assert_true(s->child_count < CHILDREN_MAX);
        x = &s->subjects[s->count + s->child_count++];
        x->s = s;
    }
    assert_non_null(x);
    x->id = row->id;
    x->exec_no = exec_no;
    return x;
}

void sim_take_append(void *ctx, const ctn_append *a)
{
    sim *s = ctx;
    subject *x = a->row ? subject_of_row(s, a->row, a->exec_no) : NULL;
    for (int i = 0; i < s->count + s->child_count && !x; i++)
        if (s->subjects[i].exec_no == a->exec_no)
            x = &s->subjects[i];
    assert_non_null(x);
    for (size_t i = 0; i < a->count; i++)
        take_record(s, x, &a->records[i]);
}

/* ---- a disk that is looked through ---- */

void sim_look(const sim *s, bool begins)
{
    if (s->o.disk)
        s->o.disk->look(s->o.disk->ctx, begins);
}

__attribute__((format(printf, 2, 3))) static void lose(sim *s, const char *format, ...)
{
    char text[sizeof s->lost];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!s->o.disk->tolerates_loss)
        SIM_FAIL(s, "%s", text);
    memcpy(s->lost, text, sizeof text);
}

static int find_record(void *ctx, const ctn_record *r, int64_t position)
{
    (void) position;
    subject *x = ctx;
    sim *s = x->s;
    ctn_digest hash = ctn_record_hash(r, &x->hash_found);
    if (r->seq != x->seq_found + 1)
        SIM_FAIL(s, "entry %llu stands behind entry %llu", (unsigned long long) r->seq,
                 (unsigned long long) x->seq_found);
    if (memcmp(&hash, &r->hash, sizeof hash) != 0)
        SIM_FAIL(s, "the hash of entry %llu does not fit", (unsigned long long) r->seq);
    x->seq_found = r->seq;
    x->hash_found = r->hash;
    if (r->seq == x->seq_on_disk && memcmp(&r->hash, &x->hash_on_disk, sizeof r->hash) != 0)
        lose(s, "entry %llu was on disk and is another one", (unsigned long long) r->seq);
    if (r->seq > x->seq_on_disk && !s->lost[0]) {
        sim_trace(s, "found %s %.*s", ctn_entry_kind_name(r->kind), CTN_STR_ARG(r->body));
        take_record(s, x, r);
    }
    return 0;
}

typedef struct finding {
    sim *s;
    ctn_store *store;
} finding;

static int find_row(void *ctx, const ctn_execution_row *row)
{
    const finding *f = ctx;
    subject *x = subject_of(f->s, row->id);
    if (!x)
        x = subject_of_row(f->s, row, row->exec_no);
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(16384);
    x->seq_found = 0;
    x->hash_found = (ctn_digest){0};
    if (ctn_store_journal_read(f->store, row->exec_no, 1, find_record, x, &err))
        SIM_FAIL(f->s, "a journal cannot be read: %s", err.message);
    ctn_execution *folded = NULL;
    if (ctn_execution_load(f->store, arena, row, &folded, &err))
        SIM_FAIL(f->s, "a journal does not fold: %s", err.message);
    ctn_status status = ctn_execution_status(folded);
    if (row->status != status && (ctn_status_is_final(row->status) || ctn_status_is_final(status)))
        SIM_FAIL(f->s, "the row says %s, the journal %s", ctn_status_name(row->status), ctn_status_name(status));
    ctn_execution_unload(folded);
    ctn_arena_free(arena);
    return 0;
}

/* Everything that was on disk is there; what is there and was not known is known from now on. */
static void find_all(sim *s, ctn_store *store)
{
    finding f = {.s = s, .store = store};
    ctn_err err = {0};
    for (int i = 0; i < s->count + s->child_count; i++)
        s->subjects[i].seq_found = 0;
    if (ctn_store_execution_list(store, &(ctn_execution_filter){0}, find_row, &f, &err))
        SIM_FAIL(s, "the executions cannot be read: %s", err.message);
    for (int i = 0; i < s->count + s->child_count; i++)
        if (s->subjects[i].seq_found < s->subjects[i].seq_on_disk)
            lose(s, "%llu entries were on disk, %llu are found", (unsigned long long) s->subjects[i].seq_on_disk,
                 (unsigned long long) s->subjects[i].seq_found);
}

void sim_find_on_disk(sim *s, bool after_cut)
{
    ctn_store *found = s->o.disk->find(s->o.disk->ctx, after_cut);
    if (found)
        find_all(s, found);
    for (int i = 0; !found && i < s->count; i++)
        if (s->subjects[i].seq_on_disk)
            lose(s, "there was a store, and there is none");
    s->o.disk->find_done(s->o.disk->ctx, found);
}

/* A commit whose end nobody knows: what those see who read now is what it is. */
void sim_on_commit_failed(void *ctx, const ctn_err *err)
{
    sim *s = ctx;
    sim_trace(s, "commit failed: %s", err->message);
    if (!s->o.disk || ctn_world_is_dead(s->world))
        return;
    sim_look(s, true);
    if (!ctn_world_is_dead(s->world))
        find_all(s, ctn_world_store(s->world));
    sim_look(s, false);
}

const char *sim_lost(sim *s)
{
    return s->lost[0] ? s->lost : NULL;
}

void sim_on_event(void *ctx, const ctn_engine_event *told)
{
    sim *s = ctx;
    subject *x = subject_of(s, ctn_execution_id_of(told->execution));
    if (told->kind != CTN_EVENT_ENTRY && told->kind != CTN_EVENT_STATUS)
        return;
    if (!x || !x->exec_no)
        SIM_FAIL(s, "something is told of an execution that is not on disk");
    bool is_end = told->kind == CTN_EVENT_STATUS && ctn_status_is_final(told->status);
    if (x->end_was_told && !is_end) /* the end itself is told again when it comes back into memory */
        SIM_FAIL(s, "something is told after the end");
    if (told->kind == CTN_EVENT_STATUS) {
        x->end_was_told = ctn_status_is_final(told->status);
        if (x->end_was_told && !x->has_ended)
            SIM_FAIL(s, "an end is told that is not on disk");
        return;
    }
    if (told->record->seq > x->seq_on_disk || told->record->seq <= x->seq_told)
        SIM_FAIL(s, "entry %llu is told after %llu, on disk are %llu", (unsigned long long) told->record->seq,
                 (unsigned long long) x->seq_told, (unsigned long long) x->seq_on_disk);
    x->seq_told = told->record->seq;
}

typedef struct counting {
    ctn_entry_kind kind;
    const char *step, *member;
    int count;
    int64_t at_ms, number;
} counting;

static int count_record(void *ctx, const ctn_record *record, int64_t position)
{
    counting *c = ctx;
    (void) position;
    if (record->kind != c->kind || (c->step && !ctn_str_is(record->step, c->step)))
        return 0;
    if (c->count++ > 0)
        return 0;
    c->at_ms = record->at_ms;
    ctn_arena *arena = ctn_arena_new(1024);
    const ctn_json *body = NULL;
    assert_int_equal(ctn_json_parse(arena, record->body, NULL, &body, NULL), CTN_OK);
    c->number = c->member ? ctn_json_int_or(body, c->member, 0) : 0;
    ctn_arena_free(arena);
    return 0;
}

static counting count_entries(sim *s, ctn_entry_kind kind, const char *step, const char *member)
{
    counting c = {.kind = kind, .step = step, .member = member};
    ctn_err err = {0};
    assert_int_equal(
        ctn_store_journal_read(ctn_world_store(s->world), s->subjects[0].exec_no, 1, count_record, &c, &err), CTN_OK);
    return c;
}

int sim_entries(sim *s, ctn_entry_kind kind)
{
    return count_entries(s, kind, NULL, NULL).count;
}

int64_t sim_entry_at_ms(sim *s, ctn_entry_kind kind, const char *step)
{
    return count_entries(s, kind, step, NULL).at_ms;
}

int64_t sim_entry_number(sim *s, ctn_entry_kind kind, const char *step, const char *member)
{
    return count_entries(s, kind, step, member).number;
}
