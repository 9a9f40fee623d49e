/*
 * spans.c -- see spans.h.
 */
#include "server/ops/spans.h"
#include <stdlib.h>
#include "base/memory.h"

#define BUCKETS        4096
#define SPAN_BYTES_MAX 65536

enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3 };

/* When an attempt began. */
typedef struct begun {
    ctn_span_id span;
    int64_t at_ms;
    struct begun *next_in_bucket, *older, *newer;
} begun;

struct ctn_spans {
    ctn_spans_options of;
    ctn_arena *scratch;
    ctn_buf out;
    begun *buckets[BUCKETS];
    begun *oldest, *newest;
    size_t count;
};

/* ---- when attempts began ---- */

static begun **place_of(ctn_spans *s, ctn_span_id span)
{
    begun **at = &s->buckets[(span.bytes[0] << 8 | span.bytes[1]) % BUCKETS];
    while (*at && memcmp(&(*at)->span, &span, sizeof span) != 0)
        at = &(*at)->next_in_bucket;
    return at;
}

static void forget(ctn_spans *s, begun **at)
{
    begun *b = *at;
    *at = b->next_in_bucket;
    *(b->older ? &b->older->newer : &s->oldest) = b->newer;
    *(b->newer ? &b->newer->older : &s->newest) = b->older;
    s->count--;
    free(b);
}

/* The first call of several is the attempt's beginning. */
static void note_begun(ctn_spans *s, ctn_span_id span, int64_t at_ms)
{
    if (*place_of(s, span))
        return;
    if (s->count == CTN_SPANS_OPEN_MAX)
        forget(s, place_of(s, s->oldest->span));
    begun **at = place_of(s, span), *b = ctn_malloc(sizeof *b);
    *b = (begun){.span = span, .at_ms = at_ms, .older = s->newest};
    *(s->newest ? &s->newest->newer : &s->oldest) = b;
    s->newest = *at = b;
    s->count++;
}

static bool take_begun(ctn_spans *s, ctn_span_id span, int64_t *ret_at_ms)
{
    begun **at = place_of(s, span);
    if (!*at)
        return false;
    *ret_at_ms = (*at)->at_ms;
    forget(s, at);
    return true;
}

/* ---- a span as OTLP writes it ---- */

typedef struct writing {
    ctn_buf *out;
    bool has_attribute;
} writing;

static void begin_span(writing *w, const ctn_trace_context *own, const ctn_span_id *parent, ctn_str name, int kind,
                       int64_t begun_ms, int64_t ended_ms)
{
    ctn_buf_printf(w->out, "{\"traceId\":\"%s\",\"spanId\":\"%s\"", ctn_trace_id_to_text(own->trace).text,
                   ctn_span_id_to_text(own->span).text);
    if (parent)
        ctn_buf_printf(w->out, ",\"parentSpanId\":\"%s\"", ctn_span_id_to_text(*parent).text);
    ctn_buf_append_literal(w->out, ",\"name\":");
    ctn_json_write_string(w->out, name);
    ctn_buf_printf(w->out,
                   ",\"kind\":%d,\"startTimeUnixNano\":\"%lld000000\",\"endTimeUnixNano\":\"%lld000000\","
                   "\"attributes\":[",
                   kind, (long long) (begun_ms < ended_ms ? begun_ms : ended_ms), (long long) ended_ms);
}

static void begin_attribute(writing *w, const char *key)
{
    ctn_buf_printf(w->out, "%s{\"key\":\"%s\",\"value\":", w->has_attribute ? "," : "", key);
    w->has_attribute = true;
}

static void add_text(writing *w, const char *key, ctn_str value)
{
    if (!value.len)
        return;
    begin_attribute(w, key);
    ctn_buf_append_literal(w->out, "{\"stringValue\":");
    ctn_json_write_string(w->out, value);
    ctn_buf_append_literal(w->out, "}}");
}

static void add_number(writing *w, const char *key, int64_t value)
{
    begin_attribute(w, key);
    ctn_buf_printf(w->out, "{\"intValue\":\"%lld\"}}", (long long) value);
}

static void add_true(writing *w, const char *key, bool is_true)
{
    if (!is_true)
        return;
    begin_attribute(w, key);
    ctn_buf_append_literal(w->out, "{\"boolValue\":true}}");
}

/* code empty: it went well. */
static void end_span(writing *w, const char *links, ctn_str code)
{
    ctn_buf_append_literal(w->out, "]");
    if (links)
        ctn_buf_printf(w->out, ",\"links\":[%s]", links);
    if (code.len) {
        ctn_buf_append_literal(w->out, ",\"status\":{\"code\":2,\"message\":");
        ctn_json_write_string(w->out, code);
        ctn_buf_append_literal(w->out, "}}");
    } else {
        ctn_buf_append_literal(w->out, ",\"status\":{\"code\":1}}");
    }
}

static void tell(ctn_spans *s)
{
    if (!s->out.overflowed)
        s->of.told(s->of.ctx, ctn_buf_str(&s->out));
}

static const char *link_to(ctn_arena *arena, ctn_trace_id trace, ctn_span_id span)
{
    return ctn_arena_printf(arena, "{\"traceId\":\"%s\",\"spanId\":\"%s\"}", ctn_trace_id_to_text(trace).text,
                            ctn_span_id_to_text(span).text)
        .ptr;
}

/* ---- attempts ---- */

static ctn_trace_context trace_of(const ctn_spans *s, const ctn_execution *x)
{
    return ctn_trace_of_execution(&s->of.tracing, ctn_execution_id_of(x), ctn_execution_origin(x)->traceparent);
}

typedef struct attempt_end {
    ctn_traced_attempt attempt;
    const ctn_plan_step *step;
    const ctn_json *body;
    ctn_str code; /* empty: it succeeded */
    int64_t at_ms;
    bool is_cached, is_settled;
} attempt_end;

static ctn_str work_of(const attempt_end *a)
{
    const ctn_plan_set *set = a->attempt.is_undo && a->step->undo ? a->step->undo : a->step->set;
    switch (set->kind) {
    case CTN_SET_CALLS:
        return set->is_several || !set->call_count ? CTN_STR("calls")
                                                   : ctn_str_from(ctn_work_kind_name(set->calls[0].kind));
    case CTN_SET_WAIT: return CTN_STR("wait");
    case CTN_SET_APPROVAL: return CTN_STR("approval");
    case CTN_SET_AGENT: return CTN_STR("agent");
    case CTN_SET_CHAIN: return CTN_STR("chain");
    }
    return (ctn_str){0};
}

/* What a call is about, where its set says so by a name; an argument of a set never gets here. */
static ctn_str target_of(const attempt_end *a)
{
    const ctn_plan_set *set = a->attempt.is_undo && a->step->undo ? a->step->undo : a->step->set;
    bool is_named = set->kind == CTN_SET_CALLS && !set->is_several && set->call_count == 1 &&
                    (set->calls[0].kind == CTN_WORK_TOOL || set->calls[0].kind == CTN_WORK_NATIVE);
    return is_named ? set->calls[0].target : set->kind == CTN_SET_CHAIN ? set->chain : (ctn_str){0};
}

static void tell_attempt(ctn_spans *s, const ctn_execution *x, const attempt_end *a)
{
    writing w = {.out = &s->out};
    ctn_trace_context own = trace_of(s, x);
    ctn_span_id root = own.span;
    ctn_str work = work_of(a), call = ctn_json_str_or(a->body, "call", (ctn_str){0});
    int64_t begun_ms = a->at_ms;
    own.span = ctn_span_of_attempt(&a->attempt);
    bool is_known = take_begun(s, own.span, &begun_ms) || a->is_cached;
    if (!is_known && a->attempt.attempt <= 1 && a->attempt.item < 0 && !a->attempt.is_undo) {
        ctn_step_view view = ctn_execution_step(x, ctn_plan_step_index(ctn_execution_plan(x), a->attempt.step));
        begun_ms = view.started_at_ms ? view.started_at_ms : begun_ms;
    }
    bool leaves_us = ctn_str_is(work, "tool") || ctn_str_is(work, "http") || ctn_str_is(work, "prompt");
    ctn_buf_clear(&s->out);
    begin_span(&w, &own, &root, a->attempt.step, leaves_us ? KIND_CLIENT : KIND_INTERNAL, begun_ms, a->at_ms);
    add_text(&w, "catena.execution.id", ctn_str_from(ctn_id_to_text(a->attempt.id).text));
    add_text(&w, "catena.chain.id", ctn_execution_plan(x)->chain_id);
    add_text(&w, "catena.step", a->attempt.step);
    add_number(&w, "catena.attempt", a->attempt.attempt);
    if (a->attempt.item >= 0)
        add_number(&w, "catena.item", a->attempt.item);
    add_text(&w, "catena.work", work);
    add_text(&w, "catena.target", target_of(a));
    add_text(&w, "catena.call", call);
    add_text(&w, "error.type", a->code);
    add_true(&w, "catena.compensation", a->attempt.is_undo);
    add_true(&w, "catena.cached", a->is_cached);
    add_true(&w, "catena.settled", a->is_settled);
    add_true(&w, "catena.begin.unknown", !is_known);
    end_span(&w, NULL, a->code);
    tell(s);
}

/* One call of several has ended, and the others still decide what becomes of the attempt. */
static bool goes_on(const attempt_end *a)
{
    static const char *const VERDICTS[] = {"variables", "items", "dueMs", "unknown", "final", "fallback"};
    if (!ctn_json_member_of(a->body, "call"))
        return false;
    for (size_t i = 0; i < sizeof VERDICTS / sizeof *VERDICTS; i++)
        if (ctn_json_member_of(a->body, VERDICTS[i]))
            return false;
    return true;
}

static ctn_traced_attempt attempt_of(const ctn_engine_event *event, bool is_undo)
{
    bool is_entry = event->kind == CTN_EVENT_ENTRY;
    return (ctn_traced_attempt){.id = ctn_execution_id_of(event->execution),
                                .step = event->step,
                                .item = is_entry ? event->record->item : event->item,
                                .attempt = event->attempt,
                                .is_undo = is_undo};
}

static void end_attempt(ctn_spans *s, const ctn_engine_event *event)
{
    const ctn_record *r = event->record;
    const ctn_plan *plan = ctn_execution_plan(event->execution);
    uint32_t step = ctn_plan_step_index(plan, event->step);
    ctn_entry entry;
    if (step == CTN_PLAN_NONE || (plan->steps[step].foreach && r->item < 0) ||
        ctn_record_to_entry(r, s->scratch, &entry, NULL))
        return;
    bool is_undo = ctn_entry_kind_about(r->kind) == CTN_ABOUT_UNDO || ctn_json_bool_or(entry.body, "undo", false);
    attempt_end a = {.attempt = attempt_of(event, is_undo),
                     .step = &plan->steps[step],
                     .body = entry.body,
                     .at_ms = r->at_ms,
                     .is_cached = r->kind == CTN_ENTRY_CACHE_HIT,
                     .is_settled = r->kind == CTN_ENTRY_DECISION};
    if (r->kind == CTN_ENTRY_ATTEMPT_FAILED || r->kind == CTN_ENTRY_COMPENSATION_FAILED)
        a.code = ctn_json_str_or(entry.body, "code", CTN_STR("unknown"));
    if (a.is_settled) {
        ctn_str what = ctn_json_str_or(entry.body, "what", (ctn_str){0});
        if (ctn_str_is(what, "fail"))
            a.code = CTN_STR("interrupted");
        else if (!ctn_str_is(what, "succeed"))
            return;
    }
    if (!goes_on(&a))
        tell_attempt(s, event->execution, &a);
}

static void on_entry(ctn_spans *s, const ctn_engine_event *event)
{
    if (!event->step.len)
        return;
    switch (event->record->kind) {
    case CTN_ENTRY_WAITING:
    case CTN_ENTRY_CHILD_STARTED: {
        ctn_traced_attempt a = attempt_of(event, false);
        note_begun(s, ctn_span_of_attempt(&a), event->record->at_ms);
        break;
    }
    case CTN_ENTRY_ATTEMPT_SUCCEEDED:
    case CTN_ENTRY_ATTEMPT_FAILED:
    case CTN_ENTRY_CACHE_HIT:
    case CTN_ENTRY_DECISION:
    case CTN_ENTRY_COMPENSATION_SUCCEEDED:
    case CTN_ENTRY_COMPENSATION_FAILED: end_attempt(s, event); break;
    default: break;
    }
}

/* ---- executions ---- */

/* Where it comes from: what it is below, or what it links to. */
static const char *family_of(ctn_spans *s, const ctn_execution *x, const ctn_trace_context *own, ctn_span_id *parent,
                             bool *ret_has_parent)
{
    const ctn_parent *p = ctn_execution_parent(x);
    const ctn_json *from = ctn_execution_from(x);
    ctn_trace_context callers;
    ctn_execution_id id;
    bool has_caller = ctn_trace_parse(ctn_execution_origin(x)->traceparent, &callers);
    *ret_has_parent = has_caller;
    if (p) {
        ctn_traced_attempt a = {.id = p->id, .step = p->step, .item = p->item, .attempt = p->attempt};
        *parent = ctn_span_of_attempt(&a);
        ctn_trace_id trace;
        memcpy(trace.bytes, p->id.bytes, sizeof trace.bytes);
        return has_caller ? NULL : link_to(s->scratch, trace, *parent);
    }
    if (has_caller)
        *parent = callers.span;
    if (from && ctn_id_parse(ctn_json_str_or(from, "execution", (ctn_str){0}), &id, NULL) == CTN_OK) {
        ctn_trace_id trace = own->trace;
        if (s->of.trace_of && s->of.trace_of(s->of.ctx, id, &trace))
            return link_to(s->scratch, trace, ctn_span_of_execution(id));
    }
    return NULL;
}

static void tell_execution(ctn_spans *s, const ctn_engine_event *event, int64_t now_ms)
{
    const ctn_execution *x = event->execution;
    writing w = {.out = &s->out};
    ctn_trace_context own = trace_of(s, x);
    ctn_span_id parent;
    bool has_parent;
    const char *links = family_of(s, x, &own, &parent, &has_parent);
    int64_t ended_ms = ctn_execution_ended_at_ms(x);
    ctn_str code = event->status == CTN_STATUS_COMPLETED
                       ? (ctn_str){0}
                       : ctn_json_str_or(ctn_execution_error(x), "code", ctn_str_from(ctn_status_name(event->status)));
    bool is_child = ctn_execution_parent(x) != NULL;
    ctn_buf_clear(&s->out);
    begin_span(&w, &own, has_parent ? &parent : NULL, ctn_execution_plan(x)->chain_id,
               has_parent && !is_child ? KIND_SERVER : KIND_INTERNAL, ctn_execution_started_at_ms(x),
               ended_ms ? ended_ms : now_ms);
    add_text(&w, "catena.execution.id", ctn_str_from(ctn_id_to_text(ctn_execution_id_of(x)).text));
    add_text(&w, "catena.chain.id", ctn_execution_plan(x)->chain_id);
    add_text(&w, "catena.status", ctn_str_from(ctn_status_name(event->status)));
    add_text(&w, "catena.tenant", ctn_execution_origin(x)->tenant);
    add_text(&w, "catena.from", ctn_json_str_or(ctn_execution_from(x), "execution", (ctn_str){0}));
    add_text(&w, "error.type", code);
    end_span(&w, links, code);
    tell(s);
}

/* ---- events ---- */

void ctn_spans_event(ctn_spans *s, const ctn_engine_event *event, int64_t now_ms)
{
    if (event->kind == CTN_EVENT_PROGRESS || event->kind == CTN_EVENT_HEARD ||
        (event->kind == CTN_EVENT_STATUS && !ctn_status_is_final(event->status)) ||
        !trace_of(s, event->execution).is_sampled)
        return;
    ctn_arena_mark mark = ctn_arena_save(s->scratch);
    if (event->kind == CTN_EVENT_ENTRY) {
        on_entry(s, event);
    } else if (event->kind == CTN_EVENT_STATUS) {
        tell_execution(s, event, now_ms);
    } else {
        ctn_traced_attempt a = attempt_of(event, event->is_undo);
        note_begun(s, ctn_span_of_attempt(&a), event->begun_at_ms);
    }
    ctn_arena_restore(s->scratch, mark);
}

ctn_spans *ctn_spans_new(const ctn_spans_options *options)
{
    ctn_spans *s = ctn_calloc(1, sizeof *s);
    s->of = *options;
    s->scratch = ctn_arena_new(4096);
    ctn_buf_init(&s->out, SPAN_BYTES_MAX);
    return s;
}

void ctn_spans_free(ctn_spans *s)
{
    if (!s)
        return;
    while (s->oldest)
        forget(s, place_of(s, s->oldest->span));
    ctn_buf_done(&s->out);
    ctn_arena_free(s->scratch);
    free(s);
}
