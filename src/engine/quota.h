/*
 * quota.h -- what a tenant may use up in a day (UTC), and what he has: executions, calls, bytes and money.
 *
 * What counts: executions that were asked for (not sub-chains, nor what onFailure starts); calls when it is decided
 * that they begin, those that undo too; bytes of what his executions add to the journal; money as the peers of calls
 * tell it.
 *
 * When something is used up:
 *   - No more executions of his are accepted: CTN_E_TOO_MANY, with the time until the day is over.
 *   - When it is calls, bytes or money, what he has queued stays queued until then, and a step that would call fails
 * with `limit`, which a chain can catch. Undoing goes on in any case. Calls in flight end, so bytes and money are
 * exceeded by what they bring.
 *
 * Durable: what was used goes to disk with the commits it belongs to, under the day. After a crash no execution is
 * missing from the count whose start is on disk, and no call but those that were in flight. It may be too high by what
 * stood in commits that failed: what is decided again is counted again, and a start that was lost by a death before it
 * was tried again stays counted.
 *
 * Only tenants with a quota are counted, from the day they have one.
 */
#pragma once
#include "engine/engine.h"
#include "engine/lanes.h"

typedef struct ctn_quota {
    const ctn_tenant_rules *rules;
    ctn_lane_tenant *tenant;
    ctn_usage used; /* of today */
    bool is_dirty;  /* the disk knows less */
    struct ctn_quota *next, *next_dirty;
} ctn_quota;

typedef struct ctn_quotas {
    int64_t day;
    ctn_quota *all, *dirty;
    size_t shut; /* tenants whose calls are over for today */
} ctn_quotas;

/* What was used today before. Errors of the store. */
int ctn_eng_quotas_init(ctn_engine *e, ctn_err *err);
void ctn_eng_quotas_done(ctn_engine *e);
void ctn_eng_quotas_turn(ctn_engine *e);             /* is it another day? */
int64_t ctn_eng_quotas_turn_ms(const ctn_engine *e); /* when it will be, if somebody waits for that; 0: nobody */
/* One that is new: his rules, the ones for everybody, or none. */
void ctn_eng_quota_for(ctn_engine *e, ctn_lane_tenant *tenant);

/* May he start one more? CTN_E_TOO_MANY. */
int ctn_eng_quota_admits(const ctn_engine *e, const ctn_lane_tenant *tenant, ctn_err *err);
/* May he call? CTN_E_LIMIT: something is used up. */
int ctn_eng_quota_allows_call(const ctn_engine *e, const ctn_lane_tenant *tenant, ctn_err *err);
/* He used more. The tenant has a quota. */
void ctn_eng_quota_use(ctn_engine *e, ctn_lane_tenant *tenant, const ctn_usage *more);
/* What this entry of an execution of his uses; bytes: of its body in the journal. The tenant has a quota. */
void ctn_eng_quota_see(ctn_engine *e, ctn_lane_tenant *tenant, const ctn_entry *entry, size_t bytes);
int64_t ctn_money_from_text(ctn_str number); /* in billionths; a number that is none: 0 */
/* What the disk does not know yet, to be written with the next commit. */
ctn_usage_row *ctn_eng_quotas_take(ctn_engine *e, ctn_arena *arena, size_t *ret_count);
