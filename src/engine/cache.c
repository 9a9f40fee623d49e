/*
 * cache.c -- results of calls, used again: what core asks (`rules.cached`), and what is known of equal calls.
 *
 * A step with `cache` gives each of its calls a key (core). Three answers: an earlier result that is fresh enough;
 * wait, an equal call is under way here; or go and call. Whoever goes holds the key from the moment its start was
 * decided, and all others with that key wait for it.
 *
 * What must always hold:
 *   - A key is held only for a call that core owes. It is let go when its end is recorded, when the call is let go, and
 *     when its execution leaves memory or is read again from the store; and each time those who wait are asked again.
 *     So nobody waits for a call that nobody makes.
 *   - A result is put with the commit of the entry that says it succeeded. A crash before that loses a result and
 *     nothing else.
 *   - The engine's thread only reads the store here; the writer writes.
 *
 * Waiting leaves no trace on disk: after a crash core asks again. Those who wait are kept by id, for they may be
 * unloaded meanwhile, and asking one too often costs a question.
 */
#include "engine/cache.h"
#include "base/memory.h"
#include "engine/batch.h"
#include "engine/plans.h"
#include "engine/results.h"
#include "engine/state.h"

#include <stdlib.h>

#define RESULTS_BYTES_MAX (32u << 20)
#define RESULT_BYTES_MAX  (1u << 20) /* of one, in the store too */

typedef struct held_key {
    struct held_key *slot_next;
    struct held_key *next; /* of the same execution */
    loaded *l;
    ctn_str step; /* in the plan */
    int64_t item;
    ctn_str call; /* its name in `calls`; in the plan */
    ctn_execution_id *waiting;
    size_t waiting_count, waiting_capacity;
    ctn_str key;
} held_key;

struct cache {
    ctn_results *results;
    held_key *slots[1024];   /* by key */
    ctn_execution_id *woken; /* to be asked again */
    size_t woken_count, woken_capacity;
};

/* ---- keys that are held ---- */

static held_key **slot_of(ctn_engine *e, ctn_str key)
{
    return &e->cache->slots[ctn_str_hash(key) % (sizeof e->cache->slots / sizeof e->cache->slots[0])];
}

static held_key *holder_of(ctn_engine *e, ctn_str key)
{
    held_key *h = *slot_of(e, key);
    while (h && !ctn_str_equal(h->key, key))
        h = h->slot_next;
    return h;
}

static void add_id(ctn_execution_id **ids, size_t *count, size_t *capacity, ctn_execution_id id)
{
    for (size_t i = 0; i < *count; i++)
        if (ctn_id_equal((*ids)[i], id))
            return;
    *ids = ctn_array_room(*ids, *count, capacity, sizeof **ids);
    (*ids)[(*count)++] = id;
}

static void let_go(ctn_engine *e, held_key **at)
{
    held_key *h = *at;
    *at = h->next;
    held_key **slot = slot_of(e, h->key);
    while (*slot != h)
        slot = &(*slot)->slot_next;
    *slot = h->slot_next;
    for (size_t i = 0; i < h->waiting_count; i++)
        add_id(&e->cache->woken, &e->cache->woken_count, &e->cache->woken_capacity, h->waiting[i]);
    free(h->waiting);
    free(h);
}

static void hold(ctn_engine *e, loaded *l, const ctn_entry *entry, ctn_str key)
{
    if (holder_of(e, key)) /* two starts that were decided side by side: the first one counts */
        return;
    const ctn_plan_step *step = &l->plan->plan->steps[ctn_plan_step_index(l->plan->plan, entry->step)];
    ctn_str call = ctn_json_str_or(entry->body, "call", CTN_STR(""));
    held_key *h = ctn_malloc(sizeof *h + key.len + call.len);
    char *texts = (char *) (h + 1);
    memcpy(texts, key.ptr, key.len);
    if (call.len)
        memcpy(texts + key.len, call.ptr, call.len);
    held_key **slot = slot_of(e, key);
    *h = (held_key){.slot_next = *slot,
                    .next = l->held_keys,
                    .l = l,
                    .step = step->name,
                    .item = entry->item,
                    .call = {texts + key.len, call.len},
                    .key = {texts, key.len}};
    *slot = l->held_keys = h;
}

static bool is_flying(const ctn_engine *e, const held_key *h)
{
    const loaded *l = h->l;
    for (uint32_t i = 0; i < l->flight_count; i++) {
        const flight *f = ctn_flight_of(&e->flights, l, i);
        if (f->role == CTN_ROLE_DO && !f->is_check && f->item == h->item &&
            ctn_str_equal(l->plan->plan->steps[f->step].name, h->step) &&
            ctn_str_equal(f->set->calls[f->call].name, h->call))
            return true;
    }
    return false;
}

void ctn_eng_cache_see(ctn_engine *e, loaded *l, const ctn_entry *entry)
{
    ctn_str key = ctn_json_str_or(entry->body, "cacheKey", CTN_STR(""));
    if (entry->kind == CTN_ENTRY_ATTEMPT_STARTED && key.len)
        hold(e, l, entry, key);
    if (!l->held_keys || (entry->kind != CTN_ENTRY_ATTEMPT_SUCCEEDED && entry->kind != CTN_ENTRY_ATTEMPT_FAILED))
        return;
    /* One that is flying still was given up: its key is let go when it is. */
    ctn_str call = ctn_json_str_or(entry->body, "call", CTN_STR(""));
    for (held_key **at = &l->held_keys; *at;)
        if ((*at)->item == entry->item && ctn_str_equal((*at)->step, entry->step) && ctn_str_equal((*at)->call, call) &&
            !is_flying(e, *at))
            let_go(e, at);
        else
            at = &(*at)->next;
}

void ctn_eng_cache_let_go(ctn_engine *e, loaded *l, bool all)
{
    for (held_key **at = &l->held_keys; *at;)
        if (all || !is_flying(e, *at))
            let_go(e, at);
        else
            at = &(*at)->next;
}

loaded *ctn_eng_cache_take_woken(ctn_engine *e)
{
    loaded *l = NULL;
    while (!l && e->cache->woken_count)
        l = ctn_live_find(&e->live, e->cache->woken[--e->cache->woken_count]);
    return l;
}

bool ctn_eng_cache_has_woken(const ctn_engine *e)
{
    return e->cache->woken_count > 0;
}

/* ---- results ---- */

/* How a call of this key should look at what there is: fresh by the asking step's word and by the putting one's. A time
 * of the future says that the clock was set back: nobody knows its age. */
static bool is_fresh(const ctn_result_held *r, int64_t ttl_ms, int64_t now_ms)
{
    return r->put_at_ms <= now_ms && now_ms < r->expires_at_ms && now_ms - r->put_at_ms < ttl_ms;
}

static bool find(ctn_engine *e, ctn_str key, ctn_result_held *ret_held)
{
    if (ctn_results_get(e->cache->results, key, ret_held))
        return true;
    ctn_result_row row;
    ctn_err err = {0};
    int rc = ctn_store_result_get(e->options.store, e->scratch, key, &row, &err);
    if (rc && rc != CTN_E_NOT_FOUND)
        ctn_log_line(e->options.log, CTN_LOG_WARN, "a cached result could not be read; the call is made", "why",
                     err.message, NULL);
    if (rc)
        return false;
    *ret_held = (ctn_result_held){.value = row.value, .put_at_ms = row.put_at_ms, .expires_at_ms = row.expires_at_ms};
    ctn_results_put(e->cache->results, key, ret_held);
    return true;
}

static ctn_cached ask(void *ctx, const ctn_execution *x, ctn_str key, int64_t ttl_ms, int64_t now_ms,
                      const ctn_json **ret_value)
{
    ctn_engine *e = ctx;
    ctn_result_held found;
    ctn_err err = {0};
    if (find(e, key, &found)) {
        if (is_fresh(&found, ttl_ms, now_ms) &&
            ctn_json_parse(e->scratch, found.value, NULL, ret_value, &err) == CTN_OK)
            return CTN_CACHED_HIT;
    }
    held_key *holder = holder_of(e, key);
    if (!holder)
        return CTN_CACHED_NOT;
    add_id(&holder->waiting, &holder->waiting_count, &holder->waiting_capacity, ctn_execution_id_of(x));
    return CTN_CACHED_SOON;
}

void ctn_eng_cache_put(ctn_engine *e, loaded *l, const ctn_entry *entry, const ctn_json *value)
{
    ctn_str key = ctn_json_str_or(entry->body, "cacheKey", CTN_STR(""));
    if (entry->kind != CTN_ENTRY_ATTEMPT_SUCCEEDED || !key.len || !l->build || !value ||
        ctn_json_bytes(value) > RESULT_BYTES_MAX)
        return;
    const ctn_plan *plan = l->plan->plan;
    int64_t ttl_ms = plan->steps[ctn_plan_step_index(plan, entry->step)].cache.ttl_ms;
    ctn_arena *arena = ctn_eng_batch_arena(l);
    ctn_result_row row = {.key = ctn_arena_str(arena, key),
                          .value = ctn_json_to_str(arena, value),
                          .put_at_ms = e->now_ms,
                          .expires_at_ms = e->now_ms + ttl_ms};
    ctn_eng_record_result(l, &row);
    ctn_results_put(
        e->cache->results, row.key,
        &(ctn_result_held){.value = row.value, .put_at_ms = row.put_at_ms, .expires_at_ms = row.expires_at_ms});
}

/* ---- life ---- */

void ctn_eng_cache_init(ctn_engine *e)
{
    e->cache = ctn_calloc(1, sizeof *e->cache);
    e->cache->results = ctn_results_new(RESULTS_BYTES_MAX);
    e->rules.cached = ask;
    e->rules.cached_ctx = e;
}

void ctn_eng_cache_done(ctn_engine *e)
{
    ctn_results_free(e->cache->results);
    free(e->cache->woken);
    free(e->cache);
}
