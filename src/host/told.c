/*
 * told.c -- see told.h.
 */
#include "host/told.h"
#include "base/clock.h"
#include "core/sealed.h"

#define BILLIONTHS 1e9 /* of a unit of money */

const ctn_json *ctn_told_parsed(ctn_arena *arena, ctn_str text)
{
    const ctn_json *v = NULL;
    return text.len && ctn_json_parse(arena, text, NULL, &v, NULL) == CTN_OK ? v : &ctn_json_null;
}

int64_t ctn_told_duration_ms(const ctn_execution_row *row, int64_t now_ms)
{
    if (!row->started_at_ms)
        return 0;
    return (row->finished_at_ms ? row->finished_at_ms : now_ms) - row->started_at_ms;
}

ctn_json_builder ctn_told_execution(ctn_arena *arena, const ctn_execution_row *row, int64_t now_ms)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "executionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(row->id).text)));
    ctn_json_put_str(&b, "chain", row->chain_id);
    ctn_json_put_int(&b, "version", row->chain_version);
    ctn_json_put_str(&b, "status", ctn_str_from(ctn_status_name(row->status)));
    /* A completed sub-chain that was undone with its parent has none any more. */
    bool has_outputs = row->status == CTN_STATUS_COMPLETED;
    ctn_json_put(&b, CTN_STR("outputs"), has_outputs ? ctn_told_parsed(arena, row->outputs) : NULL);
    ctn_json_put(&b, CTN_STR("error"), ctn_told_parsed(arena, row->error));
    ctn_json_put_int(&b, "durationMs", ctn_told_duration_ms(row, now_ms));
    return b;
}

static const ctn_json *amount(ctn_arena *arena, int64_t value, double unit)
{
    return ctn_json_number(arena, ctn_arena_printf(arena, "%.15g", (double) value / unit));
}

static void put_amount(ctn_json_builder *b, const char *name, int64_t used, int64_t limit, double unit)
{
    ctn_json_builder one = ctn_json_object(b->arena);
    ctn_json_put(&one, CTN_STR("used"), amount(b->arena, used, unit));
    if (limit)
        ctn_json_put(&one, CTN_STR("limit"), amount(b->arena, limit, unit));
    ctn_json_put(b, ctn_str_from(name), ctn_json_finish(&one));
}

void ctn_told_usage(ctn_json_builder *b, const ctn_usage *used, const ctn_usage *limit)
{
    put_amount(b, "executions", used->executions, limit->executions, 1);
    put_amount(b, "calls", used->calls, limit->calls, 1);
    put_amount(b, "bytes", used->bytes, limit->bytes, 1);
    put_amount(b, "money", used->money, limit->money, BILLIONTHS);
}

void ctn_json_put_time(ctn_json_builder *b, const char *key, int64_t at_ms)
{
    char text[25];
    if (!at_ms) {
        ctn_json_put(b, ctn_str_from(key), NULL);
        return;
    }
    ctn_time_format(at_ms, text);
    ctn_json_put_str(b, key, ctn_str_from(text));
}

const ctn_json *ctn_told_steps(ctn_arena *arena, const ctn_snapshot *s)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < s->step_count; i++) {
        const ctn_step_view *v = &s->steps[i].view;
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_str(&b, "step", s->steps[i].name);
        ctn_json_put_str(&b, "status", ctn_str_from(ctn_step_status_name(v->status)));
        ctn_json_put_int(&b, "attempt", v->attempt);
        ctn_json_put_time(&b, "startedAt", v->started_at_ms);
        ctn_json_put_time(&b, "endedAt", v->ended_at_ms);
        if (v->started_at_ms && v->ended_at_ms)
            ctn_json_put_int(&b, "durationMs", v->ended_at_ms - v->started_at_ms);
        if (v->due_ms)
            ctn_json_put_time(&b, "dueAt", v->due_ms);
        if (v->failure)
            ctn_json_put_str(&b, "code", ctn_str_from(ctn_failure_name(v->failure)));
        if (v->message.len)
            ctn_json_put_str(&b, "message", v->message);
        if (v->item >= 0)
            ctn_json_put_int(&b, "item", v->item);
        if (v->item_count) {
            ctn_json_put_int(&b, "items", v->item_count);
            ctn_json_put_int(&b, "itemsEnded", v->items_ended);
            ctn_json_put_int(&b, "itemsFailed", v->items_failed);
        }
        if (v->is_reused)
            ctn_json_put_bool(&b, "reused", true);
        if (v->fallback)
            ctn_json_put_int(&b, "fallback", v->fallback);
        if (v->is_from_cache)
            ctn_json_put_bool(&b, "fromCache", true);
        if (ctn_snapshot_has_child(v))
            ctn_json_put(&b, CTN_STR("childExecutionId"),
                         ctn_json_string(arena, ctn_str_from(ctn_id_to_text(v->child).text)));
        if (v->asked && v->status == CTN_STEP_WAITING)
            ctn_json_put(&b, CTN_STR("asked"), v->asked);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

ctn_json_builder ctn_told_record(ctn_arena *arena, const ctn_record *record, int64_t position)
{
    ctn_json_builder b = ctn_json_object(arena);
    const ctn_json *body = NULL;
    if (ctn_json_parse(arena, record->body, NULL, &body, NULL) == CTN_OK)
        (void) ctn_sealed_hide(arena, body, record->sealed, &body, NULL);
    ctn_json_put_int(&b, "seq", (int64_t) record->seq);
    ctn_json_put_int(&b, "position", position);
    ctn_json_put_time(&b, "at", record->at_ms);
    ctn_json_put_str(&b, "kind", ctn_str_from(ctn_entry_kind_name(record->kind)));
    if (record->step.len)
        ctn_json_put_str(&b, "step", record->step);
    if (record->item >= 0)
        ctn_json_put_int(&b, "item", record->item);
    if (record->attempt)
        ctn_json_put_int(&b, "attempt", record->attempt);
    ctn_json_put_str(&b, "actor", record->actor);
    ctn_json_put(&b, CTN_STR("body"), body);
    return b;
}

static void put_time_ms(ctn_json_builder *b, const char *key, int64_t at_ms)
{
    if (at_ms)
        ctn_json_put_int(b, key, at_ms);
    else
        ctn_json_put(b, ctn_str_from(key), NULL);
}

static void put_text(ctn_json_builder *b, const char *key, ctn_str text)
{
    if (text.len)
        ctn_json_put_str(b, key, text);
}

const ctn_json *ctn_told_attempt(ctn_arena *arena, const ctn_plan *plan, const ctn_timeline_row *r)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "step", plan->steps[r->step].name);
    if (r->item >= 0)
        ctn_json_put_int(&b, "item", r->item);
    else
        ctn_json_put(&b, CTN_STR("item"), NULL);
    ctn_json_put_int(&b, "attempt", r->attempt);
    ctn_json_put_str(&b, "role", r->role == CTN_ATTEMPT_UNDO ? CTN_STR("undo") : CTN_STR("do"));
    put_time_ms(&b, "startedAtMs", r->started_at_ms);
    put_time_ms(&b, "endedAtMs", r->ended_at_ms);
    ctn_json_put_str(&b, "status", ctn_str_from(ctn_attempt_status_name(r->status)));
    ctn_json_put(&b, CTN_STR("code"), r->code.len ? ctn_json_string(arena, r->code) : NULL);
    ctn_json_put(&b, CTN_STR("message"), r->message.len ? ctn_json_string(arena, r->message) : NULL);
    ctn_json_put_bool(&b, "startIsRecorded", r->start_is_recorded);
    if (r->is_each)
        ctn_json_put_bool(&b, "isForeach", true);
    if (r->fallback)
        ctn_json_put_int(&b, "fallback", r->fallback);
    if (r->wait_from_ms)
        ctn_json_put_int(&b, "waitFromMs", r->wait_from_ms);
    if (r->next_at_ms)
        ctn_json_put_int(&b, "nextAtMs", r->next_at_ms);
    put_text(&b, "by", r->by);
    put_text(&b, "child", r->child);
    if (r->tokens)
        ctn_json_put_int(&b, "tokens", r->tokens);
    if (r->money.len)
        ctn_json_put(&b, CTN_STR("money"), ctn_json_number(arena, r->money));
    return ctn_json_finish(&b);
}

const ctn_json *ctn_told_findings(ctn_arena *arena, const ctn_findings *findings)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < findings->count; i++) {
        const ctn_finding *x = &findings->items[i];
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_str(&b, "file", x->file);
        ctn_json_put_int(&b, "line", x->line);
        ctn_json_put_int(&b, "column", x->column);
        ctn_json_put_str(&b, "severity", x->severity == CTN_SEVERITY_ERROR ? CTN_STR("error") : CTN_STR("warning"));
        ctn_json_put_str(&b, "rule", ctn_str_from(x->rule));
        ctn_json_put_str(&b, "message", x->message);
        ctn_json_push(&list, ctn_json_finish(&b));
    }
    return ctn_json_finish(&list);
}

static void put_money(ctn_json_builder *b, ctn_str money)
{
    ctn_json_put(b, CTN_STR("money"), ctn_json_number(b->arena, money.len ? money : CTN_STR("0")));
}

const ctn_json *ctn_told_used(ctn_arena *arena, const ctn_execution *x)
{
    ctn_used used = ctn_execution_budget(x, 0).used;
    ctn_json_builder b = ctn_json_object(arena);
    if (!used.tokens && !used.money.len)
        return NULL;
    ctn_json_put_int(&b, "tokens", used.tokens);
    if (used.money.len)
        put_money(&b, used.money);
    return ctn_json_finish(&b);
}

static const ctn_json *told_limits(ctn_arena *arena, const ctn_budget *limits)
{
    const struct {
        const char *name;
        int64_t limit;
    } counted[] = {
        {"calls", limits->calls}, {"wallMs", limits->wall_ms}, {"bytes", limits->bytes}, {"tokens", limits->tokens}};
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        if (counted[i].limit)
            ctn_json_put_int(&b, counted[i].name, counted[i].limit);
    if (limits->money.len)
        put_money(&b, limits->money);
    if (!b.count)
        return NULL;
    ctn_json_put_str(&b, "onReached", limits->parks ? CTN_STR("wait") : CTN_STR("fail"));
    return ctn_json_finish(&b);
}

const ctn_json *ctn_told_budget(ctn_arena *arena, const ctn_execution *x, int64_t now_ms)
{
    ctn_budget_view view = ctn_execution_budget(x, now_ms);
    ctn_json_builder used = ctn_json_object(arena), reserved = ctn_json_object(arena), b = ctn_json_object(arena);
    const ctn_json *limits = told_limits(arena, &ctn_execution_plan(x)->budget);
    if (limits) { /* else nobody counts them */
        ctn_json_put_int(&used, "calls", view.calls);
        ctn_json_put_int(&used, "bytes", view.bytes);
    }
    ctn_json_put_int(&used, "wallMs", view.wall_ms);
    ctn_json_put_int(&used, "tokens", view.used.tokens);
    put_money(&used, view.used.money);
    ctn_json_put_int(&reserved, "tokens", view.reserved_tokens);
    put_money(&reserved, view.reserved_money);
    ctn_json_put(&b, CTN_STR("limits"), limits);
    ctn_json_put(&b, CTN_STR("used"), ctn_json_finish(&used));
    ctn_json_put(&b, CTN_STR("reserved"), ctn_json_finish(&reserved));
    ctn_json_put_int(&b, "granted", (int64_t) view.grants + 1);
    ctn_json_put_bool(&b, "waits", ctn_execution_budget_wait(x) != NULL);
    return ctn_json_finish(&b);
}
