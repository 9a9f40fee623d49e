#include "sim.h"

#include "chain/library.h"
#include "engine/fold.h"
#include "simulate/world.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define LEDGER_MAX   4096
#define TURNS_MAX    200000
#define CHILDREN_MAX 64

typedef enum event_kind { EVENT_EFFECT, EVENT_REPLY } event_kind;

typedef struct event {
    char tool[64], key[160];
    ctn_failure failure;
    bool was_sent;
} event;

/* One execution, as the disk and the audience know it. */
typedef struct subject {
    struct sim *s;
    ctn_execution_id id;
    bool is_acked, has_ended, end_was_told;
    int64_t exec_no; /* 0: not on disk */
    uint64_t seq_on_disk, seq_told;
    ctn_digest hash_on_disk; /* of that entry */
    uint64_t life_of_end;    /* the life in which its end came to disk */
    uint64_t seq_found;      /* while a disk is looked through */
    ctn_digest hash_found;
} subject;

typedef struct deed {
    char tool[64], key[160];
    int count;
} deed;

struct sim {
    sim_options o;
    ctn_world *world;
    deed *effects, *calls, *marks; /* marks: what is on disk about a call */
    size_t effect_count, call_count, mark_count;
    subject *subjects;
    int count, child_count; /* children come behind those that were started here */
    bool all_acked, cancel_sent, was_helped, asks_again;
    const ctn_plan *plan; /* of this life */
    int64_t plan_version;
    char lost[200];
    int64_t started_at_ms;
    ctn_arena *arena;
    int settles_pending;
};

static uint64_t roll(sim *s, uint64_t below)
{
    return ctn_world_roll(s->world, below);
}

static bool percent(sim *s, int share)
{
    return ctn_world_percent(s->world, share);
}

#define SIM_FAIL(s, ...)                                                                                               \
    do {                                                                                                               \
        fprintf(stderr, "%s seed %llu, die_before %d, die_after %d: ", (s)->o.about ? (s)->o.about : "",               \
                (unsigned long long) (s)->o.seed, (s)->o.die_before_commit, (s)->o.die_after_commit);                  \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fprintf(stderr, "\n");                                                                                         \
        fail();                                                                                                        \
    } while (0)

/* SIM_TRACE=1 tells everything that happens, SIM_SEED=n runs one world. */
__attribute__((format(printf, 2, 3))) static void trace(const sim *s, const char *format, ...)
{
    if (!getenv("SIM_TRACE"))
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%lld ", (long long) ctn_world_now_ms(s->world));
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static event *event_new(sim *s, event_kind kind, uint64_t token, int64_t delay_ms)
{
    event *e = CTN_NEW(ctn_world_life_arena(s->world), event);
    ctn_world_later(s->world, delay_ms, (int) kind, token, e);
    return e;
}

/* ---- ledgers ---- */

static void note(deed *deeds, size_t *count, const char *tool, const char *key)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(deeds[i].tool, tool) == 0 && strcmp(deeds[i].key, key) == 0) {
            deeds[i].count++;
            return;
        }
    assert_true(*count < LEDGER_MAX);
    deed *d = &deeds[(*count)++];
    snprintf(d->tool, sizeof d->tool, "%s", tool);
    snprintf(d->key, sizeof d->key, "%s", key);
    d->count = 1;
}

static int total(const deed *deeds, size_t count, const char *tool, const char *key, bool most)
{
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(deeds[i].tool, tool) != 0 || (key && strcmp(deeds[i].key, key) != 0))
            continue;
        sum = most ? (deeds[i].count > sum ? deeds[i].count : sum) : sum + deeds[i].count;
    }
    return sum;
}

int sim_effects(const sim *s, const char *tool)
{
    return total(s->effects, s->effect_count, tool, NULL, false);
}

int sim_effects_of_one_key(const sim *s, const char *tool)
{
    return total(s->effects, s->effect_count, tool, NULL, true);
}

int sim_effects_of_step(const sim *s, int n, const char *tool, const char *step, const char *role)
{
    char key[160];
    snprintf(key, sizeof key, "%s/%s/%s", ctn_id_to_text(s->subjects[n].id).text, step, role);
    return total(s->effects, s->effect_count, tool, key, false);
}

int sim_calls(const sim *s, const char *tool)
{
    return total(s->calls, s->call_count, tool, NULL, false);
}

static void take_effect(sim *s, const char *tool, const char *key)
{
    trace(s, "effect %s %s", tool, key);
    bool once = strncmp(tool, "idem_", 5) == 0 || strncmp(tool, "undo_", 5) == 0;
    if (once && total(s->effects, s->effect_count, tool, key, false) > 0)
        return;
    note(s->effects, &s->effect_count, tool, key);
    if (strncmp(tool, "write_", 6) == 0 && total(s->effects, s->effect_count, tool, key, false) > 1)
        SIM_FAIL(s, "the write %s ran twice under %s", tool, key);
}

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
    note(s->marks, &s->mark_count, what, key);
}

static bool is_marked(const sim *s, const char *what, const char *key)
{
    return total(s->marks, s->mark_count, what, key, false) > 0;
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

static void take_append(void *ctx, const ctn_append *a)
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

static void look(const sim *s, bool begins)
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
        trace(s, "found %s %.*s", ctn_entry_kind_name(r->kind), CTN_STR_ARG(r->body));
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

static void find_on_disk(sim *s, bool after_cut)
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
static void on_commit_failed(void *ctx, const ctn_err *err)
{
    sim *s = ctx;
    trace(s, "commit failed: %s", err->message);
    if (!s->o.disk || ctn_world_is_dead(s->world))
        return;
    look(s, true);
    if (!ctn_world_is_dead(s->world))
        find_all(s, ctn_world_store(s->world));
    look(s, false);
}

const char *sim_lost(sim *s)
{
    return s->lost[0] ? s->lost : NULL;
}

void sim_die(sim *s)
{
    trace(s, "death");
    ctn_world_die(s->world);
}

static void on_event(void *ctx, const ctn_engine_event *told)
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

/* ---- the tool driver ---- */

static void check_begin(const sim *s, const ctn_call_request *request, const char *tool, const char *key)
{
    char what[64];
    snprintf(what, sizeof what, "started %u", request->attempt);
    if (is_marked(s, "done", key))
        SIM_FAIL(s, "%s was recorded as done and is called again under %s", tool, key);
    bool must_be_on_disk = strncmp(tool, "write_", 6) == 0 || strncmp(tool, "undo_", 5) == 0;
    if (must_be_on_disk && !is_marked(s, what, key))
        SIM_FAIL(s, "%s begins under %s and its start is not on disk", tool, key);
}

static void driver_begin(void *ctx, const char *kind, const ctn_call_request *request)
{
    (void) kind;
    sim *s = ctx;
    char tool[64], key[160];
    const char *slash = memchr(request->target.ptr, '/', request->target.len);
    assert_non_null(slash);
    snprintf(tool, sizeof tool, "%.*s", (int) (request->target.ptr + request->target.len - slash - 1), slash + 1);
    snprintf(key, sizeof key, "%.*s", CTN_STR_ARG(request->idempotency_key));
    note(s->calls, &s->call_count, tool, key);
    trace(s, "begin %s attempt %u", key, request->attempt);
    int64_t delay_ms = 1 + (int64_t) roll(s, 20);
    bool is_check = strncmp(tool, "check_", 6) == 0;
    if (!is_check)
        check_begin(s, request, tool, key);
    bool has_effect = !is_check && strncmp(tool, "read_", 5) != 0 && strncmp(tool, "fail_", 5) != 0;

    ctn_failure failure = strncmp(tool, "fail_", 5) == 0 ? CTN_FAILURE_TOOL_ERROR : CTN_FAILURE_NONE;
    bool was_sent = true, effect_happens = has_effect;
    if (!failure && percent(s, s->o.fault_percent)) {
        switch (roll(s, 5)) {
        case 0:
            failure = CTN_FAILURE_UNAVAILABLE;
            was_sent = false;
            break;
        case 1:
            failure = CTN_FAILURE_TRANSPORT;
            was_sent = false;
            break;
        case 2:
            failure = CTN_FAILURE_TRANSPORT;
            effect_happens = has_effect && roll(s, 2);
            break;
        case 3:
            failure = CTN_FAILURE_TIMEOUT;
            effect_happens = has_effect && roll(s, 2);
            delay_ms = 500;
            break;
        default: failure = CTN_FAILURE_TOOL_ERROR; break;
        }
    }
    if (failure == CTN_FAILURE_TOOL_ERROR || !was_sent)
        effect_happens = false;
    if (effect_happens) {
        event *e = event_new(s, EVENT_EFFECT, request->token, (int64_t) roll(s, (uint64_t) delay_ms));
        snprintf(e->tool, sizeof e->tool, "%s", tool);
        snprintf(e->key, sizeof e->key, "%s", key);
    }
    event *e = event_new(s, EVENT_REPLY, request->token, delay_ms);
    snprintf(e->tool, sizeof e->tool, "%s", tool);
    snprintf(e->key, sizeof e->key, "%s", key);
    e->failure = failure;
    e->was_sent = was_sent;
}

static void driver_cancel(void *ctx, uint64_t token)
{
    ctn_world_drop(((sim *) ctx)->world, EVENT_REPLY, token);
}

static ctn_effect driver_effect(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    (void) ctx, (void) kind;
    *ret_from = "annotations";
    if (ctn_str_find(target, CTN_STR("/read_")) != SIZE_MAX || ctn_str_find(target, CTN_STR("/check_")) != SIZE_MAX)
        return CTN_EFFECT_READ;
    if (ctn_str_find(target, CTN_STR("/idem_")) != SIZE_MAX || ctn_str_find(target, CTN_STR("/undo_")) != SIZE_MAX)
        return CTN_EFFECT_IDEMPOTENT;
    return CTN_EFFECT_WRITE;
}

/* Effects of a call that was given up may come a little later, as with a slow server that still lives. */
static bool driver_may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return true;
}

static void reply(sim *s, const event *e, uint64_t token)
{
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "value", ctn_str_from(e->tool));
    ctn_json_put_str(&b, "key", ctn_str_from(e->key));
    if (strncmp(e->tool, "check_", 6) == 0) {
        char write[64];
        snprintf(write, sizeof write, "write_%s", e->tool + 6);
        ctn_json_put_bool(&b, "happened", total(s->effects, s->effect_count, write, e->key, false) > 0);
        ctn_json_builder result = ctn_json_object(arena);
        ctn_json_put_str(&result, "value", ctn_str_from(write));
        ctn_json_put_str(&result, "key", ctn_str_from(e->key));
        ctn_json_put(&b, CTN_STR("result"), ctn_json_finish(&result));
    }
    ctn_call_result result = {
        .failure = e->failure,
        .value = e->failure ? NULL : ctn_json_finish(&b),
        .message = CTN_STR("so the simulator said"),
        .was_sent = e->was_sent,
    };
    trace(s, "reply %s %s %s", e->tool, e->key, ctn_failure_name(e->failure));
    ctn_world_reply(s->world, token, &result);
    ctn_arena_free(arena);
}

static void happen(void *ctx, const ctn_world_event *due)
{
    sim *s = ctx;
    const event *e = due->data;
    switch ((event_kind) due->kind) {
    case EVENT_EFFECT: take_effect(s, e->tool, e->key); break;
    case EVENT_REPLY: reply(s, e, due->token); break;
    }
}

/* ---- the writer ---- */

static ctn_commit_fate fate_of_commit(void *ctx, int number, const ctn_batch *batch)
{
    sim *s = ctx;
    int nth = number + 1;
    if (s->o.disk && s->o.disk->before_commit)
        s->o.disk->before_commit(s->o.disk->ctx, number);
    ctn_commit_fate fate = {.dies_before = nth == s->o.die_before_commit || percent(s, s->o.die_chance_percent)};
    if (fate.dies_before) {
        trace(s, "death");
        return fate;
    }
    fate.fails = percent(s, s->o.commit_fails_percent);
    fate.is_written = fate.fails && roll(s, 2);
    for (size_t i = 0; i < batch->count; i++)
        for (size_t k = 0; k < batch->appends[i].count; k++)
            trace(s, "commit%s %s %.*s", fate.fails ? " (fails)" : "",
                  ctn_entry_kind_name(batch->appends[i].records[k].kind),
                  CTN_STR_ARG(batch->appends[i].records[k].body));
    fate.dies_after = nth == s->o.die_after_commit || percent(s, s->o.die_chance_percent);
    return fate;
}

/* ---- lives of the engine ---- */

static void on_ack(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    subject *x = ctx;
    sim *s = x->s;
    if (rc && s->o.disk && (rc == CTN_E_IO || rc == CTN_E_BUSY)) {
        s->asks_again = true;
        return;
    }
    if (rc)
        SIM_FAIL(s, "start refused: %s", err->message);
    if (!x->exec_no || !ctn_id_equal(x->id, id))
        SIM_FAIL(s, "a start is acknowledged that is not on disk");
    x->is_acked = true;
    s->all_acked = true;
    for (int i = 0; i < s->count; i++)
        s->all_acked = s->all_acked && s->subjects[i].is_acked;
}

static ctn_plan *compile(sim *s)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    if (s->o.child)
        (void) ctn_library_add_text(library, CTN_STR("child.yaml"), ctn_str_from(s->o.child), &findings, NULL);
    (void) ctn_library_add_text(library, CTN_STR("sim.yaml"), ctn_str_from(s->o.chain), &findings, &chain);
    if (chain)
        (void) ctn_plan_compile(arena, library, chain, &findings, &plan);
    for (size_t i = 0; i < findings.count; i++)
        if (findings.items[i].severity == CTN_SEVERITY_ERROR)
            SIM_FAIL(s, "sim.yaml:%u:%u: %.*s", findings.items[i].line, findings.items[i].column,
                     CTN_STR_ARG(findings.items[i].message));
    assert_non_null(plan);
    return plan;
}

static void ask(sim *s, ctn_engine *engine)
{
    const ctn_json *input = NULL;
    ctn_err err = {0};
    s->asks_again = false;
    assert_int_equal(ctn_json_parse(s->arena, ctn_str_from(s->o.input ? s->o.input : "{}"), NULL, &input, &err), 0);
    for (int i = 0; i < s->count; i++) {
        char key[32];
        snprintf(key, sizeof key, "run-%d", i);
        ctn_start start = {
            .plan = s->plan, .version = s->plan_version, .input = input, .idempotency_key = ctn_str_from(key)};
        if (!s->subjects[i].is_acked)
            ctn_engine_start(engine, &start, on_ack, &s->subjects[i]);
    }
}

static void begin_life(void *ctx, ctn_engine *engine)
{
    sim *s = ctx;
    ctn_err err = {0};
    for (int i = 0; i < s->count; i++)
        s->subjects[i].end_was_told = false; /* a new audience */
    for (int i = 0; i < s->child_count; i++)
        s->subjects[s->count + i].end_was_told = false;
    s->asks_again = false;
    if (!s->all_acked) { /* nobody was told that it is accepted: the caller asks again */
        int rc = ctn_engine_plan_add(engine, compile(s), CTN_STR("sim"), &s->plan, &s->plan_version, &err);
        if (rc && s->o.disk && (rc == CTN_E_IO || rc == CTN_E_BUSY)) {
            sim_die(s); /* the program ends with a sentence */
            return;
        }
        if (rc)
            SIM_FAIL(s, "plan refused: %s", err.message);
        ask(s, engine);
        s->started_at_ms = ctn_world_now_ms(s->world);
    }
}

/* Its tool servers were its children: what they had not done by now is never done; what they did is done. */
static void end_life(void *ctx, const ctn_world_event *pending, size_t count)
{
    sim *s = ctx;
    int64_t now_ms = ctn_world_at_ms(s->world);
    for (size_t i = 0; i < count; i++) {
        const event *e = pending[i].data;
        if (pending[i].kind == EVENT_EFFECT && roll(s, 2) && pending[i].at_ms <= now_ms + 5)
            take_effect(s, e->tool, e->key);
    }
    s->settles_pending = 0;
    if (s->o.disk) {
        s->o.disk->restart(s->o.disk->ctx);
        find_on_disk(s, false);
    }
}

static int open_store(void *ctx, ctn_store **ret_store, ctn_err *err)
{
    const sim *s = ctx;
    int rc = s->o.disk->open(s->o.disk->ctx, ret_store, err);
    if (rc)
        trace(s, "the store does not open: %s", err->message);
    return rc;
}

sim *sim_new(const sim_options *options)
{
    sim *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->o = *options;
    s->count = options->executions ? options->executions : 1;
    s->subjects = calloc((size_t) s->count + CHILDREN_MAX, sizeof *s->subjects);
    s->marks = calloc(LEDGER_MAX, sizeof *s->marks);
    assert_true(s->subjects && s->marks);
    for (int i = 0; i < s->count; i++)
        s->subjects[i].s = s;
    s->effects = calloc(LEDGER_MAX, sizeof *s->effects);
    s->calls = calloc(LEDGER_MAX, sizeof *s->calls);
    s->arena = ctn_arena_new(4096);
    ctn_world_options o = {
        .seed = options->seed,
        .active_max = options->active_max,
        .seal = options->seal,
        .store_open = options->disk ? open_store : NULL,
        .hooks = {.ctx = s,
                  .begin = driver_begin,
                  .let_go = driver_cancel,
                  .effect = driver_effect,
                  .may_still_arrive = driver_may_still_arrive,
                  .happen = happen,
                  .commit = fate_of_commit,
                  .on_disk = take_append,
                  .commit_failed = on_commit_failed,
                  .on_event = on_event,
                  .born = begin_life,
                  .died = end_life},
    };
    ctn_err err = {0};
    if (ctn_world_new(&o, &s->world, &err))
        SIM_FAIL(s, "%s", err.message);
    return s;
}

void sim_free(sim *s)
{
    ctn_world_free(s->world);
    ctn_arena_free(s->arena);
    free(s->effects);
    free(s->calls);
    free(s->marks);
    free(s->subjects);
    free(s);
}

/* ---- running ---- */

static void on_settled(void *ctx, int rc, ctn_execution_id id, const ctn_err *err)
{
    (void) rc, (void) id, (void) err;
    ((sim *) ctx)->settles_pending--;
}

/* A person who looks at the ledger and says the truth. */
static bool help(sim *s, const ctn_execution *x)
{
    ctn_execution_id id = ctn_execution_id_of(x);
    if (s->settles_pending)
        return false; /* it was said; time goes on */
    const ctn_plan *plan = ctn_execution_plan(x);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        ctn_step_view v = ctn_execution_step(x, i);
        ctn_input in = {.name = plan->steps[i].name, .actor = CTN_STR("sam")};
        if (v.status == CTN_STEP_WAITING && v.wants_approval) {
            in.kind = CTN_IN_ANSWER;
            ctn_json_builder b = ctn_json_object(s->arena);
            ctn_json_put_bool(&b, "approved", true);
            in.value = ctn_json_finish(&b);
        } else if (v.status == CTN_STEP_INTERRUPTED && !s->o.person_is_absent) {
            in.kind = CTN_IN_SETTLE;
            const ctn_plan_call *call = &(v.is_undoing ? plan->steps[i].undo : plan->steps[i].set)->calls[0];
            const char *tool = ctn_arena_str(s->arena, ctn_str_from_offset(call->target, 4)).ptr;
            char key[160], item[32] = "";
            if (v.item >= 0)
                snprintf(item, sizeof item, "[%lld]", (long long) v.item);
            in.name = ctn_arena_printf(s->arena, "%.*s%s", CTN_STR_ARG(plan->steps[i].name), item);
            snprintf(key, sizeof key, "%s/%.*s/%s", ctn_id_to_text(id).text, CTN_STR_ARG(in.name),
                     v.is_undoing ? "undo" : "do");
            bool happened = total(s->effects, s->effect_count, tool, key, false) > 0;
            in.settle = happened ? CTN_SETTLE_SUCCEED : roll(s, 2) ? CTN_SETTLE_RETRY : CTN_SETTLE_FAIL;
            in.not_happened = true;
            ctn_json_builder b = ctn_json_object(s->arena);
            ctn_json_put_str(&b, "value", ctn_str_from(tool));
            ctn_json_put_str(&b, "key", ctn_str_from(key));
            in.value = ctn_json_finish(&b);
        } else {
            continue;
        }
        s->settles_pending++;
        s->was_helped = true; /* what a person asks for is loaded, room or not */
        ctn_engine_input(ctn_world_engine(s->world), id, &in, on_settled, s);
        return true;
    }
    return false;
}

ctn_store *sim_store(sim *s)
{
    return ctn_world_store(s->world);
}

const ctn_execution *sim_execution(sim *s, int n)
{
    ctn_arena_reset(s->arena);
    ctn_execution_row row;
    ctn_err err = {0};
    ctn_execution *x = NULL;
    if (ctn_store_execution_get(ctn_world_store(s->world), s->arena, s->subjects[n].id, &row, &err) ||
        ctn_execution_load(ctn_world_store(s->world), s->arena, &row, &x, &err))
        SIM_FAIL(s, "the journal does not read back: %s", err.message);
    if (row.status != ctn_execution_status(x) &&
        (ctn_status_is_final(row.status) || ctn_status_is_final(ctn_execution_status(x))))
        SIM_FAIL(s, "the row says %s, the journal %s", ctn_status_name(row.status),
                 ctn_status_name(ctn_execution_status(x)));
    return x;
}

/* Nothing is due at this moment: what is in memory has a reason to be there. */
static void check_memory(sim *s)
{
    size_t loaded = 0;
    ctn_str why;
    if (ctn_engine_store_failing_since_ms(ctn_world_engine(s->world), &why) || ctn_world_is_writing(s->world))
        return; /* what it has come to is not on disk yet */
    if (s->o.disk && s->o.disk->has_failed(s->o.disk->ctx))
        return;
    for (int i = 0; i < s->count; i++) {
        const ctn_execution *x = ctn_engine_find(ctn_world_engine(s->world), s->subjects[i].id);
        if (!x)
            continue;
        loaded++;
        ctn_status status = ctn_execution_status(x);
        if (status == CTN_STATUS_WAITING || status == CTN_STATUS_INTERRUPTED || status == CTN_STATUS_QUEUED ||
            ctn_status_is_final(status))
            SIM_FAIL(s, "an execution that is %s stays in memory", ctn_status_name(status));
    }
    if (s->o.active_max && !s->was_helped && loaded > s->o.active_max)
        SIM_FAIL(s, "%zu executions are in memory", loaded);
}

/* A child that needs somebody. */
static bool look_after_children(sim *s)
{
    for (int i = s->count; i < s->count + s->child_count; i++)
        if (!s->subjects[i].has_ended && help(s, sim_execution(s, i)))
            return true;
    return false;
}

/* Who is at rest may have ended or need somebody. True: somebody did something. */
static bool look_after_all(sim *s, bool *ret_all_at_rest, bool is_woken, ctn_status *ret_status)
{
    *ret_all_at_rest = true;
    for (int i = 0; i < s->count; i++) {
        subject *subj = &s->subjects[i];
        if (subj->has_ended && i > 0)
            continue;
        const ctn_execution *x = sim_execution(s, i);
        ctn_status status = ctn_execution_status(x);
        if (i == 0)
            *ret_status = status;
        if (ctn_status_is_final(status))
            continue;
        if ((ctn_engine_find(ctn_world_engine(s->world), subj->id) == NULL || status == CTN_STATUS_COMPENSATING ||
             status == CTN_STATUS_INTERRUPTED || status == CTN_STATUS_WAITING) &&
            help(s, x))
            return true;
        if (look_after_children(s))
            return true;
        if (status != CTN_STATUS_INTERRUPTED || is_woken || s->settles_pending)
            *ret_all_at_rest = false;
    }
    return false;
}

static void check_end(sim *s)
{
    for (int i = 0; i < s->count; i++)
        if (s->subjects[i].has_ended && s->subjects[i].life_of_end == ctn_world_life(s->world) &&
            !s->subjects[i].end_was_told)
            SIM_FAIL(s, "the end came to disk and nobody was told");
}

static bool cancel_is_due(const sim *s)
{
    return s->o.cancel_at_ms && s->all_acked && !s->cancel_sent &&
           ctn_world_now_ms(s->world) >= s->started_at_ms + s->o.cancel_at_ms;
}

static void cancel_now(sim *s)
{
    s->cancel_sent = true;
    ctn_input in = {.kind = CTN_IN_CANCEL, .actor = CTN_STR("sam")};
    s->settles_pending++;
    ctn_engine_input(ctn_world_engine(s->world), s->subjects[0].id, &in, on_settled, s);
}

ctn_status sim_run(sim *s)
{
    ctn_status status = CTN_STATUS_QUEUED;
    for (int turns = 0; turns < TURNS_MAX; turns++) {
        if (cancel_is_due(s) && ctn_world_engine(s->world) && !ctn_world_is_dead(s->world))
            cancel_now(s);
        if (s->lost[0])
            return status;
        if (ctn_world_move(s->world))
            continue;
        check_memory(s);
        if (s->all_acked) {
            bool all_at_rest;
            ctn_str why;
            look(s, true);
            bool is_dead = ctn_world_is_dead(s->world);
            bool somebody_acted =
                is_dead || look_after_all(s, &all_at_rest, ctn_world_wake_at_ms(s->world) > 0, &status);
            look(s, false);
            if (somebody_acted)
                continue;
            if (all_at_rest && !ctn_engine_store_failing_since_ms(ctn_world_engine(s->world), &why)) {
                check_end(s);
                if (s->o.disk)
                    find_on_disk(s, true);
                return status;
            }
        } else if (s->asks_again) {
            ask(s, ctn_world_engine(s->world));
            (void) ctn_world_sleep(s->world);
            continue;
        }
        if (!ctn_world_sleep(s->world))
            SIM_FAIL(s, "nothing moves any more; it is %s", s->all_acked ? ctn_status_name(status) : "not accepted");
    }
    SIM_FAIL(s, "it does not come to an end");
    return CTN_STATUS_FAILED;
}

int64_t sim_elapsed_ms(const sim *s)
{
    return ctn_world_elapsed_ms(s->world);
}

int sim_deaths(const sim *s)
{
    return ctn_world_deaths(s->world);
}

int sim_commits(const sim *s)
{
    return ctn_world_commits(s->world);
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
