/*
 * verb_audit.c -- entries of the audit log, and `store audit` that lists them.
 */
#include "base/clock.h"
#include "cli/audit.h"
#include "cli/result.h"
#include "cli/workspace.h"
#include <inttypes.h>
#include <stdio.h>

int ctn_cli_audit(const ctn_cli *cli, ctn_store *store, const char *action, ctn_str subject, const ctn_json *detail,
                  ctn_err *err)
{
    ctn_clock clock = ctn_clock_system();
    ctn_audit_entry entry = {.at_ms = ctn_clock_now_ms(&clock),
                             .actor = ctn_actor_name(cli->arena),
                             .action = ctn_str_from(action),
                             .subject = subject,
                             .detail = detail ? ctn_json_to_str(cli->arena, detail) : (ctn_str){0}};
    return ctn_store_audit(store, &entry, err);
}

int ctn_cli_audit_opened(const ctn_cli *cli, ctn_store *store, ctn_err *err)
{
    ctn_store_version raised;
    if (!ctn_store_was_migrated(store, &raised))
        return CTN_OK;
    ctn_json_builder b = ctn_json_object(cli->arena);
    ctn_json_put_int(&b, "from", raised.found);
    ctn_json_put_int(&b, "to", raised.newest);
    return ctn_cli_audit(cli, store, "store.migrate", (ctn_str){0}, ctn_json_finish(&b), err);
}

/* ---- the verb ---- */

static int print_json(void *ctx, const ctn_audit_entry *e)
{
    const ctn_cli *cli = ctx;
    ctn_arena_mark mark = ctn_arena_save(cli->arena);
    const ctn_json *detail = NULL;
    (void) ctn_json_parse(cli->arena, e->detail, NULL, &detail, NULL);
    char at[25];
    ctn_time_format(e->at_ms, at);
    ctn_json_builder b = ctn_json_object(cli->arena);
    ctn_json_put_int(&b, "n", e->n);
    ctn_json_put_str(&b, "at", ctn_str_from(at));
    ctn_json_put_str(&b, "actor", e->actor);
    ctn_json_put_str(&b, "action", e->action);
    ctn_json_put_str(&b, "subject", e->subject);
    ctn_json_put(&b, CTN_STR("detail"), detail);
    ctn_json_put_str(&b, "hash", ctn_str_from(ctn_digest_to_text(e->hash).text));
    ctn_str line = ctn_json_to_str(cli->arena, ctn_json_finish(&b));
    printf("%.*s\n", CTN_STR_ARG(line));
    ctn_arena_restore(cli->arena, mark);
    return 0;
}

static int print_row(void *ctx, const ctn_audit_entry *e)
{
    const ctn_cli *cli = ctx;
    ctn_arena_mark mark = ctn_arena_save(cli->arena);
    printf("%5" PRId64 "  %s  %-12.*s  %-16.*s", e->n, ctn_moment_text(e->at_ms).text,
           CTN_STR_ARG(ctn_text_clean(cli->arena, e->actor, 0)), CTN_STR_ARG(ctn_text_clean(cli->arena, e->action, 0)));
    if (e->subject.len)
        printf("  %.*s", CTN_STR_ARG(ctn_text_clean(cli->arena, e->subject, 0)));
    if (!ctn_str_is(e->detail, "{}"))
        printf("  %.*s", CTN_STR_ARG(ctn_text_clean(cli->arena, e->detail, 0)));
    printf("\n");
    ctn_arena_restore(cli->arena, mark);
    return 0;
}

int ctn_verb_store_audit(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_err err = {0};
    int exit_code = ctn_workspace_open(cli, &ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_workspace_read_store(cli, &ws, &store);
    if (exit_code)
        return exit_code;
    bool is_json = ctn_opt_is_given(cli, CTN_OPT_JSON);
    if (ctn_store_audit_list(store, is_json ? print_json : print_row, cli, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    ctn_store_close(store);
    return exit_code;
}
