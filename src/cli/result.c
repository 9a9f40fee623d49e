/*
 * result.c -- see result.h.
 */
#include "cli/reveal.h"
#include "cli/named.h"
#include "cli/result.h"
#include "base/clock.h"
#include "cli/children.h"
#include "cli/view.h"
#include "host/words.h"
#include "engine/fold.h"
#include <stdio.h>

static const ctn_json *parsed(ctn_arena *arena, ctn_str text)
{
    const ctn_json *v = NULL;
    return text.len && ctn_json_parse(arena, text, NULL, &v, NULL) == CTN_OK ? v : &ctn_json_null;
}

static int64_t duration_of(const ctn_execution_row *row)
{
    if (!row->started_at_ms)
        return 0;
    ctn_clock clock = ctn_clock_system();
    return (row->finished_at_ms ? row->finished_at_ms : ctn_clock_now_ms(&clock)) - row->started_at_ms;
}

const ctn_json *ctn_result_json(ctn_arena *arena, const ctn_execution_row *row, const ctn_json *steps)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "executionId", ctn_arena_str(arena, ctn_str_from(ctn_id_to_text(row->id).text)));
    ctn_json_put_str(&b, "chain", row->chain_id);
    ctn_json_put_int(&b, "version", row->chain_version);
    ctn_json_put_str(&b, "status", ctn_str_from(ctn_status_name(row->status)));
    /* A completed sub-chain that was undone with its parent has none any more. */
    bool has_outputs = row->status == CTN_STATUS_COMPLETED;
    ctn_json_put(&b, CTN_STR("outputs"), has_outputs ? parsed(arena, row->outputs) : NULL);
    ctn_json_put(&b, CTN_STR("error"), parsed(arena, row->error));
    ctn_json_put_int(&b, "durationMs", duration_of(row));
    if (steps)
        ctn_json_put(&b, CTN_STR("steps"), steps);
    return ctn_json_finish(&b);
}

static void put_moment(ctn_json_builder *b, const char *key, int64_t at_ms)
{
    char text[25];
    if (!at_ms) {
        ctn_json_put(b, ctn_str_from(key), NULL);
        return;
    }
    ctn_time_format(at_ms, text);
    ctn_json_put_str(b, key, ctn_str_from(text));
}

const ctn_json *ctn_result_steps_json(ctn_arena *arena, const ctn_snapshot *s)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; i < s->step_count; i++) {
        const ctn_step_view *v = &s->steps[i].view;
        ctn_json_builder b = ctn_json_object(arena);
        ctn_json_put_str(&b, "step", s->steps[i].name);
        ctn_json_put_str(&b, "status", ctn_str_from(ctn_step_status_name(v->status)));
        ctn_json_put_int(&b, "attempt", v->attempt);
        put_moment(&b, "startedAt", v->started_at_ms);
        put_moment(&b, "endedAt", v->ended_at_ms);
        if (v->started_at_ms && v->ended_at_ms)
            ctn_json_put_int(&b, "durationMs", v->ended_at_ms - v->started_at_ms);
        if (v->due_ms)
            put_moment(&b, "dueAt", v->due_ms);
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

/* Such characters stand inside strings only. */
void ctn_json_text_print(ctn_str text)
{
    size_t begin = 0;
    for (size_t at = 0; at < text.len;) {
        size_t bytes = (unsigned char) text.ptr[at] < 0x7F ? 0 : ctn_str_control_at(text, at, false);
        if (!bytes) {
            at++;
            continue;
        }
        const unsigned char *p = (const unsigned char *) text.ptr + at;
        unsigned code = bytes == 1   ? p[0]
                        : bytes == 2 ? (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu)
                                     : (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        (void) fwrite(text.ptr + begin, 1, at - begin, stdout);
        printf("\\u%04x", code);
        at += bytes;
        begin = at;
    }
    (void) fwrite(text.ptr + begin, 1, text.len - begin, stdout);
}

void ctn_result_print(const ctn_cli *cli, const ctn_json *v)
{
    ctn_buf out;
    ctn_buf_init(&out, SIZE_MAX / 2);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        ctn_json_write(&out, v);
    else
        ctn_json_write_pretty(&out, v);
    if (out.len == 0 || out.data[out.len - 1] != '\n')
        ctn_buf_append_char(&out, '\n');
    ctn_json_text_print(ctn_buf_str(&out));
    ctn_buf_done(&out);
}

void ctn_value_print(const ctn_cli *cli, const ctn_json *v)
{
    if (!ctn_json_is(v, CTN_JSON_STRING)) {
        ctn_result_print(cli, v);
        return;
    }
    ctn_str text = ctn_json_text(v);
    if (cli->out.is_terminal) /* a file or a program gets it as it is */
        text = ctn_text_harmless(cli->arena, text);
    (void) fwrite(text.ptr, 1, text.len, stdout);
    if (!ctn_str_ends_with(text, CTN_STR("\n")))
        (void) fputc('\n', stdout);
}

/* ---- what goes on with it ---- */

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

static void tell_waiting(const ctn_cli *cli, const ctn_snapshot *s, const ctn_snapshot_step *step)
{
    const ctn_step_view *v = &step->view;
    ctn_str question = ctn_text_clean(cli->arena, v->message, 300), word = step_word(cli, step);
    ctn_buf out;
    ctn_buf_init(&out, 16384);
    ctn_str yes = ctn_arena_printf(cli->arena, " %.*s '{\"approved\": true}'", CTN_STR_ARG(word));
    ctn_str no = ctn_arena_printf(cli->arena, " %.*s '{\"approved\": false}'", CTN_STR_ARG(word));
    ctn_str any = ctn_arena_printf(cli->arena, " %.*s JSON", CTN_STR_ARG(word));
    ctn_buf_printf(&out, "catena: step %.*s waits for %s%s%.*s\n",
                   CTN_STR_ARG(ctn_snapshot_step_label(step, cli->arena)),
                   v->wants_approval ? "an approval"
                   : v->wants_agent  ? "an agent's answer"
                                     : "an answer",
                   question.len ? ": " : "", CTN_STR_ARG(question));
    if (v->wants_agent)
        put_task(cli, &out, v->asked);
    if (v->due_ms)
        ctn_buf_printf(&out, "  until    %s\n", ctn_moment_text(v->due_ms).text);
    if (v->wants_approval)
        ctn_buf_printf(&out, "  approve  %.*s\n  reject   %.*s\n", CTN_STR_ARG(command(cli, "answer", s, yes)),
                       CTN_STR_ARG(command(cli, "answer", s, no)));
    else
        ctn_buf_printf(&out, "  answer   %.*s\n", CTN_STR_ARG(command(cli, "answer", s, any)));
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

void ctn_tell_parked(const ctn_cli *cli, const ctn_snapshot *s)
{
    size_t interrupted = 0;
    if (ctn_status_is_final(s->status))
        return;
    for (size_t i = 0; i < s->step_count; i++)
        interrupted += s->steps[i].view.status == CTN_STEP_INTERRUPTED;
    for (size_t i = 0; i < s->step_count; i++) {
        const ctn_snapshot_step *step = &s->steps[i];
        if (step->view.status == CTN_STEP_INTERRUPTED)
            tell_interrupted(cli, s, step, interrupted == 1);
        else if (ctn_step_needs_somebody(&step->view) && !step->view.waits_for_child)
            tell_waiting(cli, s, step);
    }
    if (s->budget)
        tell_budget(cli, s);
    if (s->queued_behind.len)
        ctn_cli_say(cli, "%.*s", CTN_STR_ARG(s->queued_behind));
    if (s->status == CTN_STATUS_PAUSED || s->status == CTN_STATUS_QUEUED) {
        ctn_str line = ctn_arena_printf(cli->arena, "catena: it is %s\n  go on    %.*s\n", ctn_status_name(s->status),
                                        CTN_STR_ARG(command(cli, "resume", s, (ctn_str){0})));
        (void) ctn_screen_write(&cli->err, line);
    }
}

/* ---- the end of it ---- */

static ctn_str names_in(const ctn_cli *cli, const ctn_json *list)
{
    size_t count = ctn_json_is(list, CTN_JSON_ARRAY) ? list->count : 0;
    ctn_str *names = CTN_NEW_ARRAY(cli->arena, ctn_str, count);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *item = ctn_json_at(list, i);
        names[i] =
            ctn_json_is(item, CTN_JSON_OBJECT) ? ctn_json_str_or(item, "step", CTN_STR("?")) : ctn_json_text(item);
    }
    return ctn_words_join(cli->arena, names, count);
}

static void tell_end(const ctn_cli *cli, const ctn_execution_row *row)
{
    const ctn_json *error = parsed(cli->arena, row->error);
    ctn_str none = {0}, step = ctn_json_str_or(error, "step", none);
    ctn_time_text span = ctn_duration_text(duration_of(row));
    if (row->status == CTN_STATUS_COMPLETED) {
        if (!ctn_view_is_live(cli)) /* the picture says it already */
            ctn_cli_say(cli, "completed in %s", span.text);
        return;
    }
    ctn_str message = ctn_text_clean(cli->arena, ctn_json_str_or(error, "message", none), 0);
    ctn_str code = ctn_json_str_or(error, "code", none);
    (void) ctn_cli_fail(cli, "%s after %s%s%.*s: %.*s%s%.*s", ctn_status_name(row->status), span.text,
                        step.len ? " at step " : "", CTN_STR_ARG(step), CTN_STR_ARG(code), message.len ? ": " : "",
                        CTN_STR_ARG(message));
    ctn_str left = names_in(cli, ctn_json_member_of(error, "leftUndone"));
    ctn_str kept = names_in(cli, ctn_json_member_of(error, "notUndone"));
    if (left.len)
        (void) ctn_cli_fail(cli, "what these steps did could not be undone: %.*s", CTN_STR_ARG(left));
    if (kept.len)
        (void) ctn_cli_fail(cli, "these steps have done something and have no undo: %.*s", CTN_STR_ARG(kept));
}

int ctn_output_check(ctn_cli *cli, const ctn_plan *plan)
{
    if (!ctn_opt_is_given(cli, CTN_OPT_OUTPUT))
        return CTN_EXIT_OK;
    ctn_str name = ctn_str_from(cli->args.values[CTN_OPT_OUTPUT]);
    ctn_str *names = CTN_NEW_ARRAY(cli->arena, ctn_str, plan->result_count);
    for (uint32_t i = 0; i < plan->result_count; i++) {
        names[i] = plan->results[i].name;
        if (ctn_str_equal(names[i], name))
            return CTN_EXIT_OK;
    }
    return ctn_cli_fail(cli, "the chain %.*s has no output \"%.*s\"; %.*s", CTN_STR_ARG(plan->chain_id),
                        CTN_STR_ARG(name), CTN_STR_ARG(ctn_words_suggest(cli->arena, name, names, plan->result_count)));
}

static int exit_code_of(const ctn_snapshot *s)
{
    if (s->status == CTN_STATUS_COMPLETED)
        return CTN_EXIT_OK;
    return ctn_status_is_final(s->status) ? CTN_EXIT_ENDED : CTN_EXIT_PARKED;
}

/* --output alone, or the whole result. */
static int print_result(ctn_cli *cli, const ctn_execution_row *row, const ctn_plan *plan)
{
    if (!ctn_opt_is_given(cli, CTN_OPT_OUTPUT)) {
        ctn_result_print(cli, ctn_result_json(cli->arena, row, NULL));
        return CTN_EXIT_OK;
    }
    int exit_code = row->status == CTN_STATUS_COMPLETED ? ctn_output_check(cli, plan) : CTN_EXIT_OK;
    if (exit_code == CTN_EXIT_OK && row->status == CTN_STATUS_COMPLETED)
        ctn_value_print(cli,
                        ctn_json_get(parsed(cli->arena, row->outputs), ctn_str_from(cli->args.values[CTN_OPT_OUTPUT])));
    return exit_code;
}

static int report(ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, ctn_execution_id id)
{
    ctn_reveal reveal = {0};
    ctn_execution_row row;
    ctn_execution *x = NULL;
    ctn_err err = {0};
    int exit_code = CTN_EXIT_OK, rc = ctn_store_execution_get(store, cli->arena, id, &row, &err);
    if (rc == CTN_OK)
        exit_code = ctn_reveal_begin(cli, ws, &row, &reveal);
    if (exit_code)
        return exit_code;
    if (rc == CTN_OK)
        rc = ctn_reveal_load(&reveal, store, cli->arena, &row, &x, &err);
    ctn_reveal_end(&reveal);
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    ctn_snapshot s = ctn_snapshot_of(x, cli->arena);
    ctn_execution_id holder;
    (void) ctn_snapshot_look_at_line(&s, store, cli->arena, &holder);
    if (ctn_status_is_final(row.status))
        tell_end(cli, &row);
    else
        ctn_tell_tree(cli, store, x, &s);
    exit_code = print_result(cli, &row, ctn_execution_plan(x));
    ctn_execution_unload(x);
    return exit_code ? exit_code : exit_code_of(&s);
}

int ctn_report(ctn_cli *cli, const ctn_workspace *ws, ctn_execution_id id)
{
    ctn_store *store = NULL;
    int exit_code = ctn_cli_read_store(cli, ws, &store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = report(cli, ws, store, id);
    ctn_store_close(store);
    return exit_code;
}
