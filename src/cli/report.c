/*
 * report.c -- see report.h.
 */
#include "cli/report.h"
#include "cli/named.h"
#include "cli/parked.h"
#include "cli/result.h"
#include "cli/reveal.h"
#include "cli/view.h"
#include "engine/fold.h"
#include "host/words.h"
#include <stdio.h>

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
    const ctn_json *error = ctn_told_parsed(cli->arena, row->error);
    ctn_str none = {0}, step = ctn_json_str_or(error, "step", none);
    ctn_time_text span = ctn_duration_text(ctn_result_duration_ms(row));
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
        ctn_json_builder b = ctn_result_object(cli->arena, row);
        ctn_result_print(cli, ctn_json_finish(&b));
        return CTN_EXIT_OK;
    }
    int exit_code = row->status == CTN_STATUS_COMPLETED ? ctn_output_check(cli, plan) : CTN_EXIT_OK;
    if (exit_code == CTN_EXIT_OK && row->status == CTN_STATUS_COMPLETED)
        ctn_value_print(cli, ctn_json_get(ctn_told_parsed(cli->arena, row->outputs),
                                          ctn_str_from(cli->args.values[CTN_OPT_OUTPUT])));
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
    ctn_snapshot s = ctn_snapshot_in_store(x, store, cli->arena);
    if (ctn_status_is_final(row.status))
        tell_end(cli, &row);
    else
        ctn_tell_parked(cli, store, x, &s);
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
