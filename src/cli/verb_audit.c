/*
 * verb_audit.c -- `store audit`: what people did to a store.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "store/audit.h"
#include <inttypes.h>
#include <stdio.h>

static int print_json(void *ctx, const ctn_audit_entry *e)
{
    const ctn_cli *cli = ctx;
    ctn_arena_mark mark = ctn_arena_save(cli->arena);
    const ctn_json *detail = NULL;
    (void) ctn_json_parse(cli->arena, e->detail, NULL, &detail, NULL);
    ctn_json_builder b = ctn_json_object(cli->arena);
    ctn_json_put_int(&b, "n", e->n);
    ctn_json_put_time(&b, "at", e->at_ms);
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

static int run_store_audit(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_err err = {0};
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code)
        return exit_code;
    bool is_json = ctn_opt_is_given(cli, CTN_OPT_JSON);
    if (ctn_store_audit_list(store, is_json ? print_json : print_row, cli, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    ctn_store_close(store);
    return exit_code;
}

const ctn_verb ctn_verb_store_audit = {
    .name = "store audit",
    .operands = "",
    .summary = "List what people did: imports, grants, starts, decisions, denials",
    .details = "With --json one object a line, oldest first. What exactly was done to an execution is in its history.",
    .options = CTN_OPTS_READ,
    .run = run_store_audit,
};
