/*
 * quota.c -- see quota.h. A tenant who has used something up is shut in the lanes (lanes.h) until the day is over.
 */
#include "engine/quota.h"
#include "base/memory.h"
#include "engine/queue.h"
#include "engine/state.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY_MS    86400000
#define KEPT_FREE 8 /* a part of the seats that one tenant leaves to others, if nothing else is said of him */

static bool has_any(const ctn_usage *u)
{
    return u->executions || u->calls || u->bytes || u->money;
}

static bool is_over(int64_t used, int64_t limit)
{
    return limit > 0 && used >= limit;
}

/* What of it calls use is used up; NULL: nothing. */
static const char *used_up_by_calls(const ctn_quota *q)
{
    const ctn_usage *limit = &q->rules->per_day;
    return is_over(q->used.calls, limit->calls)   ? "callsPerDay"
           : is_over(q->used.bytes, limit->bytes) ? "bytesPerDay"
           : is_over(q->used.money, limit->money) ? "moneyPerDay"
                                                  : NULL;
}

static void settle(ctn_engine *e, ctn_quota *q)
{
    bool is_shut = used_up_by_calls(q) != NULL;
    if (is_shut == q->tenant->is_shut)
        return;
    ctn_lane_tenant_shut(&e->queue.lanes, q->tenant, is_shut);
    if (is_shut)
        e->quotas.shut++;
    else
        e->quotas.shut--;
}

static int used_up(const ctn_engine *e, const ctn_quota *q, const char *what, int code, ctn_err *err)
{
    int64_t left_s = ((e->quotas.day + 1) * DAY_MS - e->now_ms + 999) / 1000;
    ctn_fail(err, code, "tenant '%s' has used up its %s; the next day begins at 00:00 UTC, in %d h %d min",
             q->tenant->name, what, (int) (left_s / 3600), (int) (left_s % 3600 / 60));
    if (err && code == CTN_E_TOO_MANY)
        err->retry_after_s = left_s > 0 ? (uint32_t) left_s : 1;
    return code;
}

int ctn_eng_quota_admits(const ctn_engine *e, const ctn_lane_tenant *tenant, ctn_err *err)
{
    const ctn_quota *q = tenant->quota;
    if (!q)
        return CTN_OK;
    if (is_over(q->used.executions, q->rules->per_day.executions))
        return used_up(e, q, "executionsPerDay", CTN_E_TOO_MANY, err);
    if (used_up_by_calls(q))
        return used_up(e, q, used_up_by_calls(q), CTN_E_TOO_MANY, err);
    return CTN_OK;
}

int ctn_eng_quota_allows_call(const ctn_engine *e, const ctn_lane_tenant *tenant, ctn_err *err)
{
    const ctn_quota *q = tenant->quota;
    return q && used_up_by_calls(q) ? used_up(e, q, used_up_by_calls(q), CTN_E_LIMIT, err) : CTN_OK;
}

static void add(int64_t *sum, int64_t more)
{
    *sum = more > INT64_MAX - *sum ? INT64_MAX : *sum + more;
}

void ctn_eng_quota_use(ctn_engine *e, ctn_lane_tenant *tenant, const ctn_usage *more)
{
    ctn_quota *q = tenant->quota;
    add(&q->used.executions, more->executions);
    add(&q->used.calls, more->calls);
    add(&q->used.bytes, more->bytes);
    add(&q->used.money, more->money);
    if (!q->is_dirty) {
        q->is_dirty = true;
        q->next_dirty = e->quotas.dirty;
        e->quotas.dirty = q;
    }
    settle(e, q);
}

void ctn_eng_quota_see(ctn_engine *e, ctn_lane_tenant *tenant, const ctn_entry *entry, size_t bytes)
{
    bool is_call = entry->kind == CTN_ENTRY_ATTEMPT_STARTED || entry->kind == CTN_ENTRY_COMPENSATION_STARTED;
    ctn_eng_quota_use(e, tenant, &(ctn_usage){.calls = is_call, .bytes = (int64_t) bytes});
}

int64_t ctn_money_from_text(ctn_str number)
{
    char text[64];
    double most = 9e9;
    snprintf(text, sizeof text, "%.*s", CTN_STR_ARG(number));
    double money = strtod(text, NULL);
    if (!(money > 0))
        return 0;
    return (int64_t) ((money < most ? money : most) * 1e9 + 0.5);
}

ctn_usage_row *ctn_eng_quotas_take(ctn_engine *e, ctn_arena *arena, size_t *ret_count)
{
    size_t count = 0;
    for (ctn_quota *q = e->quotas.dirty; q; q = q->next_dirty)
        count++;
    ctn_usage_row *rows = count ? CTN_NEW_ARRAY(arena, ctn_usage_row, count) : NULL;
    *ret_count = count;
    for (ctn_quota *q; (q = e->quotas.dirty);) {
        e->quotas.dirty = q->next_dirty;
        q->is_dirty = false;
        rows[--count] = (ctn_usage_row){.tenant = ctn_str_from(q->tenant->name), .day = e->quotas.day, .used = q->used};
    }
    return rows;
}

/* ---- days ---- */

void ctn_eng_quotas_turn(ctn_engine *e)
{
    int64_t day = e->now_ms / DAY_MS;
    if (day <= e->quotas.day) /* a clock that goes back gives no second day */
        return;
    e->quotas.day = day;
    for (ctn_quota *q = e->quotas.all; q; q = q->next) {
        q->used = (ctn_usage){0};
        settle(e, q);
    }
}

int64_t ctn_eng_quotas_turn_ms(const ctn_engine *e)
{
    return e->quotas.shut ? (e->quotas.day + 1) * DAY_MS : 0;
}

/* ---- life ---- */

static const ctn_tenant_rules *rules_of(const ctn_engine *e, const char *name)
{
    const ctn_tenant_rules *of_all = NULL;
    for (size_t i = 0; i < e->options.tenant_count; i++) {
        const ctn_tenant_rules *rules = &e->options.tenants[i];
        if (ctn_str_is(rules->name, name))
            return rules;
        if (ctn_str_is(rules->name, "*"))
            of_all = rules;
    }
    return *name ? of_all : NULL;
}

void ctn_eng_quota_for(ctn_engine *e, ctn_lane_tenant *tenant)
{
    const ctn_tenant_rules *rules = rules_of(e, tenant->name);
    int64_t seats = (int64_t) e->options.active_max;
    int64_t running = rules && rules->running ? rules->running : *tenant->name ? seats - seats / KEPT_FREE : 0;
    tenant->rules = rules;
    if (!e->options.own_only) /* else whoever is told to go on goes on */
        ctn_lane_tenant_rule(&e->queue.lanes, tenant, rules && rules->weight ? rules->weight : 1, running);
    if (!rules)
        return;
    if (!has_any(&rules->per_day))
        return;
    ctn_quota *q = ctn_malloc(sizeof *q);
    *q = (ctn_quota){.rules = rules, .tenant = tenant, .next = e->quotas.all};
    e->quotas.all = tenant->quota = q;
}

static int restore(void *ctx, const ctn_usage_row *row)
{
    ctn_engine *e = ctx;
    ctn_quota *q = ctn_eng_tenant(e, row->tenant)->quota;
    if (q) {
        q->used = row->used;
        settle(e, q);
    }
    return 0;
}

int ctn_eng_quotas_init(ctn_engine *e, ctn_err *err)
{
    e->quotas.day = e->now_ms / DAY_MS;
    return e->options.tenant_count ? ctn_store_usage_list(e->options.store, e->quotas.day, restore, e, err) : CTN_OK;
}

void ctn_eng_quotas_done(ctn_engine *e)
{
    for (ctn_quota *q = e->quotas.all, *next; q; q = next) {
        next = q->next;
        free(q);
    }
}
