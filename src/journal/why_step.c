/*
 * why_step.c -- why a step ran, or did not, and everything that happened to it, in the journal's order.
 *
 * The head is one sentence: what became of it and the one thing that decided that. Below it stand the condition with
 * the values it read then, and one line for each entry, which says why what came next came next: how long the back-off
 * was and how many retries were left, whose word settled a call, which fallback was taken.
 */
#include "journal/why_walk.h"

#define EVENTS_MAX 500
#define VALUES_MAX 8

static const ctn_str NOTHING = {0};

static ctn_str body_text(const ctn_entry *e, const char *key)
{
    return ctn_json_str_or(e->body, key, NOTHING);
}

/* ---- the condition ---- */

typedef struct condition {
    ctn_str text;        /* empty: none */
    const ctn_entry *at; /* the entry that it led to; NULL: none yet */
    ctn_reads reads;
    ctn_str says;    /* "false", "skip", ...; empty: not known */
    bool is_verdict; /* skip, continue or fail, and no value */
} condition;

static condition condition_of(const why *w, uint32_t step)
{
    condition c = {.at = ctn_why_entry(w, step, 0)}; /* it was evaluated before that */
    const ctn_plan_step *p = &w->plan->steps[step];
    if (!p->condition)
        return c;
    const ctn_json *said = ctn_json_member_of(ctn_why_step_node(w, step), "conditionalExecution");
    c.text = ctn_json_is(said, CTN_JSON_STRING) ? ctn_json_text(said) : ctn_json_to_str(w->arena, said);
    ctn_reads all = {0};
    ctn_expression_reads(p->condition, w->arena, &all);
    for (size_t i = 0; i < all.count; i++) {
        bool is_new = true;
        for (size_t k = 0; k < c.reads.count; k++)
            is_new = is_new && !ctn_str_equal(c.reads.items[k].path, all.items[i].path);
        if (is_new)
            ctn_reads_add(w->arena, &c.reads, all.items[i]);
    }
    if (!c.at)
        return c;
    why_scope s = ctn_why_scope_of(w, step, c.at);
    s.item = -1;
    ctn_scope scope = ctn_why_scope(&s);
    const ctn_json *value = NULL;
    ctn_verdict verdict = CTN_VERDICT_NONE;
    static const char *const verdicts[] = {"", "skip", "continue", "fail"};
    if (ctn_expression_eval(p->condition, &scope, w->arena, &value, &verdict, NULL))
        c.says = CTN_STR("an error");
    else
        c.is_verdict = verdict != CTN_VERDICT_NONE,
        c.says = verdict ? ctn_str_from(verdicts[verdict]) : ctn_why_brief(w->arena, value);
    return c;
}

static const ctn_json *value_then(const why *w, const condition *c, uint32_t step, const ctn_read *read)
{
    ctn_path path;
    size_t bytes = 0;
    if (ctn_path_parse(w->arena, read->path, &path, &bytes, NULL))
        return NULL;
    why_scope s = ctn_why_scope_of(w, step, c->at);
    s.item = -1;
    ctn_scope scope = ctn_why_scope(&s);
    return ctn_path_resolve(&path, &scope);
}

/* "; total was 4120 (from step price_options)" */
static ctn_str values_text(const why *w, const condition *c, uint32_t step)
{
    ctn_str text = {0};
    for (size_t i = 0; i < c->reads.count && i < VALUES_MAX; i++) {
        const ctn_read *read = &c->reads.items[i];
        const ctn_json *v = value_then(w, c, step, read);
        ctn_str from = ctn_why_origin(w, read->root, c->at->seq);
        bool is_set = v != NULL;
        ctn_str shown = ctn_why_is_sensitive(w, read->root) ? CTN_STR("[not shown]")
                        : is_set                            ? ctn_why_brief(w->arena, v)
                                                            : CTN_STR("not set");
        text = ctn_arena_printf(w->arena, "%.*s%s%.*s was %.*s%s%.*s%s", CTN_STR_ARG(text), i ? ", " : "; ",
                                CTN_STR_ARG(read->path), CTN_STR_ARG(shown), is_set && from.len ? " (" : "",
                                CTN_STR_ARG(is_set ? from : NOTHING), is_set && from.len ? ")" : "");
    }
    return text;
}

static void tell_condition(const why *w, ctn_why_node *parent, uint32_t step, const condition *c)
{
    ctn_why_node *node = ctn_why_add(w, parent, CTN_WHY_CONDITION, c->at);
    node->step = w->plan->steps[step].name;
    node->attempt = 0;
    node->name = c->text;
    if (!c->at) {
        node->text = ctn_arena_printf(w->arena, "condition `%.*s`: not evaluated so far", CTN_STR_ARG(c->text));
        return;
    }
    node->text = ctn_arena_printf(w->arena, "condition `%.*s` %s %.*s", CTN_STR_ARG(c->text),
                                  c->is_verdict ? "said" : "was", CTN_STR_ARG(c->says));
    node->value = ctn_json_string(w->arena, c->says);
    for (size_t i = 0; i < c->reads.count; i++) {
        const ctn_read *read = &c->reads.items[i];
        const production *p = ctn_why_standing(w, read->root, c->at->seq);
        ctn_why_node *value = ctn_why_add(w, node, CTN_WHY_VARIABLE, p ? p->entry : NULL);
        value->name = read->path;
        value->is_redacted = ctn_why_is_sensitive(w, read->root);
        if (!value->is_redacted)
            value->value = value_then(w, c, step, read);
        value->text = p ? ctn_why_origin(w, read->root, c->at->seq) : CTN_STR("not set at that time");
    }
}

/* ---- why it has not run ---- */

static ctn_str stop_text(const why *w)
{
    const ctn_entry *e = w->stopped;
    if (e->kind == CTN_ENTRY_ATTEMPT_FAILED)
        return ctn_arena_printf(w->arena, "step %.*s failed (%.*s)", CTN_STR_ARG(e->step),
                                CTN_STR_ARG(body_text(e, "code")));
    if (e->kind == CTN_ENTRY_DECISION)
        return ctn_arena_printf(w->arena, "%.*s let it end at its budget", CTN_STR_ARG(e->actor));
    if (ctn_str_is(body_text(e, "code"), "cancelled"))
        return ctn_arena_printf(w->arena, "%.*s cancelled it", CTN_STR_ARG(e->actor));
    return ctn_arena_printf(w->arena, "%.*s: %.*s", CTN_STR_ARG(body_text(e, "code")),
                            CTN_STR_ARG(body_text(e, "message")));
}

static ctn_str waits_for_text(const why *w, uint32_t step)
{
    const ctn_plan_step *p = &w->plan->steps[step];
    ctn_str *names = CTN_NEW_ARRAY(w->arena, ctn_str, p->predecessor_count);
    size_t count = 0;
    for (uint32_t i = 0; i < p->predecessor_count; i++) {
        uint32_t before = p->predecessors[i];
        if (!w->traces[before].ended)
            names[count++] =
                ctn_arena_printf(w->arena, "%.*s (%s)", CTN_STR_ARG(w->plan->steps[before].name),
                                 ctn_step_status_name(ctn_execution_step(w->source->execution, before).status));
    }
    if (count)
        return ctn_arena_printf(w->arena, "it waits for %.*s",
                                CTN_STR_ARG(ctn_text_list(w->arena, names, count, CTN_WHY_NAMES_MAX)));
    const ctn_entry *held = NULL; /* the execution as a whole waits */
    for (size_t i = 0; i < w->source->count; i++)
        if (w->source->entries[i].step.len == 0)
            held = &w->source->entries[i];
    if (held && held->kind == CTN_ENTRY_WAITING)
        return ctn_arena_printf(w->arena, "it is ready, and the execution waits for a decision about its %.*s (%.*s)",
                                CTN_STR_ARG(body_text(held, "for")), CTN_STR_ARG(body_text(held, "what")));
    return ctn_execution_status(w->source->execution) == CTN_STATUS_PAUSED
               ? CTN_STR("it is ready, and the execution is paused")
               : CTN_STR("it is ready");
}

/* Why it became ready, or never did. */
static ctn_str ready_text(const why *w, uint32_t step)
{
    const ctn_plan_step *p = &w->plan->steps[step];
    const ctn_entry *ready = ctn_why_ready(w, step);
    if (!ready)
        return NOTHING;
    if (p->predecessor_count == 0)
        return CTN_STR("ready at the start: it waits for no step");
    if (!ready->step.len)
        return CTN_STR("ready at the start: what it waits for is reused");
    if (p->predecessor_count == 1)
        return ctn_arena_printf(w->arena, "ready when %.*s had ended", CTN_STR_ARG(ready->step));
    ctn_str *names = CTN_NEW_ARRAY(w->arena, ctn_str, p->predecessor_count);
    for (uint32_t i = 0; i < p->predecessor_count; i++)
        names[i] = w->plan->steps[p->predecessors[i]].name;
    return ctn_arena_printf(w->arena, "ready when %.*s had ended, the last of %.*s", CTN_STR_ARG(ready->step),
                            CTN_STR_ARG(ctn_text_list(w->arena, names, p->predecessor_count, CTN_WHY_NAMES_MAX)));
}

/* ---- what happened to it ---- */

typedef struct history {
    uint32_t retries; /* spent so far, of the work that is tried now */
    const ctn_entry *decided;
} history;

static bool is_transient(ctn_failure failure)
{
    return failure == CTN_FAILURE_RATE_LIMITED || failure == CTN_FAILURE_UNAVAILABLE ||
           failure == CTN_FAILURE_TRANSPORT || failure == CTN_FAILURE_TIMEOUT;
}

static ctn_str why_no_retry(const why *w, uint32_t step, const ctn_entry *e, const history *h)
{
    const ctn_retry *retry = &w->plan->steps[step].retry;
    ctn_str code = body_text(e, "code");
    ctn_failure failure = ctn_failure_from_name(code);
    if (h->decided && ctn_str_is(body_text(h->decided, "what"), "fail"))
        return ctn_arena_printf(w->arena, "as %.*s decided", CTN_STR_ARG(h->decided->actor));
    if (failure == CTN_FAILURE_CONDITION_FAILED)
        return CTN_STR("after the verdict `fail` there is no retry and no fallback");
    if (failure == CTN_FAILURE_CANCELLED || (w->stopped && w->stopped->seq < e->seq))
        return CTN_STR("the chain was stopping");
    if (!is_transient(failure) && !((retry->retry_on >> failure) & 1u))
        return ctn_arena_printf(w->arena, "no retry: %.*s is permanent%s", CTN_STR_ARG(code),
                                retry->max_retries ? ", and retryOn does not name it" : "");
    if (retry->max_retries == 0)
        return CTN_STR("no retry: the step has no retryConfig");
    if (h->retries >= retry->max_retries)
        return ctn_arena_printf(w->arena, "no retry: all %lld are spent", (long long) retry->max_retries);
    return CTN_STR("no retry: it cannot be repeated safely");
}

/* In a foreach of many items, the start and the success of an item are no news. */
static bool is_news(const ctn_entry *e, int64_t only_item, bool is_long)
{
    if (only_item >= 0)
        return e->item == only_item;
    return !is_long || e->item < 0 || (e->kind != CTN_ENTRY_ATTEMPT_SUCCEEDED && e->kind != CTN_ENTRY_ATTEMPT_STARTED);
}

/* What was done before an entry to the item that it is about. */
static history history_before(const why *w, uint32_t step, const ctn_entry *end)
{
    history h = {0};
    const ctn_entry *e;
    for (uint32_t i = 0; (e = ctn_why_entry(w, step, i)) != NULL; i++) {
        if (e->seq >= end->seq)
            break;
        if (e->item != end->item)
            continue;
        if (e->kind == CTN_ENTRY_FALLBACK_TAKEN)
            h.retries = 0;
        if (e->kind == CTN_ENTRY_DECISION)
            h.decided = e;
        h.retries += e->kind == CTN_ENTRY_ATTEMPT_FAILED && ctn_why_body(e, "dueMs") &&
                     !ctn_json_bool_or(e->body, "free", false);
    }
    return h;
}

/* What is told of the entry, as things stood then. */
static ctn_str event_text(const why *w, uint32_t step, const ctn_entry *e)
{
    history h = history_before(w, step, e);
    ctn_entry_setting setting = {
        .retries = h.retries,
        .retries_max = w->plan->steps[step].retry.max_retries,
        .no_retry = why_no_retry(w, step, e, &h),
        .stopped = w->stopped ? stop_text(w) : NOTHING,
    };
    return ctn_entry_why(w->arena, e, &setting);
}

static void tell_event(const why *w, ctn_why_node *node, uint32_t step, const ctn_entry *e)
{
    ctn_why_node *event = ctn_why_add(w, node, CTN_WHY_EVENT, e);
    ctn_str text = event_text(w, step, e), call = body_text(e, "call");
    event->name = ctn_str_from(ctn_entry_kind_name(e->kind));
    event->text =
        call.len ? ctn_arena_printf(w->arena, "%.*s (call %.*s)", CTN_STR_ARG(text), CTN_STR_ARG(call)) : text;
}

/* Everything about the step, and the pauses and deaths of engines that came in between. */
static void tell_events(const why *w, ctn_why_node *node, uint32_t step, int64_t only_item)
{
    const step_trace *trace = &w->traces[step];
    bool is_long = trace->count > EVENTS_MAX / 5;
    uint32_t told = 0;
    const ctn_entry *ready = ctn_why_ready(w, step), *end = w->traces[step].ended;
    size_t at = ready ? (size_t) (ready - w->source->entries) + 1 : w->source->count;
    size_t last = trace->count ? trace->entries[trace->count - 1] : 0;
    if (!end && !w->stopped)
        last = w->source->count ? w->source->count - 1 : 0;
    for (uint32_t i = 0; at < w->source->count && at <= last; at++) {
        const ctn_entry *e = &w->source->entries[at];
        bool is_own = i < trace->count && trace->entries[i] == at;
        i += is_own;
        bool is_told = is_own ? is_news(e, only_item, is_long) : !e->step.len && ctn_entry_meaning_of(e).is_for_all;
        if (!is_told)
            continue;
        if (told++ == EVENTS_MAX) {
            node->is_cut = true;
            return;
        }
        tell_event(w, node, step, e);
    }
}

/* ---- the sentence ---- */

static const ctn_entry *last_of(const why *w, uint32_t step, ctn_entry_kind kind)
{
    const ctn_entry *e, *last = NULL;
    for (uint32_t i = 0; (e = ctn_why_entry(w, step, i)) != NULL; i++)
        if (e->kind == kind)
            last = e;
    return last;
}

static uint32_t count_retries(const why *w, uint32_t step)
{
    uint32_t count = 0;
    const ctn_entry *e;
    for (uint32_t i = 0; (e = ctn_why_entry(w, step, i)) != NULL; i++)
        count += e->kind == CTN_ENTRY_ATTEMPT_FAILED && ctn_why_body(e, "dueMs") != NULL;
    return count;
}

static ctn_str condition_clause(const why *w, const condition *c, uint32_t step)
{
    if (!c->text.len || !c->at)
        return NOTHING;
    return ctn_arena_printf(w->arena, " its condition `%.*s` %s %.*s%.*s", CTN_STR_ARG(c->text),
                            c->is_verdict ? "said" : "was", CTN_STR_ARG(c->says), CTN_STR_ARG(values_text(w, c, step)));
}

static ctn_str completed_text(const why *w, uint32_t step, const condition *c)
{
    const ctn_entry *e = w->traces[step].ended, *fallback = last_of(w, step, CTN_ENTRY_FALLBACK_TAKEN);
    const ctn_entry *answered = last_of(w, step, CTN_ENTRY_ANSWERED), *decided = last_of(w, step, CTN_ENTRY_DECISION);
    uint32_t retries = count_retries(w, step);
    ctn_str how = NOTHING, settled = NOTHING, clause = condition_clause(w, c, step);
    if (e && e->kind == CTN_ENTRY_CACHE_HIT)
        how = CTN_STR(", with an answer out of the cache");
    else if (fallback)
        how = ctn_arena_printf(w->arena, ", by fallback %lld",
                               (long long) ctn_json_int_or(fallback->body, "fallback", 1));
    else if (answered)
        how = ctn_arena_printf(w->arena, ", answered by %.*s", CTN_STR_ARG(answered->actor));
    else if (retries)
        how = ctn_arena_printf(w->arena, ", after %u %s", retries, retries == 1 ? "retry" : "retries");
    if (e && ctn_why_body(e, "items"))
        how = ctn_arena_printf(w->arena, ", for %.*s%s%.*s", CTN_STR_ARG(ctn_entry_items_text(w->arena, e)),
                               how.len ? ";" : "", CTN_STR_ARG(ctn_str_from_offset(how, 1)));
    if (decided && ctn_str_is(body_text(decided, "what"), "succeed"))
        settled = ctn_arena_printf(w->arena, "; %.*s said that it happened", CTN_STR_ARG(decided->actor));
    return ctn_arena_printf(w->arena, "completed%.*s%.*s%s%.*s", CTN_STR_ARG(how), CTN_STR_ARG(settled),
                            clause.len ? "; it ran because" : "", CTN_STR_ARG(clause));
}

static ctn_str failed_text(const why *w, uint32_t step, const condition *c, const ctn_step_view *view,
                           const ctn_entry **ret_entry)
{
    const ctn_entry *e = last_of(w, step, CTN_ENTRY_ATTEMPT_FAILED);
    if (!e || (w->stopped && w->stopped->seq < e->seq) || ctn_failure_name(view->failure) == NULL)
        return ctn_arena_printf(w->arena, "was stopped with the chain: %.*s",
                                CTN_STR_ARG(w->stopped ? stop_text(w) : view->message));
    *ret_entry = e;
    history h = {.retries = count_retries(w, step), .decided = last_of(w, step, CTN_ENTRY_DECISION)};
    const char *then =
        w->traces[step].ended ? "; the chain went on, as `onError: continue` says" : "; so the chain stopped";
    ctn_str clause = view->failure == CTN_FAILURE_CONDITION_FAILED ? condition_clause(w, c, step) : NOTHING;
    if (clause.len)
        return ctn_arena_printf(w->arena, "failed:%.*s%s", CTN_STR_ARG(clause), then);
    return ctn_arena_printf(w->arena, "failed: %.*s: %.*s (%.*s)%s", CTN_STR_ARG(body_text(e, "code")),
                            CTN_STR_ARG(body_text(e, "message")), CTN_STR_ARG(why_no_retry(w, step, e, &h)), then);
}

static ctn_str waiting_text(const why *w, uint32_t step, const ctn_step_view *view)
{
    const ctn_entry *child = last_of(w, step, CTN_ENTRY_CHILD_STARTED), *waiting = last_of(w, step, CTN_ENTRY_WAITING);
    if (view->waits_for_child && child)
        return ctn_arena_printf(w->arena, "waits for execution %.*s of chain %.*s, which does its work",
                                CTN_STR_ARG(body_text(child, "child")), CTN_STR_ARG(body_text(child, "chain")));
    return waiting ? event_text(w, step, waiting) : CTN_STR("waits");
}

/* What became of the step. ret_entry: the one that decided that. */
static ctn_str head_text(const why *w, uint32_t step, const condition *c, const ctn_entry **ret_entry)
{
    ctn_step_view view = ctn_execution_step(w->source->execution, step);
    const step_trace *trace = &w->traces[step];
    const ctn_entry *last = trace->count ? ctn_why_entry(w, step, trace->count - 1) : NULL;
    *ret_entry = trace->ended ? trace->ended : last;
    bool is_held = last && last->kind == CTN_ENTRY_BREAKER_WAIT &&
                   (view.status == CTN_STEP_RUNNING || view.status == CTN_STEP_RETRYING ||
                    view.status == CTN_STEP_WAITING || view.status == CTN_STEP_PENDING);
    if (is_held && !w->stopped)
        return ctn_arena_printf(w->arena, "waits: the circuit breaker of %.*s is open",
                                CTN_STR_ARG(body_text(last, "target")));
    switch (view.status) {
    case CTN_STEP_SKIPPED:
        return ctn_arena_printf(w->arena, "was skipped:%.*s", CTN_STR_ARG(condition_clause(w, c, step)));
    case CTN_STEP_COMPLETED: return completed_text(w, step, c);
    case CTN_STEP_COMPENSATED:
        *ret_entry = last_of(w, step, CTN_ENTRY_COMPENSATION_SUCCEEDED);
        return ctn_arena_printf(w->arena, "was undone, because the chain stopped: %.*s",
                                CTN_STR_ARG(w->stopped ? stop_text(w) : NOTHING));
    case CTN_STEP_FAILED: return failed_text(w, step, c, &view, ret_entry);
    case CTN_STEP_WAITING: return waiting_text(w, step, &view);
    case CTN_STEP_INTERRUPTED:
    case CTN_STEP_RETRYING:
        return last ? ctn_arena_printf(w->arena, "is %s: %.*s: %.*s", ctn_step_status_name(view.status),
                                       CTN_STR_ARG(body_text(last, "code")), CTN_STR_ARG(body_text(last, "message")))
                    : ctn_arena_printf(w->arena, "is %s", ctn_step_status_name(view.status));
    case CTN_STEP_RUNNING: return CTN_STR("is under way");
    case CTN_STEP_PENDING:
    case CTN_STEP_STATUS_COUNT: break;
    }
    if (w->stopped) {
        *ret_entry = w->stopped;
        return ctn_arena_printf(w->arena, "never ran: the chain stopped first, because %.*s",
                                CTN_STR_ARG(stop_text(w)));
    }
    return ctn_arena_printf(w->arena, "has not run: %.*s",
                            CTN_STR_ARG(w->started ? waits_for_text(w, step) : CTN_STR("the execution is queued")));
}

/* What became of one item. */
static ctn_str item_text(const why *w, uint32_t step, int64_t item, const ctn_entry **ret_entry)
{
    const ctn_entry *last = NULL;
    const ctn_entry *e;
    for (uint32_t i = 0; (e = ctn_why_entry(w, step, i)) != NULL; i++) {
        if (e->item == item)
            last = e;
    }
    *ret_entry = last;
    ctn_str name = ctn_arena_printf(w->arena, "%.*s[%lld]", CTN_STR_ARG(w->plan->steps[step].name), (long long) item);
    if (!last)
        return ctn_arena_printf(w->arena, "%.*s: the journal knows nothing of it%s%.*s", CTN_STR_ARG(name),
                                w->stopped ? "; the chain stopped because " : "",
                                CTN_STR_ARG(w->stopped ? stop_text(w) : NOTHING));
    ctn_str text = event_text(w, step, last);
    return ctn_arena_printf(w->arena, "%.*s: %.*s", CTN_STR_ARG(name), CTN_STR_ARG(text));
}

/* ---- the whole ---- */

/* What each call of the step's own set was sent, when it began so far. */
static void tell_sent(const why *w, ctn_why_node *parent, uint32_t step, const ctn_entry *of_item)
{
    const ctn_json *set = ctn_why_set(w, w->plan->steps[step].set->name);
    const ctn_entry *end = w->traces[step].ended ? w->traces[step].ended : last_of(w, step, CTN_ENTRY_ATTEMPT_FAILED);
    if (of_item)
        end = of_item;
    if (!end)
        end = last_of(w, step, CTN_ENTRY_ATTEMPT_STARTED);
    static const char *const NEVER_SENT[] = {"condition_failed", "undefined_variable", "breaker_open", "budget"};
    bool is_of_step = end && (end->item < 0 || of_item) && end->attempt && end->kind != CTN_ENTRY_CACHE_HIT &&
                      !ctn_why_body(end, "items");
    for (size_t i = 0; is_of_step && i < sizeof NEVER_SENT / sizeof *NEVER_SENT; i++)
        is_of_step = !ctn_str_is(body_text(end, "code"), NEVER_SENT[i]);
    if (!is_of_step || last_of(w, step, CTN_ENTRY_FALLBACK_TAKEN))
        return;
    if (!ctn_json_member_of(set, "calls")) {
        ctn_why_tell_sent(w, parent, step, end, NOTHING);
        return;
    }
    for (uint32_t i = 0; ctn_why_call_name(set, i).len; i++)
        ctn_why_tell_sent(w, parent, step, end, ctn_why_call_name(set, i));
}

/* Nothing happened to it here; what happened is told of the execution that did it. */
static void tell_reused(const why *w, ctn_why_node *node, uint32_t step, int64_t only_item, bool with_events)
{
    ctn_str name = w->plan->steps[step].name;
    const ctn_json *reused = ctn_why_reused(w, step), *from = ctn_execution_from(w->source->execution);
    ctn_str id = ctn_json_str_or(reused, "execution", ctn_json_str_or(from, "execution", NOTHING));
    node->name = node->step = name;
    node->status = ctn_json_str_or(reused, "status", NOTHING);
    node->item = only_item;
    node->seq = w->reuses->seq;
    node->at_ms = w->reuses->at_ms;
    node->actor = w->reuses->actor;
    node->text = ctn_arena_printf(w->arena, "%.*s was not done again: it %s%.*s in execution %.*s, and that is reused",
                                  CTN_STR_ARG(name), ctn_str_is(node->status, "skipped") ? "was " : "",
                                  CTN_STR_ARG(node->status), CTN_STR_ARG(id));
    why *earlier = CTN_NEW(w->arena, why);
    uint32_t old_step = 0;
    if (with_events && ctn_why_open_reused(w, step, earlier, &old_step))
        ctn_why_tell_step(earlier, ctn_why_add(earlier, node, CTN_WHY_STEP, NULL), old_step, only_item, false);
}

void ctn_why_tell_step(const why *w, ctn_why_node *node, uint32_t step, int64_t only_item, bool with_events)
{
    if (ctn_why_reused(w, step) && w->traces[step].ended) {
        tell_reused(w, node, step, only_item, with_events);
        return;
    }
    const ctn_entry *entry = NULL;
    condition c = condition_of(w, step);
    ctn_step_view view = ctn_execution_step(w->source->execution, step);
    node->name = node->step = w->plan->steps[step].name;
    node->status = ctn_str_from(ctn_step_status_name(view.status));
    node->item = only_item;
    node->text = only_item >= 0 ? item_text(w, step, only_item, &entry)
                                : ctn_arena_printf(w->arena, "%.*s %.*s", CTN_STR_ARG(node->name),
                                                   CTN_STR_ARG(head_text(w, step, &c, &entry)));
    if (entry) {
        node->seq = entry->seq;
        node->at_ms = entry->at_ms;
        node->attempt = view.attempt;
        node->actor = entry->actor;
    }
    if (!with_events)
        return;
    ctn_str ready = ready_text(w, step);
    if (ready.len) {
        ctn_why_node *event = ctn_why_add(w, node, CTN_WHY_EVENT, ctn_why_ready(w, step));
        event->attempt = 0;
        event->name = CTN_STR("ready");
        event->text = ready;
    }
    if (c.text.len && only_item < 0)
        tell_condition(w, node, step, &c);
    tell_sent(w, node, step, only_item < 0 ? NULL : entry);
    tell_events(w, node, step, only_item);
}
