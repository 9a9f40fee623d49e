/*
 * picture.c -- see picture.h. What must hold: a line is left out exactly when other lines lead the same way, so that
 * "there is a way down from a to b" means "b waits for a".
 */
#include "draw/picture.h"

#define LIST_MAX 4096 /* bytes of a list of names in a tooltip */

/* ---- words ---- */

/* In the largest unit that is exact: "250 ms", "90 s", "10 min", "1 h", "7 d". */
static ctn_str span_text(ctn_arena *arena, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } UNITS[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (ms && ms % UNITS[i].ms == 0)
            return ctn_arena_printf(arena, "%lld %s", (long long) (ms / UNITS[i].ms), UNITS[i].unit);
    return ctn_arena_printf(arena, "%lld ms", (long long) ms);
}

static ctn_str text_of(ctn_arena *arena, const ctn_json *v)
{
    return ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : v ? ctn_json_to_str(arena, v) : (ctn_str){0};
}

/* "a, b, c", and "..." where it grows too long. */
typedef struct name_list {
    ctn_buf text;
    bool is_cut;
} name_list;

static void list_begin(name_list *l)
{
    ctn_buf_init(&l->text, LIST_MAX + 1024);
    l->is_cut = false;
}

static void list_add(name_list *l, ctn_str name, const char *suffix)
{
    if (l->is_cut)
        return;
    if (l->text.len)
        ctn_buf_append_literal(&l->text, ", ");
    l->is_cut = l->text.len + name.len > LIST_MAX;
    if (l->is_cut)
        ctn_buf_append_literal(&l->text, "...");
    else {
        ctn_buf_append(&l->text, name);
        ctn_buf_append(&l->text, ctn_str_from(suffix));
    }
}

static ctn_str list_end(name_list *l, ctn_arena *arena)
{
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&l->text));
    ctn_buf_done(&l->text);
    return kept;
}

static ctn_str names_of(ctn_arena *arena, const ctn_json *names)
{
    name_list l;
    list_begin(&l);
    for (size_t i = 0; i < ctn_json_count(names); i++)
        list_add(&l, ctn_json_text(ctn_json_at(names, i)), "");
    return list_end(&l, arena);
}

/* ---- a step ---- */

static ctn_str about_calls(ctn_arena *arena, const ctn_graph_step *step)
{
    const ctn_instruction_set *set = step->set;
    name_list l;
    list_begin(&l);
    for (uint32_t i = 0; i < set->call_count; i++)
        list_add(&l, text_of(arena, set->calls[i].detail), "");
    bool is_at_once = step->step->is_parallel == CTN_SAID_TRUE;
    ctn_str calls = list_end(&l, arena);
    return ctn_arena_printf(arena, "%u call%s %s: %.*s", set->call_count, set->call_count == 1 ? "" : "s",
                            is_at_once ? "at once" : "in turn", CTN_STR_ARG(calls));
}

static ctn_str about_wait(ctn_arena *arena, const ctn_work *work)
{
    if (work->until.node)
        return ctn_arena_printf(arena, "until %.*s", CTN_STR_ARG(text_of(arena, work->until.node)));
    return work->wait_ms >= 0 ? span_text(arena, work->wait_ms) : (ctn_str){0};
}

static ctn_str about_approval(ctn_arena *arena, const ctn_work *work)
{
    if (!work->who)
        return CTN_STR("by anybody");
    ctn_str who = names_of(arena, work->who);
    return ctn_arena_printf(arena, "by %.*s", CTN_STR_ARG(who));
}

static ctn_str about_of(ctn_arena *arena, const ctn_graph_step *step)
{
    const ctn_work *work = &step->set->work;
    switch (work->kind) {
    case CTN_WORK_CALLS: return about_calls(arena, step);
    case CTN_WORK_WAIT: return about_wait(arena, work);
    case CTN_WORK_APPROVAL: return about_approval(arena, work);
    case CTN_WORK_TRANSFORM: return (ctn_str){0};
    default: return text_of(arena, ctn_work_subject(work->kind, work->detail));
    }
}

static void add_badge(ctn_picture_step *p, ctn_str text, ctn_str title)
{
    p->badges[p->badge_count] = text;
    p->badge_titles[p->badge_count++] = title;
}

#define BADGES_MAX 12

static void add_failure_badges(ctn_arena *arena, const ctn_chain_step *s, ctn_picture_step *p)
{
    if (s->retry.node && s->retry.max_retries)
        add_badge(p, ctn_arena_printf(arena, "retry %lldx", (long long) s->retry.max_retries),
                  ctn_arena_printf(arena, "tried again up to %lld times, the first time after %.*s",
                                   (long long) s->retry.max_retries,
                                   CTN_STR_ARG(span_text(arena, s->retry.backoff_ms))));
    if (s->timeout_ms)
        add_badge(p, ctn_arena_printf(arena, "timeout %.*s", CTN_STR_ARG(span_text(arena, s->timeout_ms))),
                  CTN_STR("an attempt may take so long"));
    if (s->idle_timeout_ms)
        add_badge(p, ctn_arena_printf(arena, "idle %.*s", CTN_STR_ARG(span_text(arena, s->idle_timeout_ms))),
                  CTN_STR("an attempt may show no progress for so long"));
    if (s->fallback_count)
        add_badge(p,
                  s->fallback_count == 1 ? CTN_STR("fallback")
                                         : ctn_arena_printf(arena, "fallback %ux", s->fallback_count),
                  CTN_STR("what is taken instead when the work fails for good"));
    if (s->on_error == CTN_ON_ERROR_CONTINUE)
        add_badge(p, CTN_STR("on error: continue"),
                  CTN_STR("when it fails, its variables are null and the chain goes on"));
    if (s->on_interrupted)
        add_badge(p,
                  ctn_arena_printf(arena, "interrupted: %s",
                                   s->on_interrupted == 1   ? "ask"
                                   : s->on_interrupted == 2 ? "retry"
                                                            : "fail"),
                  CTN_STR("what is done when nobody knows whether a call happened"));
}

static void add_badges(ctn_arena *arena, const ctn_graph_step *step, ctn_picture_step *p)
{
    const ctn_chain_step *s = step->step;
    p->badges = CTN_NEW_ARRAY(arena, ctn_str, BADGES_MAX);
    p->badge_titles = CTN_NEW_ARRAY(arena, ctn_str, BADGES_MAX);
    add_failure_badges(arena, s, p);
    if (s->cache.node)
        add_badge(p, ctn_arena_printf(arena, "cache %.*s", CTN_STR_ARG(span_text(arena, s->cache.ttl_ms))),
                  CTN_STR("the result of an equal call is taken for so long"));
    if (step->set->work.kind == CTN_WORK_APPROVAL && step->set->work.answer_timeout_ms)
        add_badge(
            p,
            ctn_arena_printf(arena, "deadline %.*s", CTN_STR_ARG(span_text(arena, step->set->work.answer_timeout_ms))),
            CTN_STR("so long it waits for the answer"));
    if (s->template_id)
        add_badge(p, ctn_arena_printf(arena, "document: %.*s", CTN_STR_ARG(ctn_json_text(s->template_id))),
                  CTN_STR("rendered after the step"));
    if (s->rollback_action)
        add_badge(p, ctn_arena_printf(arena, "undo: %.*s", CTN_STR_ARG(ctn_json_text(s->rollback_action))),
                  CTN_STR("what undoes it when the chain fails later"));
    else if (s->no_undo)
        add_badge(p, CTN_STR("no undo"), ctn_json_text(s->no_undo));
}

static ctn_str foreach_of(ctn_arena *arena, const ctn_chain_foreach *f)
{
    if (!f->node)
        return (ctn_str){0};
    ctn_str as = f->as ? ctn_json_text(f->as) : CTN_STR("item");
    ctn_str at_once = f->max_concurrency > 1 ? ctn_arena_printf(arena, ", %lld at once", (long long) f->max_concurrency)
                                             : (ctn_str){0};
    ctn_str items = text_of(arena, f->items.node ? f->items.node : f->range.node);
    return ctn_arena_printf(arena, "each %.*s of %s%.*s%.*s", CTN_STR_ARG(as), f->items.node ? "" : "range ",
                            CTN_STR_ARG(items), CTN_STR_ARG(at_once));
}

/* ---- who writes what ---- */

static ctn_str reads_of(ctn_graph *g, uint32_t step, uint32_t *seen, ctn_arena *arena)
{
    const ctn_graph_reads *reads = &g->steps[step].reads;
    name_list l;
    list_begin(&l);
    for (uint32_t i = 0; i < reads->count; i++) {
        uint32_t v = reads->items[i].variable;
        if (seen[v] == step + 1)
            continue;
        seen[v] = step + 1;
        name_list from;
        list_begin(&from);
        for (uint32_t k = 0; k < g->writers[v].count; k++) {
            uint32_t writer = g->writers[v].items[k];
            if (ctn_graph_precedes(g, writer, step))
                list_add(&from, g->steps[writer].step->name, "");
        }
        if (g->is_input[v])
            list_add(&from, CTN_STR("input"), "");
        ctn_str origin = list_end(&from, arena);
        ctn_str suffix = origin.len ? ctn_arena_printf(arena, " (%.*s)", CTN_STR_ARG(origin)) : CTN_STR("");
        list_add(&l, g->variables.items[v], suffix.ptr);
    }
    return list_end(&l, arena);
}

static void describe_step(ctn_graph *g, uint32_t at, const ctn_check_options *options, ctn_arena *arena,
                          ctn_picture_step *p)
{
    const ctn_graph_step *step = &g->steps[at];
    name_list writes;
    *p = (ctn_picture_step){.name = step->step->name, .set = step->set->name, .kind = step->set->work.kind};
    p->about = about_of(arena, step);
    p->effect = ctn_check_effect(step->set, options, &p->is_assumed);
    p->condition = step->step->condition.node ? step->step->condition.text : (ctn_str){0};
    p->foreach = foreach_of(arena, &step->step->foreach);
    list_begin(&writes);
    for (uint32_t i = 0; i < step->write_count; i++)
        list_add(&writes, g->variables.items[step->writes[i]], "");
    p->writes = list_end(&writes, arena);
    add_badges(arena, step, p);
}

/* ---- lines ---- */

/* The predecessors that no other predecessor has among its ancestors; what is returned is their number, at the front of
 * `kept`. */
static uint32_t direct_predecessors(const ctn_graph *g, uint32_t step, uint64_t *implied, uint32_t *kept)
{
    const ctn_graph_step *s = &g->steps[step];
    size_t words = ((size_t) g->step_count + 63) / 64;
    uint32_t count = 0;
    if (s->predecessor_count > 1) {
        memset(implied, 0, words * sizeof *implied);
        for (uint32_t i = 0; i < s->predecessor_count; i++) {
            const uint64_t *row = g->ancestors + words * s->predecessors[i];
            for (size_t k = 0; k < words; k++)
                implied[k] |= row[k];
        }
    }
    for (uint32_t i = 0; i < s->predecessor_count; i++) {
        uint32_t p = s->predecessors[i];
        bool is_again = false; /* named twice: it is kept once, for it is marked as implied then */
        if (s->predecessor_count > 1) {
            is_again = (implied[p / 64] >> (p % 64)) & 1;
            implied[p / 64] |= UINT64_C(1) << (p % 64);
        }
        if (!is_again)
            kept[count++] = p;
    }
    return count;
}

/* What step `from` writes of what is marked with `mark`. */
static ctn_str carried(const ctn_graph *g, uint32_t from, const uint32_t *marks, uint32_t mark, ctn_arena *arena)
{
    name_list l;
    list_begin(&l);
    for (uint32_t i = 0; i < g->steps[from].write_count; i++)
        if (marks[g->steps[from].writes[i]] == mark)
            list_add(&l, g->variables.items[g->steps[from].writes[i]], "");
    return list_end(&l, arena);
}

static ctn_str inputs_read(const ctn_graph *g, const uint32_t *marks, uint32_t mark, ctn_arena *arena)
{
    name_list l;
    list_begin(&l);
    for (uint32_t i = 0; i < g->input_count; i++)
        if (marks[g->inputs[i].variable] == mark)
            list_add(&l, g->variables.items[g->inputs[i].variable], "");
    return list_end(&l, arena);
}

static void add_edge(ctn_picture *p, size_t *capacity, ctn_arena *arena, ctn_picture_edge edge)
{
    p->edges = ctn_arena_room(arena, p->edges, p->edge_count, capacity, sizeof *p->edges);
    p->edges[p->edge_count++] = edge;
}

static void connect_steps(ctn_picture *p, ctn_graph *g, ctn_arena *arena)
{
    size_t capacity = 0;
    uint32_t n = g->step_count, *kept = CTN_NEW_ARRAY(arena, uint32_t, n + 1),
             *marks = CTN_NEW_ARRAY(arena, uint32_t, (size_t) g->variables.count + 1);
    uint64_t *implied = CTN_NEW_ARRAY(arena, uint64_t, (size_t) n / 64 + 1);
    bool *has_successor = CTN_NEW_ARRAY(arena, bool, n + 1);
    (void) ctn_graph_precedes(g, 0, 0); /* the rows of ancestors are there from now on */
    for (uint32_t s = 0; s < n; s++) {
        for (uint32_t i = 0; i < g->steps[s].reads.count; i++)
            marks[g->steps[s].reads.items[i].variable] = s + 1;
        uint32_t count = direct_predecessors(g, s, implied, kept);
        for (uint32_t i = 0; i < count; i++) {
            has_successor[kept[i]] = true;
            add_edge(p, &capacity, arena, (ctn_picture_edge){kept[i], s, carried(g, kept[i], marks, s + 1, arena)});
        }
        if (count == 0)
            add_edge(p, &capacity, arena, (ctn_picture_edge){p->inputs_node, s, inputs_read(g, marks, s + 1, arena)});
    }
    for (uint32_t i = 0; i < p->output_count; i++) {
        uint32_t v = ctn_names_find(&g->variables, p->outputs[i]);
        if (v != CTN_NAMES_NONE)
            marks[v] = n + 1;
    }
    for (uint32_t i = 0; i < g->chain_reads.count; i++)
        marks[g->chain_reads.items[i].variable] = n + 1;
    for (uint32_t s = 0; s < n; s++)
        if (!has_successor[s])
            add_edge(p, &capacity, arena, (ctn_picture_edge){s, p->outputs_node, carried(g, s, marks, n + 1, arena)});
}

/* ---- the whole ---- */

static void list_ends(ctn_picture *p, const ctn_graph *g, ctn_arena *arena)
{
    p->inputs = CTN_NEW_ARRAY(arena, ctn_str, g->input_count);
    for (uint32_t i = 0; i < g->input_count; i++) {
        ctn_str name = g->variables.items[g->inputs[i].variable];
        p->inputs[p->input_count++] =
            g->inputs[i].is_required ? name : ctn_arena_printf(arena, "%.*s?", CTN_STR_ARG(name));
    }
    p->outputs = CTN_NEW_ARRAY(arena, ctn_str, g->variables.count + g->chain->result_count);
    if (g->chain->outputs)
        for (uint32_t i = 0; i < g->chain->result_count; i++)
            p->outputs[p->output_count++] = g->chain->results[i].name;
    else
        for (uint32_t v = 0; v < g->variables.count; v++)
            if (g->writers[v].count)
                p->outputs[p->output_count++] = g->variables.items[v];
}

static ctn_str summary_of(const ctn_picture *p, const ctn_chain *chain, ctn_arena *arena)
{
    uint32_t undos = 0;
    for (uint32_t i = 0; i < chain->step_count; i++)
        undos += chain->steps[i].rollback_action != NULL;
    ctn_str limit = chain->timeout_ms
                        ? ctn_arena_printf(arena, ", within %.*s", CTN_STR_ARG(span_text(arena, chain->timeout_ms)))
                        : (ctn_str){0};
    ctn_str undo = undos ? ctn_arena_printf(arena, ", %u with an undo", undos) : (ctn_str){0};
    return ctn_arena_printf(arena, "%u step%s%.*s%.*s", p->step_count, p->step_count == 1 ? "" : "s", CTN_STR_ARG(undo),
                            CTN_STR_ARG(limit));
}

ctn_picture *ctn_picture_of(ctn_graph *g, const ctn_check_options *options, ctn_arena *arena)
{
    ctn_picture *p = CTN_NEW(arena, ctn_picture);
    p->id = g->chain->id;
    p->name = g->chain->name ? ctn_json_text(g->chain->name) : g->chain->id;
    p->description = ctn_json_text(g->chain->description);
    p->step_count = g->step_count;
    p->inputs_node = g->step_count;
    p->outputs_node = g->step_count + 1;
    p->steps = CTN_NEW_ARRAY(arena, ctn_picture_step, g->step_count);
    uint32_t *seen = CTN_NEW_ARRAY(arena, uint32_t, (size_t) g->variables.count + 1);
    for (uint32_t i = 0; i < g->step_count; i++) {
        describe_step(g, i, options, arena, &p->steps[i]);
        p->steps[i].reads = reads_of(g, i, seen, arena);
    }
    list_ends(p, g, arena);
    connect_steps(p, g, arena);
    p->summary = summary_of(p, g->chain, arena);
    return p;
}

/* ---- of an execution ---- */

static ctn_str state_of(ctn_arena *arena, const ctn_step_view *v)
{
    const char *word = v->is_undoing ? "undoing" : ctn_step_status_name(v->status);
    if (v->failure && v->status != CTN_STEP_COMPLETED)
        return ctn_arena_printf(arena, "%s: %s", word, ctn_failure_name(v->failure));
    if (v->attempt > 1)
        return ctn_arena_printf(arena, "%s, attempt %u", word, v->attempt);
    return ctn_str_from(word);
}

void ctn_picture_add_states(ctn_picture *p, const ctn_execution *x, ctn_arena *arena)
{
    const ctn_plan *plan = ctn_execution_plan(x);
    for (uint32_t i = 0; i < p->step_count && i < plan->step_count; i++) {
        ctn_step_view v = ctn_execution_step(x, i);
        p->steps[i].state = state_of(arena, &v);
        p->steps[i].status = v.status;
    }
    p->summary = ctn_arena_printf(arena, "execution %s is %s; %.*s", ctn_id_to_text(ctn_execution_id_of(x)).text,
                                  ctn_status_name(ctn_execution_status(x)), CTN_STR_ARG(p->summary));
}
