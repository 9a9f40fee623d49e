/*
 * generate.c -- a chain is drawn as a description first and then written down. What a step may read follows from
 * who comes before it; a parallel step chooses what it reads first, for that decides who comes before it.
 */
#include "sim/generate.h"

#include "base/buf.h"
#include "sim/chance.h"

#include <stdio.h>

typedef struct generator {
    uint64_t chance;
    bool in_foreach; /* what is written now may read {it} */
    spec *s;
    ctn_buf steps, sets; /* the two halves of the file */
    ctn_arena *arena;
} generator;

static bool often(generator *g, int percent)
{
    return chance_percent(&g->chance, percent);
}

static int64_t between(generator *g, int64_t from, int64_t to)
{
    return chance_between(&g->chance, from, to);
}

int64_t spec_value_of(ctn_str key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char) key.ptr[i]) * 0x100000001b3u;
    return (int64_t) (hash >> 32) % 10;
}

int64_t spec_item_count(const spec_step *step, int64_t n)
{
    return step->items == SPEC_LIST ? n % 5 : step->items == SPEC_RANGE ? n : 0;
}

ctn_effect spec_driver_effect(ctn_str target)
{
    static const struct {
        const char *prefix;
        ctn_effect effect;
    } classes[] = {{"none_", CTN_EFFECT_NONE},       {"read_", CTN_EFFECT_READ},       {"check_", CTN_EFFECT_READ},
                   {"idem_", CTN_EFFECT_IDEMPOTENT}, {"undo_", CTN_EFFECT_IDEMPOTENT}, {"write_", CTN_EFFECT_WRITE},
                   {"wundo_", CTN_EFFECT_WRITE}};
    size_t slash = ctn_str_find(target, CTN_STR("/"));
    ctn_str name = slash == SIZE_MAX ? target : ctn_str_from_offset(target, slash + 1);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (ctn_str_starts_with(name, ctn_str_from(classes[i].prefix)))
            return classes[i].effect;
    return CTN_EFFECT_UNKNOWN;
}

/* ---- who comes before whom ---- */

static uint32_t before(const spec *s, int i, uint32_t predecessors)
{
    uint32_t all = predecessors;
    for (int k = 0; k < i; k++)
        if ((predecessors >> k) & 1u)
            all |= s->steps[k].ancestors;
    return all;
}

/* A step whose variable may be read, out of a set of steps; -1: none of them gives one. */
static int pick_variable(generator *g, uint32_t among)
{
    int candidates[SPEC_STEPS_MAX], count = 0;
    for (int i = 0; i < g->s->step_count; i++)
        if (((among >> i) & 1u) && g->s->steps[i].gives_variable)
            candidates[count++] = i;
    return count ? candidates[chance_below(&g->chance, (uint64_t) count)] : -1;
}

/* What it reads, as bits: up to three earlier variables. */
static uint32_t draw_reads(generator *g, uint32_t among)
{
    uint32_t reads = 0;
    for (int64_t n = between(g, 0, 3); n > 0; n--) {
        int from = pick_variable(g, among);
        if (from >= 0)
            reads |= 1u << from;
    }
    return reads;
}

typedef enum ordering { ORDER_BARRIER, ORDER_PARALLEL, ORDER_DEPENDS } ordering;

/* A parallel step that is to read something reads all of it in its inputTemplate: that is its order. */
static ordering draw_order(generator *g, int i, const ordering *orders, bool reads_none, uint32_t *ret_reads)
{
    spec_step *step = &g->s->steps[i];
    uint32_t earlier = (1u << i) - 1u;
    ordering order = i && often(g, 20) ? ORDER_DEPENDS : often(g, 40) ? ORDER_PARALLEL : ORDER_BARRIER;
    if (order == ORDER_BARRIER) {
        step->predecessors = earlier;
    } else if (order == ORDER_DEPENDS) {
        for (int64_t n = between(g, 0, 3); n > 0; n--)
            step->predecessors |= 1u << between(g, 0, i - 1);
    } else {
        *ret_reads = reads_none ? 0 : draw_reads(g, earlier);
        int barrier = i - 1;
        while (barrier >= 0 && orders[barrier] != ORDER_BARRIER)
            barrier--;
        if (barrier >= 0)
            step->predecessors = 1u << barrier;
        step->predecessors |= *ret_reads & ~((1u << (barrier + 1)) - 1u) & earlier;
    }
    step->is_parallel = order == ORDER_PARALLEL || (order == ORDER_DEPENDS && often(g, 30));
    step->ancestors = before(g->s, i, step->predecessors);
    if (order != ORDER_PARALLEL && !reads_none)
        *ret_reads = draw_reads(g, step->ancestors);
    return order;
}

/* ---- sets ---- */

/* A call's target is CLASS_STEP with a suffix: the call of several, the fallback. */
static void draw_call(generator *g, spec_call *c, int step, int nth, bool is_undo, bool several, const char **ret_word)
{
    static const char *const classes[] = {"read", "read", "idem", "idem", "write", "write", "write", "none", "plain"};
    const char *class = is_undo ? (often(g, 75) ? "undo" : "wundo") : CHANCE_OF(&g->chance, classes);
    c->is_native = !several && !is_undo && often(g, 12);
    char suffix[16] = "";
    if (several) {
        snprintf(c->name, sizeof c->name, "c%d", nth);
        snprintf(suffix, sizeof suffix, "_c%d", nth);
    }
    snprintf(c->target, sizeof c->target, "%s%s_%d%s", c->is_native ? "" : "sim/", class, step, suffix);
    c->effect = spec_driver_effect(ctn_str_from(c->target));
    if (c->effect != CTN_EFFECT_UNKNOWN)
        return;
    if (several || often(g, 30)) {
        c->effect = CTN_EFFECT_WRITE; /* assumed */
        return;
    }
    c->effect = (ctn_effect) between(g, CTN_EFFECT_NONE, CTN_EFFECT_WRITE);
    *ret_word = ctn_effect_name(c->effect);
}

static void write_call(generator *g, const spec_call *c, uint32_t reads)
{
    ctn_buf_printf(&g->sets, "%s: %s", c->is_native ? "native" : "tool", c->target);
    if (often(g, 50))
        return; /* the default arguments */
    ctn_buf_append_literal(&g->sets, ", arguments: {key: \"{step.key}\", at: \"{now}\", in: \"{input?}\"");
    if (g->in_foreach)
        ctn_buf_append_literal(&g->sets, ", it: \"{it}\"");
    for (int i = 0; i < SPEC_STEPS_MAX; i++)
        if ((reads >> i) & 1u)
            ctn_buf_printf(&g->sets, ", a%d: \"{v%d%s}\"", i, i, often(g, 50) ? "?" : " | default(0)");
    ctn_buf_append_literal(&g->sets, "}");
}

static void draw_calls(generator *g, spec_work *w, int step, const char *prefix, uint32_t reads, bool is_undo)
{
    const char *word = NULL;
    w->kind = w->kind != SPEC_VALUE && often(g, 25) ? SPEC_CALLS : SPEC_CALL;
    w->call_count = w->kind == SPEC_CALLS ? (int) between(g, 2, SPEC_CALLS_MAX) : 1;
    bool any_write = false;
    for (int i = 0; i < w->call_count; i++) {
        draw_call(g, &w->calls[i], step, i, is_undo, w->kind == SPEC_CALLS, &word);
        w->calls[i].takes_second = i == 1;
        any_write = any_write || w->calls[i].effect == CTN_EFFECT_WRITE;
    }
    ctn_buf_printf(&g->sets, "  %s%d: {", prefix, step);
    if (w->kind == SPEC_CALL) {
        write_call(g, &w->calls[0], reads);
    } else {
        ctn_buf_append_literal(&g->sets, "calls: {");
        for (int i = 0; i < w->call_count; i++) {
            ctn_buf_printf(&g->sets, "%s%s: {", i ? ", " : "", w->calls[i].name);
            write_call(g, &w->calls[i], reads);
            ctn_buf_append_literal(&g->sets, "}");
        }
        ctn_buf_append_literal(&g->sets, "}");
    }
    if (word)
        ctn_buf_printf(&g->sets, ", effect: %s", word);
    w->settle_ms = 30000;
    w->has_check = any_write && often(g, 60);
    if (w->has_check) {
        ctn_buf_printf(&g->sets, ", check: {tool: sim/check_%d%s, arguments: {key: \"{step.key}\"}}", step,
                       is_undo ? "u" : "");
        if (often(g, 80)) {
            static const int64_t spans[] = {0, 500, 1000, 2000, 8000, 8000};
            w->settle_ms = CHANCE_OF(&g->chance, spans);
            ctn_buf_printf(&g->sets, ", settleMs: %lld", (long long) w->settle_ms);
        }
    }
    ctn_buf_append_literal(&g->sets, "}\n");
}

static void draw_wait(generator *g, spec_work *w, int step)
{
    static const int64_t spans[] = {0, 5, 200, 5000, 60000, 3600000, 86400000};
    w->wait_ms = CHANCE_OF(&g->chance, spans);
    ctn_buf_printf(&g->sets, "  do%d: {wait: {ms: %lld}}\n", step, (long long) w->wait_ms);
}

static void draw_approval(generator *g, spec_work *w, int step)
{
    static const char *const words[] = {"fail", "reject", "approve"};
    ctn_buf_printf(&g->sets, "  do%d: {approval: {message: \"step %d?\"", step, step);
    if (often(g, 30))
        ctn_buf_append_literal(&g->sets, ", who: [sam, desk]");
    if (often(g, 60)) {
        w->answer_timeout_ms = between(g, 1, 40) * 500;
        w->on_timeout = (spec_on_timeout) between(g, SPEC_TIMEOUT_FAILS, SPEC_TIMEOUT_APPROVES);
        ctn_buf_printf(&g->sets, ", timeoutMs: %lld, onTimeout: %s", (long long) w->answer_timeout_ms,
                       words[w->on_timeout]);
    }
    ctn_buf_append_literal(&g->sets, "}}\n");
}

/* ---- steps ---- */

static void draw_condition(generator *g, spec_step *step, uint32_t reads)
{
    int from = pick_variable(g, reads);
    char path[8] = "n";
    if (from >= 0)
        snprintf(path, sizeof path, "v%d", from);
    spec_condition *c = &step->condition;
    c->reads = from;
    c->number = between(g, 0, 9);
    c->test = from >= 0 && g->s->steps[from].work.kind == SPEC_APPROVAL
                  ? SPEC_TRUE
                  : (spec_test) between(g, SPEC_ABOVE, SPEC_AMONG);
    ctn_buf_append_literal(&g->steps, ", conditionalExecution: \"");
    long long n = (long long) c->number;
    switch (c->test) {
    case SPEC_ABOVE: ctn_buf_printf(&g->steps, "{%s} > %lld", path, n); break;
    case SPEC_EQUAL: ctn_buf_printf(&g->steps, "%s == %lld", path, n); break;
    case SPEC_NOT_EQUAL: ctn_buf_printf(&g->steps, "{%s} != %lld", path, n); break;
    case SPEC_EXISTS: ctn_buf_printf(&g->steps, "exists({%s})", path); break;
    case SPEC_AMONG: ctn_buf_printf(&g->steps, "{%s} in [%lld, 3, 5, 7]", path, n); break;
    case SPEC_TRUE: ctn_buf_printf(&g->steps, "{%s}", path); break;
    case SPEC_ALWAYS: break;
    }
    c->if_true = SPEC_RUN;
    c->if_false = SPEC_SKIP;
    if (often(g, 50)) {
        static const char *const words[] = {"continue", "skip", "fail"};
        c->if_true = often(g, 60) ? SPEC_RUN : often(g, 80) ? SPEC_SKIP : SPEC_FAIL;
        c->if_false = c->if_true == SPEC_RUN ? (often(g, 90) ? SPEC_SKIP : SPEC_FAIL) : SPEC_RUN;
        ctn_buf_printf(&g->steps, " ? %s : %s", words[c->if_true], words[c->if_false]);
    }
    ctn_buf_append_literal(&g->steps, "\"");
}

static void draw_retry(generator *g, spec_step *step)
{
    static const double multipliers[] = {1, 2, 2, 3.5}, jitters[] = {0, 0.1, 0.5};
    step->multiplier = CHANCE_OF(&g->chance, multipliers);
    step->jitter = CHANCE_OF(&g->chance, jitters);
    step->max_retries = between(g, 1, 4);
    step->backoff_ms = between(g, 1, 40) * 25;
    step->max_backoff_ms = often(g, 30) ? 1500 : 60000;
    ctn_buf_printf(&g->steps, ", retryConfig: {maxRetries: %lld, backoffMs: %lld, multiplier: %g, jitter: %g",
                   (long long) step->max_retries, (long long) step->backoff_ms, step->multiplier, step->jitter);
    if (step->max_backoff_ms == 1500)
        ctn_buf_append_literal(&g->steps, ", maxBackoffMs: 1500");
    if (often(g, 40)) {
        step->retry_on = 1u << CTN_FAILURE_TOOL_ERROR;
        ctn_buf_append_literal(&g->steps, ", retryOn: [tool_error]");
    }
    ctn_buf_append_literal(&g->steps, "}");
}

static void write_outputs(generator *g, const spec_step *step, int i)
{
    const spec_work *w = &step->work;
    if (!step->gives_variable)
        return;
    if (w->kind == SPEC_APPROVAL)
        ctn_buf_printf(&g->steps, ", outputVariables: {v%d: approved", i);
    else if (w->kind == SPEC_CALLS)
        ctn_buf_printf(&g->steps, ", outputVariables: {v%d: c0.value, w%d: c1.value", i, i);
    else
        ctn_buf_printf(&g->steps, ", outputVariables: {v%d: value", i);
    if (step->has_document)
        ctn_buf_printf(&g->steps, ", d%d: text}, templateId: letter-%d", i, i);
    else
        ctn_buf_append_literal(&g->steps, "}");
}

static void write_document(generator *g, int i, uint32_t reads)
{
    ctn_buf text;
    ctn_buf_init(&text, 4096);
    ctn_buf_printf(&text, "---\ncontentType: text/plain\nvariable: d%d\n---\nStep %d gave {{v%d}}", i, i, i);
    for (int k = 0; k < i; k++)
        if ((reads >> k) & 1u)
            ctn_buf_printf(&text, ", before it {{v%d}}", k);
    ctn_buf_append_literal(&text, ".\n");
    spec *s = g->s;
    s->documents[s->document_count].name = ctn_arena_printf(g->arena, "letter-%d.mustache", i);
    s->documents[s->document_count++].text = ctn_arena_str(g->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
}

static void draw_fallbacks(generator *g, spec_step *step, int i, uint32_t reads)
{
    step->fallback_count = (int) between(g, 1, SPEC_FALLBACKS_MAX);
    const char *comma = "";
    ctn_buf_append_literal(&g->steps, ", fallback: [");
    for (int k = 0; k < step->fallback_count; k++) {
        spec_work *w = &step->fallbacks[k];
        w->kind = SPEC_VALUE; /* not several: its result is taken as the first set's is */
        if (often(g, 30)) {
            w->value = between(g, 0, 9);
            ctn_buf_printf(&g->steps, "%s{value: {value: %lld}}", comma, (long long) w->value);
        } else {
            char prefix[16];
            snprintf(prefix, sizeof prefix, "other%d_", k);
            draw_calls(g, w, i, prefix, reads, false);
            ctn_buf_printf(&g->steps, "%s{instructionSet: other%d_%d}", comma, k, i);
        }
        comma = ", ";
    }
    ctn_buf_append_literal(&g->steps, "]");
}

static void draw_work(generator *g, spec_step *step, int i, uint32_t reads)
{
    step->gives_variable = step->work.kind != SPEC_WAIT;
    if (step->work.kind == SPEC_WAIT) {
        draw_wait(g, &step->work, i);
        return;
    }
    if (step->work.kind == SPEC_APPROVAL) {
        draw_approval(g, &step->work, i);
        return;
    }
    if (step->work.kind == SPEC_AGENT) {
        ctn_buf_printf(
            &g->sets,
            "  do%d: {agent: {instructions: \"Say a number.\", outputSchema: {type: object, required: [value], "
            "properties: {value: {type: integer}}}}}\n",
            i);
        return;
    }
    if (often(g, 18)) {
        step->items = often(g, 50) ? SPEC_LIST : SPEC_RANGE;
        step->max_concurrency = (int) between(g, 1, 4);
        ctn_buf_printf(&g->steps, ", foreach: {items: %s, as: it, maxConcurrency: %d}",
                       step->items == SPEC_LIST ? "\"{list}\"" : "{range: [0, \"{n}\"]}", step->max_concurrency);
    }
    g->in_foreach = step->items != SPEC_ONE;
    draw_calls(g, &step->work, i, "do", reads, false);
    step->has_document = !g->in_foreach && often(g, 12);
    if (step->has_document)
        write_document(g, i, reads);
    if (step->work.kind == SPEC_CALL && !step->has_document && often(g, 20))
        draw_fallbacks(g, step, i, reads);
    step->is_cached = step->work.kind == SPEC_CALL && step->work.calls[0].effect <= CTN_EFFECT_READ &&
                      !step->fallback_count && often(g, 40);
    if (step->is_cached)
        ctn_buf_printf(&g->steps, ", cache: {ttlMs: %lld}", (long long) between(g, 1, 20) * 1000);
    if (step->work.kind == SPEC_CALL && often(g, 15))
        ctn_buf_append_literal(&g->steps, ", outputSchema: {type: object, required: [value]}");
    g->in_foreach = false;
}

static void draw_care(generator *g, spec_step *step, int i)
{
    static const char *const policies[] = {"ask", "retry", "fail"};
    bool calls = step->work.kind == SPEC_CALL || step->work.kind == SPEC_CALLS;
    step->multiplier = 1;
    if (calls && often(g, 50))
        draw_retry(g, step);
    step->continues = often(g, 12);
    if (step->continues)
        ctn_buf_append_literal(&g->steps, ", onError: continue");
    step->says_policy = often(g, 30);
    if (step->says_policy) {
        step->policy = (spec_policy) between(g, SPEC_ASK, SPEC_GIVE_UP);
        ctn_buf_printf(&g->steps, ", onInterrupted: %s", policies[step->policy]);
    }
    if (calls && often(g, 15)) {
        step->timeout_ms = between(g, 1, 20) * 100;
        ctn_buf_printf(&g->steps, ", timeoutMs: %lld", (long long) step->timeout_ms);
    }
    step->has_undo = calls && often(g, 45);
    if (!step->has_undo)
        return;
    g->in_foreach = step->items != SPEC_ONE;
    draw_calls(g, &step->undo, i, "undo", 0, true);
    g->in_foreach = false;
    ctn_buf_printf(&g->steps, ", rollbackAction: undo%d", i);
    if (often(g, 20))
        ctn_buf_printf(&g->steps, ", rollbackTemplate: \"v%d was {v%d?}\"", i, i);
}

static void draw_step(generator *g, int i, ordering *orders)
{
    spec_step *step = &g->s->steps[i];
    uint32_t reads = 0;
    snprintf(step->name, sizeof step->name, "s%d", i);
    step->work.kind = often(g, 8) ? SPEC_WAIT : often(g, 9) ? SPEC_APPROVAL : often(g, 4) ? SPEC_AGENT : SPEC_CALL;
    orders[i] = draw_order(g, i, orders, step->work.kind != SPEC_CALL, &reads);
    g->s->step_count = i + 1;
    ctn_buf_printf(&g->steps, "  - {stepName: s%d, instructionSet: do%d", i, i);
    if (orders[i] == ORDER_DEPENDS) {
        ctn_buf_append_literal(&g->steps, ", dependsOn: [");
        const char *comma = "";
        for (int k = 0; k < i; k++)
            if ((step->predecessors >> k) & 1u) {
                ctn_buf_printf(&g->steps, "%ss%d", comma, k);
                comma = ", ";
            }
        ctn_buf_append_literal(&g->steps, "]");
    }
    if (step->is_parallel)
        ctn_buf_append_literal(&g->steps, ", parallelExecution: true");
    draw_work(g, step, i, reads);
    write_outputs(g, step, i);
    if (step->work.call_count && (often(g, 60) || (orders[i] == ORDER_PARALLEL && reads))) {
        ctn_buf_append_literal(&g->steps, ", inputTemplate: \"do {n} of {text}");
        for (int k = 0; k < i; k++)
            if ((reads >> k) & 1u)
                ctn_buf_printf(&g->steps, " {v%d%s}", k, often(g, 5) ? "" : often(g, 50) ? "?" : " | default(0)");
        ctn_buf_append_literal(&g->steps, "\"");
    }
    if (often(g, 30))
        draw_condition(g, step, reads);
    draw_care(g, step, i);
    ctn_buf_append_literal(&g->steps, "}\n");
}

/* ---- the chain ---- */

static void write_chain(generator *g, ctn_buf *out, int number)
{
    spec *s = g->s;
    bool any_undo = false;
    for (int i = 0; i < s->step_count; i++)
        any_undo = any_undo || s->steps[i].has_undo;
    s->is_rollback_enabled = any_undo;
    ctn_buf_printf(out, "id: chain-%d\n", number);
    if (any_undo && often(g, 10)) {
        s->is_rollback_enabled = false;
        ctn_buf_append_literal(out, "rollbackEnabled: false\n");
    }
    if (often(g, 15)) {
        s->timeout_ms = between(g, 1, 60) * 500;
        ctn_buf_printf(out, "timeoutMs: %lld\n", (long long) s->timeout_ms);
    }
    if (often(g, 20))
        ctn_buf_printf(out, "priority: %lld\n", (long long) between(g, 0, 9));
    if (often(g, 12)) {
        s->max_concurrent = (int) between(g, 1, 3);
        ctn_buf_printf(out, "maxConcurrent: %d\n", s->max_concurrent);
    }
    if (often(g, 12)) {
        s->line = often(g, 50) ? SPEC_KEY_ALL : SPEC_KEY_N;
        ctn_buf_printf(out, "concurrencyKey: \"%s\"\n", s->line == SPEC_KEY_ALL ? "{text}" : "line {n}");
    }
    s->says_outputs = often(g, 40);
    if (s->says_outputs) {
        bool as_map = often(g, 50);
        const char *comma = "";
        ctn_buf_printf(out, "outputs: %s", as_map ? "{" : "[");
        for (int i = 0; i < s->step_count; i++)
            if (s->steps[i].gives_variable && often(g, 60)) {
                s->outputs |= 1u << i;
                if (as_map)
                    ctn_buf_printf(out, "%sv%d: \"{v%d}\"", comma, i, i);
                else
                    ctn_buf_printf(out, "%sv%d", comma, i);
                comma = ", ";
            }
        ctn_buf_printf(out, "%s\n", as_map ? "}" : "]");
    }
    ctn_buf_append_literal(out, "steps:\n");
    ctn_buf_append(out, ctn_buf_str(&g->steps));
    ctn_buf_append_literal(out, "instructionSets:\n");
    ctn_buf_append(out, ctn_buf_str(&g->sets));
}

spec *spec_generate(ctn_arena *arena, uint64_t seed, int number)
{
    generator g = {.chance = seed * 0x9E3779B97F4A7C15u + (uint64_t) number, .arena = arena, .s = CTN_NEW(arena, spec)};
    ordering orders[SPEC_STEPS_MAX];
    ctn_buf text;
    ctn_buf_init(&g.steps, 65536);
    ctn_buf_init(&g.sets, 65536);
    ctn_buf_init(&text, 262144);
    int64_t count = often(&g, 50) ? between(&g, 1, 5) : between(&g, 2, SPEC_STEPS_MAX);
    for (int i = 0; i < (int) count; i++)
        draw_step(&g, i, orders);
    write_chain(&g, &text, number);
    g.s->text = ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&g.steps);
    ctn_buf_done(&g.sets);
    ctn_buf_done(&text);
    return g.s;
}
