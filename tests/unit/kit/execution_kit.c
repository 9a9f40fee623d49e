/* execution_kit.c -- see execution_kit.h: an execution is made and moved. */
#include "unit/kit/execution_kit_state.h"

#include "chain/library.h"
#include "core/rerun.h"

#include <stdlib.h>

/* ---- the world's rules ---- */

static ctn_effect effect_of(void *ctx, ctn_work_kind kind, ctn_str target, const char **ret_from)
{
    (void) ctx, (void) kind;
    *ret_from = "annotations";
    if (ctn_str_starts_with(target, CTN_STR("t/read_")))
        return CTN_EFFECT_READ;
    if (ctn_str_starts_with(target, CTN_STR("t/idem_")))
        return CTN_EFFECT_IDEMPOTENT;
    if (ctn_str_starts_with(target, CTN_STR("t/none_")))
        return CTN_EFFECT_NONE;
    return CTN_EFFECT_UNKNOWN;
}

/* ---- printing ---- */

ctn_str kit_call_name(const kit *k, ctn_arena *arena, const ctn_owed_call *c)
{
    const ctn_plan_step *p = &k->plan->steps[c->step];
    ctn_str item = c->item < 0 ? (ctn_str){0} : ctn_arena_printf(arena, "[%lld]", (long long) c->item);
    return ctn_arena_printf(arena, "%s%s%.*s%.*s%s%.*s", c->is_check ? "check:" : "",
                            c->role == CTN_ROLE_UNDO ? "undo:" : "", CTN_STR_ARG(p->name), CTN_STR_ARG(item),
                            c->set->is_several ? "." : "",
                            CTN_STR_ARG(c->set->is_several ? c->set->calls[c->call].name : (ctn_str){0}));
}

void kit_print_journal(const kit *k)
{
    fprintf(stderr, "the journal (times since the start):\n");
    for (size_t i = 0; i < k->count; i++) {
        const ctn_record *r = &k->records[i];
        fprintf(stderr, "  %6lld %s %.*s #%u %.*s\n", (long long) (r->at_ms - KIT_START_MS),
                ctn_entry_kind_name(r->kind), CTN_STR_ARG(r->step), r->attempt, CTN_STR_ARG(r->body));
    }
}

static bool same_entry(ctn_arena *arena, const ctn_entry *a, const ctn_entry *b)
{
    return a->kind == b->kind && a->at_ms == b->at_ms && a->attempt == b->attempt && a->item == b->item &&
           ctn_str_equal(a->step, b->step) && ctn_str_equal(a->actor, b->actor) &&
           ctn_str_equal(ctn_json_to_str(arena, a->body), ctn_json_to_str(arena, b->body));
}

/* ---- moving ---- */

static void record(kit *k, ctn_entry *e)
{
    bool is_stored = ctn_entry_is_stored(e);
    ctn_execution_apply(k->x, e);
    if (!is_stored)
        return;
    assert_true(k->count < RECORDS_MAX);
    assert_int_equal(e->seq, k->count + 1);
    ctn_record r = ctn_entry_to_record(e, &k->hash, k->arena);
    r.step = ctn_arena_str(k->arena, r.step);
    r.actor = ctn_arena_str(k->arena, r.actor);
    ctn_execution_note_stored(k->x, r.body.len);
    k->hash = r.hash;
    k->records[k->count++] = r;
}

static bool advance_once(kit *k)
{
    ctn_arena_reset(k->scratch);
    ctn_entry e, again;
    if (!ctn_execution_next(k->x, &k->rules, k->now_ms, k->entropy, k->scratch, &e))
        return false;
    assert_true(ctn_execution_next(k->x, &k->rules, k->now_ms, k->entropy, k->scratch, &again));
    if (!same_entry(k->scratch, &e, &again))
        KIT_FAIL(k, "next says two things at once");
    record(k, &e);
    return true;
}

static void advance(kit *k, size_t since)
{
    for (int i = 0; advance_once(k); i++)
        if (i == ADVANCE_MAX)
            KIT_FAIL(k, "it never comes to rest");
    kit_check_holds(k, since);
}

static int64_t wake_at(kit *k)
{
    ctn_owed owed;
    ctn_arena_reset(k->scratch);
    ctn_execution_owed(k->x, &k->rules, k->now_ms, k->scratch, &owed);
    return owed.wake_at_ms;
}

void kit_world_changed(kit *k)
{
    advance(k, k->count + 1);
}

void kit_pass(kit *k, int64_t ms)
{
    int64_t until = k->now_ms + ms;
    for (int64_t at; (at = wake_at(k)) && at <= until;) {
        bool is_late = at <= k->now_ms;
        k->now_ms = is_late ? k->now_ms : at;
        size_t since = k->count;
        advance(k, since);
        if (is_late && wake_at(k) == at)
            KIT_FAIL(k, "it wants to be woken at a time that is over");
    }
    k->now_ms = until;
    ctn_entry e;
    ctn_arena_reset(k->scratch);
    if (ctn_execution_next(k->x, &k->rules, k->now_ms, k->entropy, k->scratch, &e))
        KIT_FAIL(k, "%s of %.*s follows at a time that nobody announced", ctn_entry_kind_name(e.kind),
                 CTN_STR_ARG(e.step));
}

void kit_sleep_through(kit *k, int64_t ms)
{
    k->now_ms += ms;
}

int64_t kit_wakes_in(kit *k)
{
    int64_t at = wake_at(k);
    return at ? at - k->now_ms : -1;
}

int64_t kit_to_wake(kit *k)
{
    int64_t span = kit_wakes_in(k);
    if (span < 0)
        KIT_FAIL(k, "nothing wakes it");
    kit_pass(k, span);
    return span;
}

int64_t kit_now(const kit *k)
{
    return k->now_ms - KIT_START_MS;
}

void kit_chance(kit *k, double share)
{
    k->entropy = share >= 1 ? UINT64_MAX : (uint64_t) (share * 9007199254740992.0) << 11;
}

/* ---- inputs ---- */

static int decide(kit *k, ctn_input *in)
{
    in->now_ms = k->now_ms;
    in->entropy = k->entropy;
    k->err = (ctn_err){0};
    ctn_arena_reset(k->scratch);
    ctn_entry e, again;
    size_t since = k->count;
    int rc = ctn_execution_decide(k->x, &k->rules, in, k->scratch, &e, &k->err);
    assert_int_equal(ctn_execution_decide(k->x, &k->rules, in, k->scratch, &again, NULL), rc);
    if (rc)
        return rc;
    if (!same_entry(k->scratch, &e, &again))
        KIT_FAIL(k, "decide says two things at once");
    record(k, &e);
    if (in->kind == CTN_IN_SET)
        k->was_set = true;
    advance(k, since + 1);
    return CTN_OK;
}

void kit_says(kit *k, ctn_input in)
{
    if (!in.actor.len)
        in.actor = CTN_STR("sam");
    int rc = decide(k, &in);
    if (rc)
        KIT_FAIL(k, "refused (%s): %s", ctn_err_name(rc), k->err.message);
}

void kit_says_as(kit *k, const char *actor, ctn_input in)
{
    in.actor = ctn_str_from(actor);
    kit_says(k, in);
}

void kit_refused(kit *k, int rc, const char *part, ctn_input in)
{
    if (!in.actor.len)
        in.actor = CTN_STR("sam");
    size_t before = k->count;
    int got = decide(k, &in);
    if (got != rc)
        KIT_FAIL(k, "it said %s (%s), not %s", ctn_err_name(got), k->err.message, ctn_err_name(rc));
    assert_int_equal(k->count, before);
    if (!strstr(k->err.message, part))
        KIT_FAIL(k, "it said \"%s\", which does not hold \"%s\"", k->err.message, part);
}

ctn_input kit_answer(kit *k, const char *step, const char *json)
{
    return (ctn_input){.kind = CTN_IN_ANSWER, .name = ctn_str_from(step), .value = kit_json(k, json)};
}

ctn_input kit_settle_retry(const char *step)
{
    return (ctn_input){.kind = CTN_IN_SETTLE, .name = ctn_str_from(step), .settle = CTN_SETTLE_RETRY};
}

ctn_input kit_settle_succeed(kit *k, const char *step, const char *json)
{
    return (ctn_input){
        .kind = CTN_IN_SETTLE, .name = ctn_str_from(step), .settle = CTN_SETTLE_SUCCEED, .value = kit_json(k, json)};
}

ctn_input kit_settle_fail(const char *step)
{
    return (ctn_input){.kind = CTN_IN_SETTLE, .name = ctn_str_from(step), .settle = CTN_SETTLE_FAIL};
}

ctn_input kit_set(kit *k, const char *variable, const char *json)
{
    return (ctn_input){.kind = CTN_IN_SET, .name = ctn_str_from(variable), .value = kit_json(k, json)};
}

void kit_cancel(kit *k)
{
    kit_says(k, (ctn_input){.kind = CTN_IN_CANCEL});
}

void kit_pause(kit *k)
{
    kit_says(k, (ctn_input){.kind = CTN_IN_PAUSE});
}

void kit_resume(kit *k)
{
    kit_says(k, (ctn_input){.kind = CTN_IN_RESUME});
}

const ctn_json *kit_json(kit *k, const char *json)
{
    const ctn_json *v = NULL;
    ctn_err err = {0};
    if (json && ctn_json_parse(k->arena, ctn_str_from(json), NULL, &v, &err))
        KIT_FAIL(k, "bad JSON in the test: %s: %s", err.message, json);
    return v;
}

/* ---- the world ---- */

static bool find_owed(kit *k, const char *call, ctn_owed_call *ret_call)
{
    ctn_owed owed;
    ctn_execution_owed(k->x, &k->rules, k->now_ms, k->arena, &owed);
    for (size_t i = 0; i < owed.count; i++)
        if (ctn_str_is(kit_call_name(k, k->arena, &owed.calls[i]), call)) {
            *ret_call = owed.calls[i];
            return true;
        }
    return false;
}

ctn_owed_call kit_owed(kit *k, const char *call)
{
    ctn_owed_call c = {0};
    if (!find_owed(k, call, &c))
        KIT_FAIL(k, "%s is not owed", call);
    return c;
}

static int by_step(const void *a, const void *b)
{
    const ctn_owed_call *x = a, *y = b;
    return x->step != y->step   ? (x->step < y->step ? -1 : 1)
           : x->item != y->item ? (x->item < y->item ? -1 : 1)
           : x->call < y->call  ? -1
                                : x->call > y->call;
}

void kit_owes(kit *k, const char *expected)
{
    ctn_owed owed;
    ctn_arena_reset(k->scratch);
    ctn_execution_owed(k->x, &k->rules, k->now_ms, k->scratch, &owed);
    if (owed.count)
        qsort(owed.calls, owed.count, sizeof *owed.calls, by_step);
    ctn_str list = CTN_STR("");
    for (size_t i = 0; i < owed.count; i++)
        list = ctn_arena_printf(k->scratch, "%.*s%s%.*s", CTN_STR_ARG(list), i ? " " : "",
                                CTN_STR_ARG(kit_call_name(k, k->scratch, &owed.calls[i])));
    if (!ctn_str_is(list, expected))
        KIT_FAIL(k, "owed is \"%.*s\", not \"%s\"", CTN_STR_ARG(list), expected);
}

/* The input is about the end of that call. */
static void name_call(ctn_input *in, const ctn_owed_call *c)
{
    in->kind = c->is_check ? CTN_IN_CHECK_ENDED : CTN_IN_CALL_ENDED;
    in->step = c->step;
    in->item = c->item;
    in->call = c->call;
    in->role = c->role;
    in->attempt = c->attempt;
}

void kit_ends(kit *k, const char *call, ctn_input in)
{
    ctn_owed_call c = kit_owed(k, call);
    name_call(&in, &c);
    int rc = decide(k, &in);
    if (rc)
        KIT_FAIL(k, "the end of %s was refused (%s): %s", call, ctn_err_name(rc), k->err.message);
}

void kit_ok(kit *k, const char *call, const char *json)
{
    kit_ends(k, call, (ctn_input){.value = kit_json(k, json), .was_sent = true});
}

void kit_fails(kit *k, const char *call, ctn_failure failure)
{
    bool was_sent = failure != CTN_FAILURE_TRANSPORT && failure != CTN_FAILURE_TIMEOUT;
    kit_ends(k, call, (ctn_input){.failure = failure, .message = CTN_STR("no luck"), .was_sent = was_sent});
}

void kit_lost(kit *k, const char *call, ctn_failure failure)
{
    kit_ends(k, call, (ctn_input){.failure = failure, .message = CTN_STR("no answer"), .was_sent = true});
}

void kit_asks(kit *k, const char *call, const char *asks, const char *continuation)
{
    kit_ends(k, call,
             (ctn_input){.asks = kit_json(k, asks),
                         .continuation = continuation ? kit_json(k, continuation) : NULL,
                         .was_sent = true});
}

void kit_accepted(kit *k, const char *call, const char *continuation)
{
    ctn_owed_call c = kit_owed(k, call);
    ctn_input in = {.kind = CTN_IN_CALL_ACCEPTED, .continuation = kit_json(k, continuation)};
    name_call(&in, &c);
    in.kind = CTN_IN_CALL_ACCEPTED;
    int rc = decide(k, &in);
    if (rc)
        KIT_FAIL(k, "that %s was accepted is refused (%s): %s", call, ctn_err_name(rc), k->err.message);
}

static void holds_as(kit *k, const char *what, const ctn_json *v, const char *expected)
{
    const char *text = v ? ctn_json_to_str(k->arena, v).ptr : NULL;
    if (!text != !expected || (text && strcmp(text, expected) != 0))
        KIT_FAIL(k, "the %s is %s, not %s", what, text ? text : "(none)", expected ? expected : "(none)");
}

void kit_goes_on(kit *k, const char *call, const char *continuation, const char *answers)
{
    ctn_owed_call c = kit_owed(k, call);
    holds_as(k, "continuation", c.continuation, continuation);
    holds_as(k, "answer", c.answers, answers);
}

void kit_late(kit *k, ctn_owed_call before, const char *json)
{
    ctn_input in = {.value = kit_json(k, json), .was_sent = true};
    name_call(&in, &before);
    kit_refused(k, CTN_E_STALE, "", in);
}

const char *kit_args(kit *k, const char *call)
{
    return ctn_json_to_str(k->arena, kit_owed(k, call).args).ptr;
}

void kit_sends(kit *k, const char *call, const char *json)
{
    const char *args = kit_args(k, call);
    if (strcmp(args, json) != 0)
        KIT_FAIL(k, "%s sends %s, not %s", call, args, json);
}

const char *kit_key(kit *k, const char *call)
{
    ctn_str key = kit_owed(k, call).key;
    assert_true(key.len > CTN_ID_TEXT_LEN + 1 && key.ptr[CTN_ID_TEXT_LEN] == '/');
    return ctn_arena_str(k->arena, ctn_str_from_offset(key, CTN_ID_TEXT_LEN + 1)).ptr;
}

/* ---- lives ---- */

static void reload(kit *k, bool was_crash)
{
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_execution *x = ctn_execution_new(arena, k->plan, k->id);
    for (size_t i = 0; i < k->count; i++) {
        ctn_entry e;
        if (ctn_record_to_entry(&k->records[i], arena, &e, &k->err) || ctn_execution_replay(x, &e, &k->err))
            KIT_FAIL(k, "the journal does not replay: %s", k->err.message);
    }
    ctn_arena_free(k->life);
    k->life = arena;
    k->x = x;
    ctn_input in = {.kind = CTN_IN_RECOVERED, .was_crash = was_crash};
    size_t since = k->count;
    if (decide(k, &in) != CTN_OK)
        advance(k, since);
}

void kit_crash(kit *k)
{
    reload(k, true);
}

void kit_crashes(kit *k, int times)
{
    for (int i = 0; i < times; i++)
        kit_crash(k);
}

void kit_restart(kit *k)
{
    reload(k, false);
}

static ctn_plan *compile(kit *k, const char *yaml, const char *document)
{
    ctn_findings findings;
    ctn_findings_init(&findings, k->arena);
    ctn_library *library = ctn_library_new(k->arena);
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    if (document)
        (void) ctn_library_add_template(library, CTN_STR("paper"), CTN_STR("paper.mustache"), ctn_str_from(document),
                                        &findings);
    (void) ctn_library_add_text(library, CTN_STR("kit.yaml"), ctn_str_from(yaml), &findings, &chain);
    if (chain)
        (void) ctn_plan_compile(k->arena, library, chain, &findings, &plan);
    for (size_t i = 0; i < findings.count; i++)
        if (findings.items[i].severity == CTN_SEVERITY_ERROR)
            fprintf(stderr, "kit.yaml:%u:%u: %.*s\n", findings.items[i].line, findings.items[i].column,
                    CTN_STR_ARG(findings.items[i].message));
    assert_non_null(plan);
    assert_int_equal(plan->unsupported.len, 0);
    return plan;
}

static void drop(kit *k)
{
    ctn_plan_done(k->plan);
    ctn_arena_free(k->life);
    ctn_arena_free(k->scratch);
    ctn_arena_free(k->arena);
    free(k->records);
    free(k);
}

/* Everything but the execution. */
static kit *make(const char *yaml, const kit_options *o)
{
    kit *k = calloc(1, sizeof *k);
    assert_non_null(k);
    k->arena = ctn_arena_new(65536);
    k->life = ctn_arena_new(65536);
    k->scratch = ctn_arena_new(65536);
    k->records = calloc(RECORDS_MAX, sizeof *k->records);
    assert_non_null(k->records);
    k->now_ms = KIT_START_MS;
    kit_chance(k, 0.5);
    k->rules = (ctn_rules){.effect_of = effect_of,
                           .gate = o->gate,
                           .gate_ctx = o->world,
                           .cached = o->cached,
                           .cached_ctx = o->world,
                           .schema_of = o->schema_of,
                           .most_of = o->most_of,
                           .retry_interrupted = o->retry_interrupted,
                           .value_bytes_max = o->value_bytes_max,
                           .context_bytes_max = o->context_bytes_max,
                           .steps_max = o->steps_max,
                           .journal_bytes_max = o->journal_bytes_max,
                           .children_max = o->children_max};
    k->plan = compile(k, yaml, o->document);
    k->args_seen = CTN_NEW_ARRAY(k->arena, ctn_str, KEYS_MAX);
    ctn_names_init(&k->keys_seen, k->arena);
    return k;
}

static const ctn_json *accept(kit *k, const ctn_json *given)
{
    const ctn_json *input = NULL;
    if (ctn_plan_accept_input(k->plan, k->arena, given, &input, &k->err))
        KIT_FAIL(k, "the input was refused: %s", k->err.message);
    return input;
}

static void begin(kit *k, const ctn_json *input, const ctn_json *going_on, bool is_queued)
{
    uint64_t seed = ++k->lives;
    ctn_rng rng = ctn_rng_seeded(&seed);
    k->id = ctn_id_new(KIT_START_MS, &rng);
    k->x = ctn_execution_new(k->life, k->plan, k->id);
    ctn_entry first =
        ctn_execution_first_entry(k->plan, k->scratch, is_queued, 1, input, NULL, NULL, (ctn_str){0}, k->now_ms);
    if (going_on) {
        assert_int_equal(ctn_execution_check_reuse(k->plan, going_on, &k->err), CTN_OK);
        ctn_execution_add_reuse(&first, k->scratch, going_on);
    }
    record(k, &first);
    advance(k, 1);
}

kit *kit_new(const char *yaml, const kit_options *options)
{
    kit_options none = {0};
    const kit_options *o = options ? options : &none;
    kit *k = make(yaml, o);
    k->yaml = yaml;
    k->options = *o;
    begin(k, accept(k, kit_json(k, o->input ? o->input : "{}")), NULL, o->is_queued);
    return k;
}

static kit *rerun(kit *old, kit_again again, ctn_rerun *ret, const ctn_json **ret_input, int *ret_rc)
{
    kit_options options = old->options;
    if (again.document)
        options.document = again.document;
    kit *k = make(again.yaml ? again.yaml : old->yaml, &options);
    k->yaml = again.yaml ? again.yaml : old->yaml;
    k->options = options;
    k->now_ms = old->now_ms;
    k->lives = old->lives;
    *ret_input = accept(k, again.input ? kit_json(k, again.input) : ctn_execution_input(old->x, k->arena));
    ctn_str writes[8], rest = ctn_str_from(again.writes);
    ctn_rerun_options o = {
        .old = old->x, .plan = k->plan, .input = *ret_input, .from_step = ctn_str_from(again.from), .writes = writes};
    while (again.writes && rest.ptr && o.write_count < 8)
        writes[o.write_count++] = ctn_str_cut(&rest, ' ');
    *ret_rc = ctn_rerun_plan(k->arena, &o, ret, &k->err);
    return k;
}

kit *kit_rerun(kit *old, kit_again again)
{
    ctn_rerun r;
    const ctn_json *input;
    int rc;
    kit *k = rerun(old, again, &r, &input, &rc);
    if (rc)
        KIT_FAIL(old, "the rerun was refused (%s): %s", ctn_err_name(rc), k->err.message);
    begin(k, input, r.going_on, again.is_queued);
    k->next = old->reruns;
    old->reruns = k;
    return k;
}

void kit_rerun_refused(kit *old, int rc, const char *part, kit_again again)
{
    ctn_rerun r;
    const ctn_json *input;
    int got;
    kit *k = rerun(old, again, &r, &input, &got);
    if (got != rc)
        KIT_FAIL(old, "it said %s (%s), not %s", ctn_err_name(got), k->err.message, ctn_err_name(rc));
    if (!strstr(k->err.message, part))
        KIT_FAIL(old, "it said \"%s\", which does not hold \"%s\"", k->err.message, part);
    drop(k);
}

void kit_free(kit *k)
{
    while (k->reruns) {
        kit *again = k->reruns;
        k->reruns = again->next;
        kit_free(again);
    }
    kit_check_why(k);
    drop(k);
}
