/*
 * named.c -- see named.h.
 */
#include "cli/named.h"
#include "cli/view.h"
#include "store/raw.h"
#include <unistd.h>

/* ---- workspace and store ---- */

int ctn_cli_workspace(const ctn_cli *cli, ctn_workspace *ret_ws)
{
    ctn_err err = {0};
    int rc = ctn_workspace_open(cli->arena, cli->args.values[CTN_OPT_CONFIG], cli->args.values[CTN_OPT_STORE],
                                cli->overlay, ret_ws, &err);
    if (rc && ret_ws->findings.error_count) {
        ctn_cli_findings(cli, &ret_ws->findings, true);
        return CTN_EXIT_USAGE;
    }
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

int ctn_cli_read_store(const ctn_cli *cli, const ctn_workspace *ws, ctn_store **ret_store)
{
    ctn_err err = {0};
    int rc = ctn_workspace_read_store(ws, ret_store, &err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_cli_fail(cli, "%s; --store sqlite:FILE names another", err.message);
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

int ctn_cli_open(const ctn_cli *cli, ctn_workspace *ret_ws, ctn_store **ret_store)
{
    int exit_code = ctn_cli_workspace(cli, ret_ws);
    return exit_code ? exit_code : ctn_cli_read_store(cli, ret_ws, ret_store);
}

/* ---- executions ---- */

typedef int read_fn(ctn_store *store, ctn_arena *arena, ctn_str prefix, ctn_execution_row *ret_row, ctn_err *err);

static int find(const ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, read_fn *read,
                ctn_execution_row *ret_row)
{
    ctn_err err = {0};
    int rc = read(store, cli->arena, ctn_word(cli, 0), ret_row, &err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_cli_fail(cli, "%s in %.*s; see: %.*s", err.message, CTN_STR_ARG(ws->store_name),
                            CTN_STR_ARG(ctn_cli_command(cli, "list")));
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

int ctn_cli_execution(const ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, ctn_execution_row *ret_row)
{
    return find(cli, ws, store, ctn_store_execution_by_prefix, ret_row);
}

int ctn_cli_execution_raw(const ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, ctn_execution_row *ret_row)
{
    return find(cli, ws, store, ctn_store_execution_read_raw, ret_row);
}

int ctn_cli_find(const ctn_cli *cli, ctn_workspace *ret_ws, ctn_execution_row *ret_row)
{
    ctn_store *store = NULL;
    int exit_code = ctn_cli_open(cli, ret_ws, &store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution(cli, ret_ws, store, ret_row);
    ctn_store_close(store);
    return exit_code;
}

/* ---- chains ---- */

/* Findings first, then the sentence, if there is one. */
static int tell(const ctn_cli *cli, int rc, ctn_findings *findings, const ctn_err *err)
{
    if (rc == CTN_OK)
        return CTN_EXIT_OK;
    ctn_cli_findings(cli, findings, true);
    return err->message[0] ? ctn_cli_fail_err(cli, err) : CTN_EXIT_USAGE;
}

int ctn_cli_chain(const ctn_cli *cli, ctn_workspace *ws, ctn_str name, const ctn_chain **ret_chain)
{
    ctn_findings findings;
    ctn_err err = {0};
    ctn_findings_init(&findings, cli->arena);
    int rc = ctn_workspace_chain(ws, name, &findings, ret_chain, &err);
    return tell(cli, rc, &findings, &err);
}

int ctn_cli_compile(const ctn_cli *cli, ctn_workspace *ws, ctn_str name, const ctn_chain **ret_chain,
                    ctn_plan **ret_plan)
{
    ctn_findings findings;
    ctn_err err = {0};
    ctn_findings_init(&findings, cli->arena);
    int rc = ctn_workspace_compile(ws, name, &findings, ret_chain, ret_plan, &err);
    return tell(cli, rc, &findings, &err);
}

int ctn_cli_plan(const ctn_cli *cli, ctn_workspace *ws, ctn_str name, ctn_plan **ret_plan)
{
    ctn_findings findings;
    ctn_err err = {0};
    ctn_findings_init(&findings, cli->arena);
    int rc = ctn_workspace_plan(ws, name, &findings, ret_plan, &err);
    return tell(cli, rc, &findings, &err);
}

/* ---- hosts ---- */

static void tell_sentence(void *ctx, ctn_telling kind, ctn_str sentence)
{
    const ctn_cli *cli = ctx;
    if (kind == CTN_TELL_NEWS)
        ctn_cli_say(cli, "%.*s", CTN_STR_ARG(sentence));
    else
        (void) ctn_cli_fail(cli, "%.*s", CTN_STR_ARG(sentence));
}

ctn_teller ctn_cli_teller(const ctn_cli *cli)
{
    return (ctn_teller){tell_sentence, (void *) cli};
}

static void end_at_once(void *ctx)
{
    const ctn_cli *cli = ctx;
    if (cli->err.is_terminal)
        (void) ctn_screen_write(&cli->err, CTN_STR("\033[?25h")); /* a view has hidden the cursor */
    _exit(CTN_EXIT_INTERRUPTED);
}

ctn_host *ctn_cli_host(const ctn_cli *cli, const ctn_workspace *ws)
{
    bool is_live = ctn_view_is_live(cli);
    ctn_log log = {.fd = 2, .json = ctn_opt_is_given(cli, CTN_OPT_JSON) && !is_live, .clock = ctn_clock_system()};
    const char *node = cli->args.values[CTN_OPT_NODE];
    bool is_node = strcmp(cli->verb->name, "serve") == 0; /* other verbs are many on a machine, and short */
    ctn_host_options options = {.ws = ws,
                                .node_name = ctn_str_from(node),
                                .node_suffix =
                                    is_node ? (ctn_str){0}
                                            : ctn_arena_printf(cli->arena, "%s-%ld", cli->verb->name, (long) getpid()),
                                .spawner = cli->spawner,
                                .log = cli->log                                          ? cli->log
                                       : is_live || ctn_opt_is_given(cli, CTN_OPT_QUIET) ? NULL
                                                                                         : &log,
                                .log_is_said = cli->log != NULL,
                                .teller = ctn_cli_teller(cli),
                                .second_signal = end_at_once,
                                .second_signal_ctx = (void *) cli};
    return ctn_host_new(&options);
}
