/*
 * verb_show.c -- `show`: one execution and its steps, as they stand.
 */
#include "cli/named.h"
#include "cli/parked.h"
#include "cli/quarantine.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/result.h"
#include "cli/reveal.h"
#include "cli/verb.h"
#include "cli/view.h"
#include "engine/fold.h"
#include <stdio.h>

#define SHOWN_COLUMNS 100

/* "name: value" lines of `show`. */
static void print_field(const ctn_cli *cli, const char *name, ctn_str value)
{
    printf("%s%-10s%s %.*s\n", ctn_colour_code(&cli->out, CTN_COLOUR_DIM), name,
           ctn_colour_code(&cli->out, CTN_COLOUR_NONE), CTN_STR_ARG(value));
}

static ctn_str short_value(ctn_arena *arena, const ctn_json *v, size_t columns)
{
    ctn_str text = ctn_json_is(v, CTN_JSON_STRING) ? ctn_json_text(v) : ctn_json_to_str(arena, v);
    return ctn_text_clean(arena, text.len > 4096 ? (ctn_str){text.ptr, 4096} : text, columns);
}

typedef struct shown {
    ctn_workspace ws;
    ctn_store *store;
    ctn_execution_row row;
} shown;

static int open_shown(ctn_cli *cli, shown *s)
{
    *s = (shown){0};
    int exit_code = ctn_cli_open(cli, &s->ws, &s->store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution_raw(cli, &s->ws, s->store, &s->row);
    return exit_code;
}

static void print_members(const ctn_cli *cli, const char *title, ctn_str text)
{
    const ctn_json *v = NULL;
    if (!text.len || ctn_json_parse(cli->arena, text, NULL, &v, NULL) || !ctn_json_is(v, CTN_JSON_OBJECT) ||
        v->count == 0)
        return;
    size_t columns = 0, width, rows;
    for (uint32_t i = 0; i < v->count; i++)
        if (v->members[i].key.count > columns)
            columns = v->members[i].key.count;
    if (columns > 40)
        columns = 40;
    ctn_screen_size(&cli->out, &width, &rows);
    if (!cli->out.is_terminal || width < columns + 20)
        width = SHOWN_COLUMNS + columns;
    printf("\n%s%s%s\n", ctn_colour_code(&cli->out, CTN_COLOUR_BOLD), title,
           ctn_colour_code(&cli->out, CTN_COLOUR_NONE));
    for (uint32_t i = 0; i < v->count; i++) {
        ctn_str name = ctn_text_clean(cli->arena, ctn_json_text(&v->members[i].key), 40);
        printf("  %-*.*s  %.*s\n", (int) columns, CTN_STR_ARG(name),
               CTN_STR_ARG(short_value(cli->arena, &v->members[i].value, width - columns - 5)));
    }
}

/* What is not in the other columns: items, which fallback, whose execution. */
static ctn_str note_of(const ctn_cli *cli, const ctn_snapshot_step *step)
{
    const ctn_step_view *v = &step->view;
    bool tells_failure = v->failure && v->status != CTN_STEP_COMPLETED;
    ctn_buf out;
    ctn_buf_init(&out, 4096);
    if (v->item_count && v->items_ended < v->item_count)
        ctn_buf_printf(&out, ", %lld of %lld items", (long long) v->items_ended, (long long) v->item_count);
    else if (v->item_count)
        ctn_buf_printf(&out, ", %lld items", (long long) v->item_count);
    if (v->items_failed)
        ctn_buf_printf(&out, ", %lld failed", (long long) v->items_failed);
    if (v->item >= 0 && v->status != CTN_STEP_COMPLETED)
        ctn_buf_printf(&out, ", item %lld", (long long) v->item);
    if (v->is_reused)
        ctn_buf_append_literal(&out, ", reused");
    if (v->fallback)
        ctn_buf_printf(&out, ", fallback %u", v->fallback);
    if (v->is_from_cache)
        ctn_buf_append_literal(&out, ", out of the cache");
    if (v->is_with_peer)
        ctn_buf_append_literal(&out, ", a task of its server");
    if (v->waits_for_breaker)
        ctn_buf_append_literal(&out, ", its circuit breaker is open");
    if (ctn_snapshot_has_child(v))
        ctn_buf_printf(&out, ", execution %s", ctn_id_to_text(v->child).text);
    ctn_str message = v->status == CTN_STEP_COMPLETED ? (ctn_str){0} : ctn_text_clean(cli->arena, v->message, 200);
    if (tells_failure || message.len)
        ctn_buf_printf(&out, ", %s%s%.*s", tells_failure ? ctn_failure_name(v->failure) : "",
                       tells_failure && message.len ? ": " : "", CTN_STR_ARG(message));
    ctn_str note = ctn_arena_str(cli->arena, ctn_str_from_offset(ctn_buf_str(&out), 2));
    ctn_buf_done(&out);
    return note;
}

static void print_steps(const ctn_cli *cli, const ctn_snapshot *s)
{
    const char *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    size_t columns = 4;
    for (size_t i = 0; i < s->step_count; i++)
        if (s->steps[i].name.len > columns)
            columns = s->steps[i].name.len;
    printf("\n%s%-*s  %-11s  %-10s  %-7s  %s%s\n", ctn_colour_code(&cli->out, CTN_COLOUR_DIM), (int) columns, "STEP",
           "STATUS", "DURATION", "ATTEMPT", "NOTE", plain);
    for (size_t i = 0; i < s->step_count; i++) {
        const ctn_step_view *v = &s->steps[i].view;
        ctn_str note = note_of(cli, &s->steps[i]);
        ctn_time_text span = {"-"};
        if (v->started_at_ms && v->ended_at_ms && v->status != CTN_STEP_SKIPPED)
            span = ctn_duration_text(v->ended_at_ms - v->started_at_ms);
        ctn_str attempt = v->attempt ? ctn_arena_printf(cli->arena, "%u", v->attempt) : CTN_STR("-");
        ctn_str text = ctn_arena_printf(
            cli->arena, "%-*.*s  %s%-11s%s  %-10s  %-7.*s  %.*s", (int) columns, CTN_STR_ARG(s->steps[i].name),
            ctn_colour_code(&cli->out, ctn_step_colour(v->status)), ctn_step_status_name(v->status), plain, span.text,
            CTN_STR_ARG(attempt), CTN_STR_ARG(note));
        while (text.len && text.ptr[text.len - 1] == ' ')
            text.len--;
        printf("%.*s\n", CTN_STR_ARG(text));
    }
}

static void print_error(const ctn_cli *cli, const ctn_execution_row *row)
{
    const ctn_json *error = NULL;
    ctn_str none = {0};
    if (!row->error.len || ctn_json_parse(cli->arena, row->error, NULL, &error, NULL))
        return;
    ctn_str step = ctn_json_str_or(error, "step", none);
    ctn_str message = ctn_text_clean(cli->arena, ctn_json_str_or(error, "message", none), 0);
    print_field(cli, "error",
                ctn_arena_printf(cli->arena, "%s%.*s%s%s%.*s: %.*s", ctn_colour_code(&cli->out, CTN_COLOUR_RED),
                                 CTN_STR_ARG(ctn_json_str_or(error, "code", none)),
                                 ctn_colour_code(&cli->out, CTN_COLOUR_NONE), step.len ? " at " : "", CTN_STR_ARG(step),
                                 CTN_STR_ARG(message)));
}

/* "rerun of 0198..., from step pay" */
static void print_from(const ctn_cli *cli, const ctn_json *from)
{
    ctn_str none = {0}, step = ctn_json_str_or(from, "step", none);
    if (from)
        print_field(cli, "from",
                    ctn_arena_printf(cli->arena, "%.*s of %.*s%s%.*s",
                                     CTN_STR_ARG(ctn_json_str_or(from, "reason", none)),
                                     CTN_STR_ARG(ctn_json_str_or(from, "execution", none)),
                                     step.len ? ", from step " : "", CTN_STR_ARG(step)));
}

/* "112 tokens, 0.000129" */
static void print_used(const ctn_cli *cli, const ctn_execution *x)
{
    ctn_used used = ctn_execution_budget(x, 0).used;
    if (used.tokens || used.money.len)
        print_field(cli, "used",
                    ctn_arena_printf(cli->arena, "%lld tokens%s%.*s", (long long) used.tokens,
                                     used.money.len ? ", money " : "", CTN_STR_ARG(used.money)));
}

static void print_execution(const ctn_cli *cli, const ctn_execution_row *row, const ctn_snapshot *s,
                            const ctn_execution *x, ctn_store *store)
{
    int64_t end = row->finished_at_ms ? row->finished_at_ms : ctn_cli_now_ms();
    print_field(cli, "execution", ctn_str_from(ctn_id_to_text(row->id).text));
    print_field(
        cli, "chain",
        ctn_arena_printf(cli->arena, "%.*s, version %lld", CTN_STR_ARG(row->chain_id), (long long) row->chain_version));
    print_field(cli, "status",
                ctn_arena_printf(cli->arena, "%s%s%s", ctn_colour_code(&cli->out, ctn_status_colour(row->status)),
                                 ctn_status_name(row->status), ctn_colour_code(&cli->out, CTN_COLOUR_NONE)));
    if (s->waits_for_node.len)
        print_field(cli, "waits", ctn_text_clean(cli->arena, s->waits_for_node, SHOWN_COLUMNS));
    print_from(cli, ctn_execution_from(x));
    print_field(cli, "created", ctn_str_from(ctn_moment_text(row->created_at_ms).text));
    if (row->started_at_ms)
        print_field(cli, row->finished_at_ms ? "took" : "runs",
                    ctn_str_from(ctn_duration_text(end - row->started_at_ms).text));
    if (row->idempotency_key.len)
        print_field(cli, "key", ctn_text_clean(cli->arena, row->idempotency_key, SHOWN_COLUMNS));
    print_used(cli, x);
    print_error(cli, row);
    print_steps(cli, s);
    print_members(cli, "labels", row->labels);
    print_members(cli, "input", row->input);
    if (row->status == CTN_STATUS_COMPLETED)
        print_members(cli, "outputs", row->outputs);
    if (ctn_snapshot_is_parked(s) || s->status == CTN_STATUS_QUEUED || ctn_snapshot_waits_for_child(s)) {
        (void) fflush(stdout);
        ctn_tell_parked(cli, store, x, s);
    }
}

static void print_json(const ctn_cli *cli, const ctn_execution_row *row, const ctn_snapshot *s, const ctn_execution *x)
{
    const ctn_json *from = ctn_execution_from(x), *used = ctn_told_used(cli->arena, x);
    ctn_json_builder b = ctn_result_object(cli->arena, row);
    ctn_json_put(&b, CTN_STR("steps"), ctn_told_steps(cli->arena, s));
    if (from)
        ctn_json_put(&b, CTN_STR("from"), from);
    if (used)
        ctn_json_put(&b, CTN_STR("used"), used);
    if (s->paused_because.len)
        ctn_json_put_str(&b, "pausedBecause", s->paused_because);
    if (s->waits_for_node.len)
        ctn_json_put_str(&b, "waitsForNode", s->waits_for_node);
    ctn_result_print(cli, ctn_json_finish(&b));
}

static int show_output(ctn_cli *cli, const shown *s, const ctn_plan *plan)
{
    const ctn_json *outputs = NULL;
    int exit_code = ctn_output_check(cli, plan);
    if (exit_code)
        return exit_code;
    if (s->row.status != CTN_STATUS_COMPLETED || !s->row.outputs.len ||
        ctn_json_parse(cli->arena, s->row.outputs, NULL, &outputs, NULL))
        return ctn_cli_fail(cli, "%s is %s and has no outputs", ctn_id_to_text(s->row.id).text,
                            ctn_status_name(s->row.status));
    ctn_value_print(cli, ctn_json_get(outputs, ctn_str_from(cli->args.values[CTN_OPT_OUTPUT])));
    return CTN_EXIT_OK;
}

static int run_show(ctn_cli *cli)
{
    shown s;
    ctn_reveal reveal = {0};
    ctn_err err = {0};
    ctn_execution *x = NULL;
    int exit_code = open_shown(cli, &s);
    int rc = CTN_OK;
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_reveal_begin(cli, &s.ws, &s.row, &reveal);
    if (exit_code == CTN_EXIT_OK && !s.row.damage.len)
        rc = ctn_reveal_load(&reveal, s.store, cli->arena, &s.row, &x, &err);
    if (exit_code == CTN_EXIT_OK && (s.row.damage.len || rc == CTN_E_CORRUPT))
        exit_code = ctn_show_damaged(cli, s.store, &s.row, rc ? ctn_str_from(err.message) : s.row.damage);
    else if (exit_code == CTN_EXIT_OK && rc)
        exit_code = ctn_cli_fail_err(cli, &err);
    if (exit_code == CTN_EXIT_OK) {
        ctn_snapshot snapshot = ctn_snapshot_in_store(x, s.store, cli->arena);
        if (ctn_opt_is_given(cli, CTN_OPT_OUTPUT))
            exit_code = show_output(cli, &s, ctn_execution_plan(x));
        else if (ctn_opt_is_given(cli, CTN_OPT_JSON))
            print_json(cli, &s.row, &snapshot, x);
        else
            print_execution(cli, &s.row, &snapshot, x, s.store);
    }
    ctn_execution_unload(x);
    ctn_reveal_end(&reveal);
    ctn_store_close(s.store);
    if (exit_code == CTN_EXIT_OK && !ctn_status_is_final(s.row.status))
        ctn_remote_tell_health(cli, &s.ws);
    return exit_code;
}

const ctn_verb ctn_verb_show = {
    .name = "show",
    .operands = "ID",
    .summary = "Show an execution and its steps",
    .details = CTN_ABOUT_ID,
    .options = CTN_OPTS_READ | CTN_OPT_BIT(OUTPUT) | CTN_OPT_BIT(REVEAL),
    .words_min = 1,
    .words_max = 1,
    .run = run_show,
};
