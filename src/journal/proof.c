/*
 * proof.c -- entries taken one by one: number, position, hash, fold; then the row.
 *
 * A fault must not hide behind another, nor make others of itself. After an entry whose hash does not fit, the next one
 * may go on from the hash that stands there or from the one that should: an altered body or an altered hash is one
 * fault each. After a gap nobody knows the hash before, so the next entry's is believed. The fold ends with the first
 * fault, because what follows would be judged by a state that never was.
 *
 * A row says what the live engine saw. It differs from the fold in one way: the start of a call that may be repeated is
 * not recorded, so a row that says "running" may fold to any status that is not final ("waiting" for a budget,
 * "compensating" after a call that was still awaited). Such a row is woken at once, so the next owner looks at it.
 */
#include "journal/proof.h"

#include "base/memory.h"
#include "core/execution.h"
#include "core/sealed.h"
#include "core/sensitive.h"
#include <inttypes.h>

enum { PLANS_MAX = 64, FAULTS_MAX = 20 };

typedef struct kept_plan {
    ctn_digest key; /* over the digests of its definitions */
    ctn_arena *arena;
    ctn_plan *plan;
} kept_plan;

struct ctn_prover {
    ctn_prover_options options;
    kept_plan plans[PLANS_MAX]; /* the last used first */
    size_t plan_count;
    ctn_arena *arena;   /* of the execution */
    ctn_arena *scratch; /* of an entry */

    const ctn_proof_row *row;
    ctn_execution *x; /* NULL: not begun, or it cannot be folded any more */
    bool is_broken;   /* a fault ended the fold */
    uint32_t fault_count;
    int64_t seq_last, position_last, at_last_ms;
    ctn_digest before[2];  /* what the next hash may go on from */
    uint32_t before_count; /* 0: anything */
};

ctn_prover *ctn_prover_new(const ctn_prover_options *options)
{
    ctn_prover *p = ctn_calloc(1, sizeof *p);
    p->options = *options;
    p->arena = ctn_arena_new(65536);
    p->scratch = ctn_arena_new(65536);
    return p;
}

static void plan_forget(kept_plan *k)
{
    ctn_plan_done(k->plan);
    ctn_arena_free(k->arena);
}

void ctn_prover_free(ctn_prover *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->plan_count; i++)
        plan_forget(&p->plans[i]);
    ctn_arena_free(p->arena);
    ctn_arena_free(p->scratch);
    ctn_free(p);
}

/* ---- faults ---- */

static void tell(ctn_prover *p, const char *rule, int64_t seq, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void tell(ctn_prover *p, const char *rule, int64_t seq, const char *format, ...)
{
    if (++p->fault_count > FAULTS_MAX)
        return;
    va_list args;
    va_start(args, format);
    ctn_str what = ctn_arena_vprintf(p->arena, format, args);
    va_end(args);
    if (p->fault_count == FAULTS_MAX)
        what = CTN_STR("there is more, which is not told");
    ctn_proof_fault fault = {.rule = rule, .seq = seq > 0 ? (uint64_t) seq : 0, .what = what};
    p->options.fault(p->options.ctx, &fault);
}

static void broken(ctn_prover *p)
{
    p->is_broken = true;
    p->x = NULL;
}

/* ---- plans ---- */

static ctn_plan *kept(ctn_prover *p, const ctn_digest *key)
{
    for (size_t i = 0; i < p->plan_count; i++)
        if (memcmp(&p->plans[i].key, key, sizeof *key) == 0) {
            kept_plan found = p->plans[i];
            memmove(&p->plans[1], &p->plans[0], i * sizeof found);
            p->plans[0] = found;
            return found.plan;
        }
    return NULL;
}

static void keep(ctn_prover *p, const kept_plan *k)
{
    if (p->plan_count == PLANS_MAX)
        plan_forget(&p->plans[--p->plan_count]);
    memmove(&p->plans[1], &p->plans[0], p->plan_count * sizeof *k);
    p->plans[0] = *k;
    p->plan_count++;
}

static ctn_plan *compile(ctn_prover *p, const ctn_digest *digests, size_t count, const ctn_digest *key)
{
    ctn_arena *arena = ctn_arena_new(16384);
    ctn_plan_definition *definitions = CTN_NEW_ARRAY(arena, ctn_plan_definition, count);
    ctn_plan *plan = NULL;
    ctn_err err = {0};
    int rc = CTN_OK;
    for (size_t i = 0; rc == CTN_OK && i < count; i++) {
        rc = p->options.definition(p->options.ctx, arena, &digests[i], &definitions[i]);
        if (rc == CTN_E_NOT_FOUND)
            tell(p, "definition", 1, "it names the definition %s, which is not there",
                 ctn_digest_to_text(digests[i]).text);
    }
    if (rc == CTN_OK) {
        rc = ctn_plan_from_definitions(arena, definitions, (uint32_t) count, &plan, &err);
        if (rc)
            tell(p, "definition", 1, "%s", err.message);
    }
    if (rc) {
        ctn_arena_free(arena);
        return NULL;
    }
    keep(p, &(kept_plan){*key, arena, plan});
    return plan;
}

static ctn_plan *find_plan(ctn_prover *p, const ctn_json *body)
{
    const ctn_json *list = ctn_json_member_of(body, "digests");
    size_t count = ctn_json_count(list);
    ctn_digest *digests = CTN_NEW_ARRAY(p->scratch, ctn_digest, count);
    ctn_hasher h;
    ctn_hasher_init(&h);
    for (size_t i = 0; i < count; i++) {
        if (!ctn_digest_parse(ctn_json_text(ctn_json_at(list, i)), &digests[i])) {
            tell(p, "definition", 1, "it names its definitions by what is no digest");
            return NULL;
        }
        ctn_hasher_add(&h, (ctn_str){(const char *) digests[i].bytes, CTN_DIGEST_BYTES});
    }
    if (count == 0) {
        tell(p, "definition", 1, "it names no definitions");
        return NULL;
    }
    ctn_digest key = ctn_hasher_finish(&h);
    ctn_plan *plan = kept(p, &key);
    return plan ? plan : compile(p, digests, count, &key);
}

/* ---- the row ---- */

/* The same JSON, however it is written. */
static bool says(ctn_prover *p, ctn_str text, const ctn_json *v)
{
    if (text.len == 0 || !v)
        return text.len == 0 && !v;
    if (ctn_str_equal(text, ctn_json_to_str(p->scratch, v)))
        return true;
    const ctn_json *said = NULL;
    ctn_json_options options = {.depth_max = CTN_JSON_DEPTH_MAX + 64};
    return ctn_json_parse(p->scratch, text, &options, &said, NULL) == CTN_OK && ctn_json_equal(said, v);
}

static void judge_text(ctn_prover *p, const char *rule, int64_t seq, ctn_str said, const ctn_json *v)
{
    if (!says(p, said, v))
        tell(p, rule, seq, "the row's %s %s", rule,
             !v         ? "are there, and its journal has none"
             : said.len ? "are others than its journal's"
                        : "are missing; its journal has them");
}

static void judge_number(ctn_prover *p, const char *rule, int64_t said, int64_t folded)
{
    if (said != folded)
        tell(p, rule, 0, "the row's %s is %" PRId64 ", by its journal it is %" PRId64, rule, said, folded);
}

/* Rendered from the input. One that has a parent may share its parent's line, and has none of its own then. */
static void judge_queue_key(ctn_prover *p, const ctn_entry *e)
{
    ctn_str said = p->row->queue_key, key;
    const ctn_plan *plan = ctn_execution_plan(p->x);
    bool is_sealed = e->is_hidden || ctn_str_starts_with(said, CTN_STR("sealed:"));
    if (is_sealed || (said.len == 0 && ctn_execution_parent(p->x)) ||
        ctn_plan_queue_key(plan, p->scratch, ctn_json_member_of(e->body, "input"), e->at_ms, &key, NULL))
        return;
    if (!ctn_str_equal(said, key))
        tell(p, "queue", 1, "the row's queue_key is another than its chain's concurrencyKey gives");
}

/* What the first entry says, the row says too. */
static void judge_first(ctn_prover *p, const ctn_entry *e)
{
    const ctn_proof_row *row = p->row;
    ctn_str chain = ctn_json_str_or(e->body, "chain", (ctn_str){0});
    if (!ctn_str_equal(row->chain_id, chain))
        tell(p, "chain", 1, "the row says chain \"%.*s\", its journal \"%.*s\"", CTN_STR_ARG(row->chain_id),
             CTN_STR_ARG(chain));
    judge_number(p, "version", row->chain_version, ctn_json_int_or(e->body, "version", 0));
    judge_number(p, "created", row->created_at_ms, e->at_ms);
    judge_text(p, "input", 1, row->input, ctn_json_member_of(e->body, "input"));
    judge_text(p, "labels", 1, row->labels, ctn_json_member_of(e->body, "labels"));
    judge_number(p, "priority", row->priority, ctn_execution_origin(p->x)->priority);
    if (!ctn_str_equal(row->tenant, ctn_execution_origin(p->x)->tenant))
        tell(p, "tenant", 1, "the row says tenant \"%.*s\", its journal \"%.*s\"", CTN_STR_ARG(row->tenant),
             CTN_STR_ARG(ctn_execution_origin(p->x)->tenant));
    judge_queue_key(p, e);
}

/* Of a fleet: who waits for a sub-chain in another shard, which the last ten bits of the ids say, looks after it now
 * and then (engine/far.h). */
static bool looks_after_a_child(const ctn_prover *p, const ctn_owed *owed)
{
    ctn_execution_id id = ctn_execution_id_of(p->x);
    for (size_t i = 0; i < owed->child_count; i++)
        if (owed->children[i].child.bytes[15] != id.bytes[15] || (owed->children[i].child.bytes[14] ^ id.bytes[14]) & 3)
            return true;
    return false;
}

static void judge_wake(ctn_prover *p, ctn_status status)
{
    int64_t said = p->row->wake_at_ms;
    if (!p->row->has_wake || ctn_status_is_final(status)) /* what an ended one owes is in no journal */
        return;
    if (status == CTN_STATUS_QUEUED) {
        if (said)
            tell(p, "wake", 0, "it is queued, and would be woken by time");
        return;
    }
    if (said == 1) /* at once: it is looked at, whatever is due */
        return;
    if (ctn_str_is(p->row->status, "running")) {
        tell(p, "wake", 0, "it is running, and would not be found after a crash");
        return;
    }
    if (ctn_execution_is_hidden(p->x)) /* what is owed may hang on what is sealed */
        return;
    ctn_rules rules = {0};
    ctn_owed owed;
    ctn_execution_owed(p->x, &rules, p->at_last_ms, p->scratch, &owed);
    if (owed.wake_at_ms && (said == 0 || said > owed.wake_at_ms))
        tell(p, "wake", 0, "it goes on at %" PRId64 ", and would be woken %s", owed.wake_at_ms,
             said ? "later" : "never");
    else if (said != owed.wake_at_ms && (said <= 0 || !owed.wake_at_ms) && !looks_after_a_child(p, &owed))
        tell(p, "wake", 0, "nothing of it ends by time, and it would be woken at %" PRId64, said);
}

static bool status_fits(const ctn_prover *p, ctn_status folded)
{
    if (ctn_str_is(p->row->status, ctn_status_name(folded)))
        return true;
    bool is_awake = !p->row->has_wake || p->row->wake_at_ms == 1;
    return ctn_str_is(p->row->status, "running") && is_awake && !ctn_status_is_final(folded) &&
           folded != CTN_STATUS_QUEUED;
}

static void judge_row(ctn_prover *p)
{
    const ctn_proof_row *row = p->row;
    ctn_status status = ctn_execution_status(p->x);
    if (!status_fits(p, status)) {
        tell(p, "status", 0, "the row says \"%.*s\", its journal \"%s\"", CTN_STR_ARG(row->status),
             ctn_status_name(status));
        return; /* the rest of a row hangs on it */
    }
    bool was_reopened = ctn_execution_was_reopened(p->x); /* what was once written stays */
    const ctn_json *outputs = ctn_execution_outputs(p->x);
    if (row->outputs_are_in_journal && !outputs && !was_reopened)
        tell(p, "outputs", 0, "the row leaves its outputs to the journal, which has none");
    else if (!row->outputs_are_in_journal && !(was_reopened && !outputs))
        judge_text(p, "outputs", 0, row->outputs, outputs);
    judge_text(p, "error", 0, row->error, ctn_execution_error(p->x));
    judge_number(p, "started", row->started_at_ms, ctn_execution_started_at_ms(p->x));
    judge_number(p, "finished", row->finished_at_ms, ctn_execution_ended_at_ms(p->x));
    const ctn_parent *parent = ctn_execution_parent(p->x);
    if (!ctn_id_equal(row->parent, parent ? parent->id : (ctn_execution_id){{0}}))
        tell(p, "parent", 0, "the row names another parent than its journal");
    judge_wake(p, status);
}

/* ---- entries ---- */

/* How it reads as a record; false: it cannot, which was told. */
static bool read_record(ctn_prover *p, const ctn_proof_record *raw, ctn_record *ret)
{
    *ret = (ctn_record){
        .seq = (uint64_t) raw->seq,
        .at_ms = raw->at_ms,
        .step = raw->step,
        .item = raw->item,
        .attempt = (uint32_t) raw->attempt,
        .actor = raw->actor,
        .body = raw->body,
    };
    if (!ctn_entry_kind_from_name(raw->kind, &ret->kind)) {
        tell(p, "kind", raw->seq, "there is no entry of the kind \"%.*s\"", CTN_STR_ARG(raw->kind));
        return false;
    }
    return true;
}

static bool judge_place(ctn_prover *p, const ctn_proof_record *raw)
{
    bool is_next = raw->seq == p->seq_last + 1;
    if (raw->seq <= p->seq_last)
        tell(p, "gap", raw->seq, "entry %" PRId64 " stands after entry %" PRId64, raw->seq, p->seq_last);
    else if (raw->seq == p->seq_last + 2)
        tell(p, "gap", p->seq_last + 1, "entry %" PRId64 " is missing", p->seq_last + 1);
    else if (!is_next)
        tell(p, "gap", p->seq_last + 1, "entries %" PRId64 " to %" PRId64 " are missing", p->seq_last + 1,
             raw->seq - 1);
    if (raw->position && raw->position <= p->position_last)
        tell(p, "position", raw->seq,
             "its position in the store, %" PRId64 ", is not after that of the entry before it", raw->position);
    p->seq_last = raw->seq;
    p->position_last = raw->position > p->position_last ? raw->position : p->position_last;
    if (!is_next)
        p->before_count = 0;
    return is_next;
}

static bool judge_hash(ctn_prover *p, const ctn_record *r, const ctn_proof_record *raw)
{
    ctn_digest stored = {{0}}, expected = {{0}};
    bool is_one = raw->hash.len == CTN_DIGEST_BYTES;
    bool fits = is_one && p->before_count == 0;
    if (is_one)
        memcpy(stored.bytes, raw->hash.ptr, sizeof stored.bytes);
    for (uint32_t i = 0; i < p->before_count && !fits; i++) {
        ctn_digest hash = ctn_record_hash(r, &p->before[i]);
        fits = is_one && memcmp(&hash, &stored, sizeof hash) == 0;
        if (i == 0)
            expected = hash;
    }
    if (raw->attempt < 0 || raw->attempt > UINT32_MAX) /* the hash would not see it */
        fits = false;
    if (!fits)
        tell(p, "hash", raw->seq, "%s", is_one ? "it was altered: its hash does not fit" : "it has no proper hash");
    p->before[0] = is_one ? stored : expected;
    p->before[1] = expected;
    p->before_count = fits || !is_one ? 1 : 2;
    return fits;
}

/* ---- sealed values ---- */

/* {"$sealed": 64 hexadecimal digits} */
static bool is_commitment(const ctn_json *v)
{
    ctn_digest digest;
    return ctn_json_is(v, CTN_JSON_OBJECT) && ctn_json_count(v) == 1 &&
           ctn_digest_parse(ctn_json_text(ctn_json_member_of(v, "$sealed")), &digest);
}

/* The list as if each place had its box: whether that is there, was shredded, or was left out of a file is all one for
 * a fold, which takes "(sealed)" for the value as the row does. */
static bool read_sealed(ctn_prover *p, const ctn_proof_record *raw, ctn_record *record)
{
    const ctn_json *list = NULL, *body = NULL;
    ctn_json_options options = {.depth_max = CTN_JSON_DEPTH_MAX + 64};
    if (raw->sealed.len == 0)
        return true;
    if (ctn_json_parse(p->scratch, raw->sealed, NULL, &list, NULL) || !ctn_json_is(list, CTN_JSON_ARRAY)) {
        tell(p, "sealed", raw->seq, "what is sealed is no list of places");
        return false;
    }
    if (ctn_json_parse(p->scratch, raw->body, &options, &body, NULL))
        return true; /* told as a body that does not read */
    ctn_json_builder whole = ctn_json_array(p->scratch);
    for (size_t i = 0; i < ctn_json_count(list); i++) {
        ctn_str at = ctn_json_str_or(ctn_json_at(list, i), "at", (ctn_str){0});
        if (at.len == 0 || !is_commitment(ctn_json_pointer(body, at))) {
            tell(p, "sealed", raw->seq, "what is sealed at %.*s has no commitment in the entry", CTN_STR_ARG(at));
            return false;
        }
        ctn_json_builder place = ctn_json_object(p->scratch);
        ctn_json_put_str(&place, "at", at);
        ctn_json_put_str(&place, "box", CTN_STR("-"));
        ctn_json_push(&whole, ctn_json_finish(&place));
    }
    record->sealed = ctn_json_to_str(p->scratch, ctn_json_finish(&whole));
    return true;
}

/* A commitment where something sensitive stands, and nothing that opens it. */
static void judge_places(ctn_prover *p, const ctn_entry *e)
{
    const ctn_sensitivity *s = ctn_execution_sensitivity(p->x);
    ctn_places places = s ? ctn_sensitive_places(s, e, p->scratch) : (ctn_places){0};
    for (size_t i = 0; i < places.count; i++)
        if (is_commitment(places.items[i].value)) {
            tell(p, "sealed", (int64_t) e->seq, "a value was sealed at %.*s, and the list of what is sealed lacks it",
                 CTN_STR_ARG(places.items[i].pointer));
            broken(p);
            return;
        }
}

static void fold_in(ctn_prover *p, const ctn_record *r)
{
    ctn_err err = {0};
    ctn_entry entry;
    bool is_first = false;
    int rc = ctn_record_to_entry(r, p->scratch, &entry, &err);
    if (rc) {
        tell(p, "body", (int64_t) r->seq, "%s", err.message);
        broken(p);
        return;
    }
    if (!p->x) {
        ctn_plan *plan = find_plan(p, entry.body);
        if (!plan) {
            broken(p);
            return;
        }
        p->x = ctn_execution_new(p->arena, plan, p->row ? p->row->id : (ctn_execution_id){{0}});
        is_first = true;
    }
    rc = ctn_execution_replay(p->x, &entry, &err);
    if (rc) {
        tell(p, "fold", (int64_t) r->seq, "%s", err.message);
        broken(p);
        return;
    }
    judge_places(p, &entry);
    if (is_first && p->row && p->x)
        judge_first(p, &entry);
}

void ctn_prover_begin(ctn_prover *p, const ctn_proof_row *row)
{
    ctn_arena_reset(p->arena);
    p->row = row;
    p->x = NULL;
    p->is_broken = false;
    p->fault_count = 0;
    p->seq_last = p->position_last = p->at_last_ms = 0;
    memset(p->before, 0, sizeof p->before);
    p->before_count = 1; /* zeros, before the first */
}

void ctn_prover_take(ctn_prover *p, const ctn_proof_record *raw)
{
    ctn_record record;
    bool is_next = judge_place(p, raw);
    bool is_record = read_record(p, raw, &record);
    if (!is_record) { /* its hash is over a name that we do not know */
        p->before_count = 0;
        is_next = false;
    } else if (!judge_hash(p, &record, raw)) {
        is_next = false;
    }
    if (is_next && !p->is_broken)
        is_next = read_sealed(p, raw, &record);
    if (!is_next)
        broken(p);
    if (!p->is_broken)
        fold_in(p, &record);
    p->at_last_ms = raw->at_ms;
    ctn_arena_reset(p->scratch);
}

void ctn_prover_end(ctn_prover *p)
{
    if (p->seq_last == 0 && p->fault_count == 0)
        tell(p, "no-journal", 0, "it has no journal");
    if (p->x && p->row)
        judge_row(p);
    ctn_arena_reset(p->scratch);
    p->row = NULL;
    p->x = NULL;
}
