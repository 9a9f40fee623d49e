/*
 * verb_store.c -- `store init` and `store migrate`.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"

static int say_store(const ctn_cli *cli, const ctn_workspace *ws, const char *what, const ctn_store_version *v)
{
    const char *caution = ctn_store_url_caution(ws->store_url);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        ctn_json_builder b = ctn_json_object(cli->arena);
        ctn_json_put_str(&b, "store", ws->store_shown);
        ctn_json_put_int(&b, "before", v->found);
        ctn_json_put_int(&b, "schema", v->newest);
        if (caution)
            ctn_json_put_str(&b, "caution", ctn_str_from(caution));
        ctn_result_print(cli, ctn_json_finish(&b));
    }
    ctn_cli_say(cli, "%.*s %s (schema %u)%s%s", CTN_STR_ARG(ws->store_shown), what, v->newest, caution ? "; " : "",
                caution ? caution : "");
    return CTN_EXIT_OK;
}

/* Nobody else may own the store while it is made or migrated. */
static int with_lock(ctn_cli *cli, const ctn_workspace *ws)
{
    ctn_store_lock *lock = NULL;
    ctn_store *store = NULL;
    ctn_err err = {0};
    int rc = ctn_store_lock_take(ws->store_url, &lock, &err);
    if (rc == CTN_OK)
        rc = ctn_store_open(ws->store_url, CTN_STORE_CREATE, &store, &err);
    if (rc == CTN_OK)
        rc = ctn_audit_opened(store, &err);
    ctn_store_close(store);
    ctn_store_lock_release(lock);
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

static int run_store_init(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store_version v = {0};
    ctn_store *store = NULL;
    ctn_err err = {0};
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    int rc = ctn_store_version_read(ws.store_url, &v, &err);
    if (rc && rc != CTN_E_NOT_FOUND)
        return ctn_cli_fail_err(cli, &err);
    if (rc == CTN_OK && v.found && v.found < v.newest)
        return ctn_cli_fail(cli, "%.*s is a store already, of an older catena; bring it up to date: %.*s",
                            CTN_STR_ARG(ws.store_shown), CTN_STR_ARG(ctn_cli_command(cli, "store migrate")));
    if (rc == CTN_OK && v.found)
        return say_store(cli, &ws, "is a store already", &v);
    if (ctn_store_open(ws.store_url, CTN_STORE_CREATE, &store, &err) ||
        ctn_audit(store, "store.init", (ctn_str){0}, NULL, &err) || ctn_store_version_read(ws.store_url, &v, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    ctn_store_close(store);
    return exit_code ? exit_code : say_store(cli, &ws, "is ready", &v);
}

const ctn_verb ctn_verb_store_init = {
    .name = "store init",
    .operands = "",
    .summary = "Make an empty store",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET),
    .run = run_store_init,
};

static int run_store_migrate(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store_version v = {0};
    ctn_err err = {0};
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    if (ctn_store_version_read(ws.store_url, &v, &err))
        return ctn_cli_fail_err(cli, &err);
    if (v.found == v.newest)
        return say_store(cli, &ws, "is up to date", &v);
    exit_code = with_lock(cli, &ws);
    return exit_code ? exit_code : say_store(cli, &ws, "is up to date now", &v);
}

const ctn_verb ctn_verb_store_migrate = {
    .name = "store migrate",
    .operands = "",
    .summary = "Bring a store of an older catena up to this one",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET),
    .run = run_store_migrate,
};
