/*
 * parked.c -- see parked.h.
 */
#include "cli/parked.h"
#include "engine/fold.h"
#include "store/raw.h"

#define TASKS_MAX 64
#define DEPTH_MAX 32 /* more than chains may call chains */
#define TOLD_MAX  8  /* sub-chains */

/* ---- one execution ---- */

static ctn_str command(const ctn_cli *cli, const char *verb, const ctn_snapshot *s, ctn_str rest)
{
    return ctn_cli_command(cli, "%s %s%.*s", verb, ctn_id_to_text(s->id).text, CTN_STR_ARG(rest));
}

/* The step as a word of a command: an item's brackets are the shell's too. */
static ctn_str step_word(const ctn_cli *cli, const ctn_snapshot_step *step)
{
    ctn_str label = ctn_snapshot_step_label(step, cli->arena);
    return step->view.item < 0 ? label : ctn_arena_printf(cli->arena, "'%.*s'", CTN_STR_ARG(label));
}

/* What an agent is asked to do: its instructions, what it is given, what its answer must look like. */
static void put_task(const ctn_cli *cli, ctn_buf *out, const ctn_json *asked)
{
    static const char *const PARTS[][2] = {{"instructions", "task"}, {"input", "input"}, {"schema", "wanted"}};
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        const ctn_json *part = ctn_json_member_of(asked, PARTS[i][0]);
        ctn_str text = ctn_json_is(part, CTN_JSON_STRING) ? ctn_json_text(part)
                       : part                             ? ctn_json_to_str(cli->arena, part)
                                                          : (ctn_str){0};
        if (text.len)
            ctn_buf_printf(out, "  %-8s %.*s\n", PARTS[i][1], CTN_STR_ARG(ctn_text_clean(cli->arena, text, 300)));
    }
}

/* What the peer of a call asks: each by its name, its question, and what is wanted. */
static void put_asks(const ctn_cli *cli, ctn_buf *out, const ctn_json *asks)
{
    for (size_t i = 0; ctn_json_is(asks, CTN_JSON_OBJECT) && i < asks->count; i++) {
        const ctn_json *asked = &asks->members[i].value, *schema = ctn_json_member_of(asked, "schema");
        ctn_str url = ctn_json_str_or(asked, "url", (ctn_str){0});
        ctn_str what = url.len ? url : schema ? ctn_json_to_str(cli->arena, schema) : (ctn_str){0};
        ctn_buf_printf(out, "  asked    %.*s: %.*s\n",
                       CTN_STR_ARG(ctn_text_clean(cli->arena, ctn_json_text(&asks->members[i].key), 60)),
                       CTN_STR_ARG(ctn_text_clean(cli->arena, ctn_json_str_or(asked, "message", (ctn_str){0}), 300)));
        if (what.len)
            ctn_buf_printf(out, "  %-8s %.*s\n", url.len ? "open" : "wanted",
                           CTN_STR_ARG(ctn_text_clean(cli->arena, what, 2000)));
    }
}

/* How it is answered: one thing by its content alone, several by their names. The word is to be pasted into a shell,
 * and a name is a stranger's: it stays within its quotes. */
static ctn_str answer_word(const ctn_cli *cli, const ctn_json *asks)
{
    if (!ctn_json_is(asks, CTN_JSON_OBJECT) || ctn_json_count(asks) > 1) {
        ctn_str first = ctn_json_is(asks, CTN_JSON_OBJECT) ? ctn_json_text(&asks->members[0].key) : CTN_STR("NAME");
        ctn_str name = ctn_json_to_str(cli->arena, ctn_json_string(cli->arena, first));
        return ctn_shell_word(cli->arena,
                              ctn_arena_printf(cli->arena, "{%.*s: {\"action\": \"accept\", \"content\": {...}}, ...}",
                                               CTN_STR_ARG(ctn_text_clean(cli->arena, name, 200)))
                                  .ptr);
    }
    return ctn_json_member_of(&asks->members[0].value, "schema") ? CTN_STR("JSON")
                                                                 : CTN_STR("'{\"action\": \"accept\"}'");
}

static void tell_waiting(const ctn_cli *cli, const ctn_snapshot *s, const ctn_snapshot_step *step)
{
    const ctn_step_view *v = &step->view;
    ctn_str question = ctn_text_clean(cli->arena, v->message, 300), word = step_word(cli, step);
    ctn_buf out;
    ctn_buf_init(&out, 16384);
    ctn_str yes = ctn_arena_printf(cli->arena, " %.*s '{\"approved\": true}'", CTN_STR_ARG(word));
    ctn_str no = ctn_arena_printf(cli->arena, " %.*s '{\"approved\": false}'", CTN_STR_ARG(word));
    const ctn_json *asks = ctn_json_member_of(v->asked, "asks");
    if (v->call.len)
        word = ctn_arena_printf(cli->arena, "'%.*s/%.*s'", CTN_STR_ARG(ctn_snapshot_step_label(step, cli->arena)),
                                CTN_STR_ARG(v->call));
    ctn_str any = ctn_arena_printf(cli->arena, " %.*s %.*s", CTN_STR_ARG(word),
                                   CTN_STR_ARG(v->wants_input ? answer_word(cli, asks) : CTN_STR("JSON")));
    ctn_str decline = ctn_arena_printf(cli->arena, " %.*s '{\"action\": \"decline\"}'", CTN_STR_ARG(word));
    ctn_buf_printf(&out, "catena: step %.*s waits for %s%s%.*s\n",
                   CTN_STR_ARG(ctn_snapshot_step_label(step, cli->arena)),
                   v->wants_approval ? "an approval"
                   : v->wants_agent  ? "an agent's answer"
                   : v->wants_input  ? "what its tool asks"
                                     : "an answer",
                   question.len ? ": " : "", CTN_STR_ARG(question));
    if (v->wants_agent)
        put_task(cli, &out, v->asked);
    if (v->wants_input)
        put_asks(cli, &out, asks);
    if (v->due_ms)
        ctn_buf_printf(&out, "  until    %s\n", ctn_moment_text(v->due_ms).text);
    if (v->wants_approval)
        ctn_buf_printf(&out, "  approve  %.*s\n  reject   %.*s\n", CTN_STR_ARG(command(cli, "answer", s, yes)),
                       CTN_STR_ARG(command(cli, "answer", s, no)));
    else
        ctn_buf_printf(&out, "  answer   %.*s\n", CTN_STR_ARG(command(cli, "answer", s, any)));
    if (v->wants_input && ctn_json_is(asks, CTN_JSON_OBJECT) && ctn_json_count(asks) == 1)
        ctn_buf_printf(&out, "  decline  %.*s\n", CTN_STR_ARG(command(cli, "answer", s, decline)));
    (void) ctn_screen_write(&cli->err, ctn_buf_str(&out));
    ctn_buf_done(&out);
}

static void tell_budget(const ctn_cli *cli, const ctn_snapshot *s)
{
    ctn_str message =
        ctn_text_clean(cli->arena, ctn_json_str_or(s->budget, "message", CTN_STR("the budget is used up")), 300);
    ctn_str text =
        ctn_arena_printf(cli->arena, "catena: %.*s\n  grant it once more  %.*s\n  end it              %.*s\n",
                         CTN_STR_ARG(message), CTN_STR_ARG(command(cli, "resume", s, CTN_STR(" --retry"))),
                         CTN_STR_ARG(command(cli, "resume", s, CTN_STR(" --fail"))));
    (void) ctn_screen_write(&cli->err, text);
}

static void tell_interrupted(const ctn_cli *cli, const ctn_snapshot *s, const ctn_snapshot_step *step, bool is_only)
{
    ctn_str why = ctn_text_clean(cli->arena, step->view.message, 300);
    ctn_str which =
        is_only ? (ctn_str){0} : ctn_arena_printf(cli->arena, " --step %.*s", CTN_STR_ARG(step_word(cli, step)));
    ctn_str retry = ctn_arena_printf(cli->arena, "%.*s --retry", CTN_STR_ARG(which));
    ctn_str succeed = ctn_arena_printf(cli->arena, "%.*s --succeed JSON", CTN_STR_ARG(which));
    ctn_str fail = ctn_arena_printf(cli->arena, "%.*s --fail", CTN_STR_ARG(which));
    ctn_buf out;
    ctn_buf_init(&out, 16384);
    ctn_buf_printf(&out,
                   "catena: step %.*s is interrupted: it is not known whether its call happened%s%.*s%s\n"
                   "  Find out, then tell:\n"
                   "  it did not happen, do it again   %.*s\n"
                   "  it happened, with this result    %.*s\n"
                   "  give it up                       %.*s\n",
                   CTN_STR_ARG(ctn_snapshot_step_label(step, cli->arena)), why.len ? " (" : "", CTN_STR_ARG(why),
                   why.len ? ")" : "", CTN_STR_ARG(command(cli, "resume", s, retry)),
                   CTN_STR_ARG(command(cli, "resume", s, succeed)), CTN_STR_ARG(command(cli, "resume", s, fail)));
    (void) ctn_screen_write(&cli->err, ctn_buf_str(&out));
    ctn_buf_done(&out);
}

static void tell_one(const ctn_cli *cli, const ctn_snapshot *s)
{
    size_t interrupted = 0;
    if (ctn_status_is_final(s->status))
        return;
    for (size_t i = 0; i < s->step_count; i++)
        interrupted += s->steps[i].view.status == CTN_STEP_INTERRUPTED;
    for (size_t i = 0; i < s->step_count; i++) {
        const ctn_snapshot_step *step = &s->steps[i];
        if (step->view.status == CTN_STEP_INTERRUPTED)
            tell_interrupted(cli, s, step, interrupted == 1 && step->view.item < 0); /* one item stands for several */
        else if (ctn_step_needs_somebody(&step->view) && !step->view.waits_for_child)
            tell_waiting(cli, s, step);
    }
    if (s->budget)
        tell_budget(cli, s);
    if (s->queued_behind.len)
        ctn_cli_say(cli, "%.*s", CTN_STR_ARG(s->queued_behind));
    if (s->status == CTN_STATUS_PAUSED || s->status == CTN_STATUS_QUEUED) {
        ctn_str why = ctn_text_clean(cli->arena, s->paused_because, 1000);
        ctn_str line = ctn_arena_printf(cli->arena, "catena: it is %s%s%.*s\n  go on    %.*s\n",
                                        ctn_status_name(s->status), why.len ? ": " : "", CTN_STR_ARG(why),
                                        CTN_STR_ARG(command(cli, "resume", s, (ctn_str){0})));
        (void) ctn_screen_write(&cli->err, line);
    }
}

/* ---- its sub-chains ---- */

typedef struct telling {
    const ctn_cli *cli;
    ctn_store *store;
    size_t told, more;
} telling;

static void tell_children(telling *t, const ctn_execution *x, int depth);

/* A child that does not read back: what waits for it goes on when somebody repairs it or gives it up. */
static void tell_damaged(telling *t, ctn_str step, ctn_execution_id child)
{
    ctn_execution_row row;
    ctn_id_text id = ctn_id_to_text(child);
    if (ctn_store_execution_read_raw(t->store, t->cli->arena, ctn_str_from(id.text), &row, NULL))
        return; /* it is not there yet */
    ctn_cli_say(t->cli, "step %.*s waits for execution %s, which is damaged; see: %.*s", CTN_STR_ARG(step), id.text,
                CTN_STR_ARG(ctn_cli_command(t->cli, "show %s", id.text)));
}

static void tell_child(telling *t, ctn_str step, const ctn_step_view *v, int depth)
{
    ctn_arena *arena = t->cli->arena;
    ctn_execution_row row;
    ctn_execution *x = NULL;
    if (ctn_store_execution_get(t->store, arena, v->child, &row, NULL) ||
        ctn_execution_load(t->store, arena, &row, &x, NULL))
        tell_damaged(t, step, v->child);
    if (x && !ctn_status_is_final(row.status)) {
        ctn_snapshot s = ctn_snapshot_in_store(x, t->store, arena);
        bool is_told = s.budget || s.queued_behind.len || s.status == CTN_STATUS_PAUSED;
        for (size_t i = 0; i < s.step_count; i++)
            is_told = is_told || ctn_step_needs_somebody(&s.steps[i].view);
        if (is_told && t->told == TOLD_MAX) {
            t->more++;
        } else if (is_told) {
            t->told++;
            ctn_str item = v->item < 0 ? (ctn_str){0} : ctn_arena_printf(arena, "[%lld]", (long long) v->item);
            ctn_cli_say(t->cli, "step %.*s%.*s waits for the chain %.*s, execution %s:", CTN_STR_ARG(step),
                        CTN_STR_ARG(item), CTN_STR_ARG(row.chain_id), ctn_id_to_text(row.id).text);
            tell_one(t->cli, &s);
        }
        if (depth < DEPTH_MAX)
            tell_children(t, x, depth + 1);
    }
    ctn_execution_unload(x);
}

static void tell_children(telling *t, const ctn_execution *x, int depth)
{
    ctn_open_task tasks[TASKS_MAX];
    size_t count = ctn_execution_open_tasks(x, tasks, TASKS_MAX);
    for (size_t i = 0; i < count; i++)
        if (tasks[i].view.waits_for_child)
            tell_child(t, ctn_execution_plan(x)->steps[tasks[i].step].name, &tasks[i].view, depth);
}

void ctn_tell_parked(const ctn_cli *cli, ctn_store *store, const ctn_execution *x, const ctn_snapshot *s)
{
    telling t = {.cli = cli, .store = store};
    tell_one(cli, s);
    if (ctn_status_is_final(s->status))
        return;
    tell_children(&t, x, 0);
    if (t.more)
        ctn_cli_say(cli, "and %zu more of its chains wait: %.*s", t.more,
                    CTN_STR_ARG(ctn_cli_command(cli, "list --status waiting")));
}
