/*
 * workspace.c -- see workspace.h.
 */
#include "cli/workspace.h"
#include "cli/files.h"
#include "cli/words.h"
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the store's place ---- */

static ctn_str store_url(ctn_cli *cli, const ctn_config *config)
{
    const char *said = cli->args.values[CTN_OPT_STORE];
    if (!said)
        said = getenv("CATENA_STORE");
    if ((!said || !said[0]) && config->store.len)
        return config->store;
    if (!said || !said[0])
        return ctn_arena_printf(cli->arena, "sqlite:%.*s",
                                CTN_STR_ARG(ctn_path_join(cli->arena, config->folder, CTN_STR("catena.db"))));
    const char *scheme = ctn_store_url_is_path(ctn_str_from(said)) ? "sqlite:" : "";
    return ctn_arena_printf(cli->arena, "%s%s", scheme, said);
}

int ctn_workspace_open(ctn_cli *cli, ctn_workspace *ret)
{
    *ret = (ctn_workspace){0};
    ctn_findings_init(&ret->findings, cli->arena);
    ctn_findings_init(&ret->library_findings, cli->arena);
    ctn_err err = {0};
    int rc = ctn_config_read(cli->arena, cli->args.values[CTN_OPT_CONFIG], cli->overlay, &ret->findings,
                             &ret->library_findings, &ret->config, &err);
    if (rc && ret->findings.error_count == 0)
        return ctn_cli_fail_err(cli, &err);
    if (rc) {
        ctn_cli_findings(cli, &ret->findings, true);
        return CTN_EXIT_USAGE;
    }
    ret->store_url = store_url(cli, ret->config).ptr;
    if (ctn_store_url_check(ret->store_url, &err))
        return ctn_cli_fail_err(cli, &err);
    ret->store_file = ctn_store_url_file(ret->store_url);
    return CTN_EXIT_OK;
}

int ctn_workspace_read_store(ctn_cli *cli, const ctn_workspace *ws, ctn_store **ret_store)
{
    ctn_err err = {0};
    if (ws->store_file.len && !ctn_file_is_there(cli->arena, ws->store_file))
        return ctn_cli_fail(cli, "there is no store %.*s; --store sqlite:FILE names another",
                            CTN_STR_ARG(ws->store_file));
    return ctn_store_open(ws->store_url, CTN_STORE_READ, ret_store, &err) ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

int ctn_workspace_find(ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, ctn_str id, ctn_execution_row *ret_row)
{
    ctn_err err = {0};
    int rc = ctn_store_execution_by_prefix(store, cli->arena, id, ret_row, &err);
    if (rc == CTN_E_NOT_FOUND)
        return ctn_cli_fail(cli, "%s in %.*s; see: %.*s", err.message, CTN_STR_ARG(ws->store_file),
                            CTN_STR_ARG(ctn_cli_command(cli, "list")));
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

/* ---- chains ---- */

typedef struct names {
    ctn_arena *arena;
    ctn_str items[256];
    size_t count;
} names;

static int collect_chain(void *ctx, const ctn_chain_row *row)
{
    names *n = ctx;
    n->items[n->count++] = ctn_arena_str(n->arena, row->chain_id);
    return n->count == sizeof n->items / sizeof *n->items;
}

static bool looks_like_file(ctn_arena *arena, ctn_str chain)
{
    return memchr(chain.ptr, '/', chain.len) || ctn_str_ends_with(chain, CTN_STR(".yaml")) ||
           ctn_str_ends_with(chain, CTN_STR(".yml")) || ctn_str_ends_with(chain, CTN_STR(".json")) ||
           (ctn_file_is_there(arena, chain) && !ctn_file_is_folder(arena, chain));
}

static int chain_of_file(ctn_cli *cli, ctn_workspace *ws, ctn_str path, const ctn_chain **ret_chain)
{
    ctn_str text;
    ctn_err err = {0};
    if (ctn_file_read(cli->arena, path, &text, &err))
        return ctn_cli_fail_err(cli, &err);
    ctn_findings findings;
    ctn_findings_init(&findings, cli->arena);
    int rc = ctn_library_add_text(ws->config->library, path, text, &findings, ret_chain);
    if (rc) {
        ctn_cli_findings(cli, &findings, true);
        return CTN_EXIT_USAGE;
    }
    if (!*ret_chain)
        return ctn_cli_fail(cli, "%.*s holds instruction sets and no chain; a chain has id and steps",
                            CTN_STR_ARG(path));
    return CTN_EXIT_OK;
}

/* 0: found; CTN_E_NOT_FOUND; else an error in `err`. */
static int chain_of_store(ctn_arena *arena, const ctn_workspace *ws, ctn_str id, names *known,
                          const ctn_chain **ret_chain, ctn_err *err)
{
    ctn_store *store = NULL;
    ctn_chain_row row;
    ctn_definition definition;
    if (!ws->store_file.len || !ctn_file_is_there(arena, ws->store_file))
        return CTN_E_NOT_FOUND;
    int rc = ctn_store_open(ws->store_url, CTN_STORE_READ, &store, err);
    if (rc == CTN_E_STATE) /* an empty file has no chains */
        return CTN_E_NOT_FOUND;
    if (rc)
        return rc;
    rc = ctn_store_chain_get(store, arena, id, 0, &row, err);
    if (rc == CTN_E_NOT_FOUND)
        (void) ctn_store_chain_list(store, collect_chain, known, NULL);
    if (rc == CTN_OK)
        rc = ctn_store_definition_get(store, arena, &row.digest, &definition, err);
    if (rc == CTN_OK) {
        ctn_findings findings;
        ctn_findings_init(&findings, arena);
        ctn_str name = ctn_arena_printf(arena, "stored chain %.*s.json", CTN_STR_ARG(id));
        if (ctn_library_add_text(ws->config->library, name, definition.body, &findings, ret_chain) || !*ret_chain)
            rc = ctn_fail(err, CTN_E_CORRUPT, "the stored chain %.*s does not read back: %.*s", CTN_STR_ARG(id),
                          CTN_STR_ARG(findings.count ? findings.items[0].message : (ctn_str){0}));
    }
    ctn_store_close(store);
    return rc;
}

static int refuse_chain(ctn_cli *cli, const ctn_workspace *ws, ctn_str id, names *known)
{
    const ctn_library *library = ws->config->library;
    size_t max = sizeof known->items / sizeof *known->items;
    for (size_t i = 0; i < ctn_library_chain_count(library) && known->count < max; i++) {
        ctn_str name = ctn_library_chain_at(library, i)->id;
        bool is_known = false;
        for (size_t k = 0; k < known->count; k++)
            is_known = is_known || ctn_str_equal(known->items[k], name);
        if (!is_known)
            known->items[known->count++] = name;
    }
    if (known->count)
        return ctn_cli_fail(cli, "there is no chain \"%.*s\"; %.*s", CTN_STR_ARG(id),
                            CTN_STR_ARG(ctn_words_suggest(cli->arena, id, known->items, known->count)));
    if (ws->config->file.len)
        return ctn_cli_fail(cli, "there is no chain \"%.*s\": %.*s includes none, and there is no file of that name",
                            CTN_STR_ARG(id), CTN_STR_ARG(ws->config->file));
    return ctn_cli_fail(cli,
                        "there is no chain \"%.*s\": there is no file of that name, and no catena.yaml here or above "
                        "that includes chains (--config FILE names one)",
                        CTN_STR_ARG(id));
}

int ctn_workspace_chain(ctn_cli *cli, ctn_workspace *ws, ctn_str chain, const ctn_chain **ret_chain)
{
    *ret_chain = NULL;
    if (chain.len == 0)
        return ctn_cli_fail(cli, "the name of the chain is empty");
    if (looks_like_file(cli->arena, chain))
        return chain_of_file(cli, ws, chain, ret_chain);
    *ret_chain = ctn_library_chain(ws->config->library, chain);
    if (*ret_chain)
        return CTN_EXIT_OK;
    names known = {.arena = cli->arena};
    ctn_err err = {0};
    int rc = chain_of_store(cli->arena, ws, chain, &known, ret_chain, &err);
    if (rc == CTN_OK)
        return CTN_EXIT_OK;
    if (rc != CTN_E_NOT_FOUND)
        return ctn_cli_fail_err(cli, &err);
    if (ws->library_findings.error_count) /* perhaps it stands in a file that does not read */
        ctn_cli_findings(cli, &ws->library_findings, true);
    return refuse_chain(cli, ws, chain, &known);
}

/* ---- plans and servers ---- */

static void each_tool_of(const ctn_plan_set *set, ctn_str step, void (*fn)(void *, ctn_str, ctn_str), void *ctx)
{
    for (uint32_t i = 0; set && i < set->call_count; i++)
        if (set->calls[i].kind == CTN_CALL_TOOL)
            fn(ctx, step, set->calls[i].target);
    if (set && set->check && set->check->kind == CTN_CALL_TOOL)
        fn(ctx, step, set->check->target);
}

void ctn_plan_each_tool(const ctn_plan *plan, void (*fn)(void *ctx, ctn_str step, ctn_str target), void *ctx)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        each_tool_of(plan->steps[i].set, plan->steps[i].name, fn, ctx);
        each_tool_of(plan->steps[i].undo, plan->steps[i].name, fn, ctx);
    }
}

typedef struct checking {
    const ctn_workspace *ws;
    ctn_arena *arena;
    ctn_err *err;
    int rc;
} checking;

static void check_server(void *ctx, ctn_str step, ctn_str target)
{
    checking *c = ctx;
    const ctn_config *config = c->ws->config;
    ctn_str name = ctn_str_cut(&target, '/');
    const ctn_config_server *s = ctn_config_server_of(config, name);
    if (c->rc)
        return;
    if (!s && config->file.len == 0)
        c->rc =
            ctn_fail(c->err, CTN_E_NOT_FOUND,
                     "step %.*s needs the server \"%.*s\", and there is no catena.yaml here or above that says how it "
                     "is started (--config FILE names one)",
                     CTN_STR_ARG(step), CTN_STR_ARG(name));
    else if (!s)
        c->rc = ctn_fail(c->err, CTN_E_NOT_FOUND, "step %.*s needs the server \"%.*s\", which %.*s does not have; %.*s",
                         CTN_STR_ARG(step), CTN_STR_ARG(name), CTN_STR_ARG(config->file),
                         CTN_STR_ARG(ctn_config_suggest_server(config, c->arena, name)));
    else if (s->url.len)
        c->rc =
            ctn_fail(c->err, CTN_E_UNSUPPORTED,
                     "%.*s:%u:%u: the server \"%.*s\" has a url: servers over HTTP come with a later version; this one "
                     "starts commands",
                     CTN_STR_ARG(s->file), s->at.line, s->at.column, CTN_STR_ARG(name));
    else if (s->program.len == 0)
        c->rc = ctn_fail(c->err, CTN_E_NOT_FOUND,
                         "%.*s:%u:%u: the server \"%.*s\" cannot be started: there is no program %.*s%s",
                         CTN_STR_ARG(s->file), s->at.line, s->at.column, CTN_STR_ARG(name), CTN_STR_ARG(s->command),
                         memchr(s->command.ptr, '/', s->command.len) ? "" : " in PATH or beside catena");
}

int ctn_workspace_check_servers(const ctn_workspace *ws, ctn_arena *arena, const ctn_plan *plan, ctn_err *err)
{
    checking c = {.ws = ws, .arena = arena, .err = err};
    ctn_plan_each_tool(plan, check_server, &c);
    return c.rc;
}

/* What is wrong with the chain's own file, and names that mean two things, make it uncertain what would run; a fault in
 * a file that has nothing to do with it does not. */
static bool has_faults(ctn_cli *cli, const ctn_workspace *ws, const ctn_chain *chain)
{
    ctn_findings about;
    ctn_findings_init(&about, cli->arena);
    for (size_t i = 0; i < ws->library_findings.count; i++) {
        const ctn_finding *f = &ws->library_findings.items[i];
        if (f->severity == CTN_SEVERITY_ERROR &&
            (strcmp(f->rule, "duplicate-key") == 0 || ctn_str_equal(f->file, ctn_source_file_name(chain->source))))
            ctn_findings_add(&about, f->file, f->line, f->column, f->severity, f->rule, "%.*s",
                             CTN_STR_ARG(f->message));
    }
    ctn_cli_findings(cli, &about, true);
    return about.count > 0;
}

/* Said before anything is made: a chain with sensitive values needs something to seal them with. */
static int check_sealing(const ctn_workspace *ws, ctn_arena *arena, const ctn_plan *plan, ctn_err *err)
{
    if (ws->config->key_file.len || ws->config->key_env.len || !ctn_sensitivity_of(plan, NULL, arena))
        return CTN_OK;
    return ctn_fail(
        err, CTN_E_DENIED,
        "the chain %.*s has sensitive values, and nothing says what to seal them with: write `sealing: {key: "
        "{file: catena.key}}` into catena.yaml (the file is made when it is first needed)",
        CTN_STR_ARG(plan->chain_id));
}

int ctn_workspace_find_plan(const ctn_workspace *ws, ctn_arena *arena, ctn_str id, ctn_plan **ret_plan, ctn_err *err)
{
    const ctn_chain *chain = ctn_library_chain(ws->config->library, id);
    names known = {.arena = arena};
    if (!chain) {
        int rc = chain_of_store(arena, ws, id, &known, &chain, err);
        if (rc == CTN_E_NOT_FOUND)
            return ctn_fail(err, rc, "there is no chain \"%.*s\" among those that are included or stored",
                            CTN_STR_ARG(id));
        if (rc)
            return rc;
    }
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_arena *own = ctn_arena_new(65536);
    ctn_plan *plan = NULL;
    int rc = ctn_plan_compile(own, ws->config->library, chain, &findings, &plan);
    if (rc)
        rc =
            ctn_fail(err, CTN_E_INVALID, "the chain %.*s has errors%s%.*s", CTN_STR_ARG(id), findings.count ? ": " : "",
                     CTN_STR_ARG(findings.count ? findings.items[0].message : (ctn_str){0}));
    else if (plan->unsupported.len)
        rc = ctn_fail(err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(plan->unsupported));
    else
        rc = check_sealing(ws, arena, plan, err);
    if (rc == CTN_OK)
        rc = ctn_workspace_check_servers(ws, arena, plan, err);
    if (rc) {
        ctn_plan_done(plan);
        ctn_arena_free(own);
        return rc;
    }
    *ret_plan = plan;
    return CTN_OK;
}

/* What it would start when it fails is there, and can run: better said now than then. */
static int check_on_failure(const ctn_workspace *ws, ctn_arena *arena, const ctn_plan *plan, ctn_err *err)
{
    ctn_plan *next = NULL;
    if (!plan->on_failure.len || ctn_str_equal(plan->on_failure, plan->chain_id))
        return CTN_OK;
    int rc = ctn_workspace_find_plan(ws, arena, plan->on_failure, &next, err);
    if (rc)
        return ctn_wrap(err, rc, "onFailure of chain '%.*s'", CTN_STR_ARG(plan->chain_id));
    ctn_arena *own = next->arena;
    ctn_plan_done(next);
    ctn_arena_free(own);
    return CTN_OK;
}

int ctn_workspace_compile(ctn_cli *cli, ctn_workspace *ws, ctn_str chain_name, const ctn_chain **ret_chain,
                          ctn_plan **ret_plan)
{
    const ctn_chain *chain;
    int exit_code = ctn_workspace_chain(cli, ws, chain_name, &chain);
    if (exit_code)
        return exit_code;
    if (has_faults(cli, ws, chain))
        return CTN_EXIT_USAGE;
    ctn_findings findings;
    ctn_findings_init(&findings, cli->arena);
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_plan *plan = NULL;
    if (ctn_plan_compile(arena, ws->config->library, chain, &findings, &plan)) {
        ctn_cli_findings(cli, &ws->library_findings, true);
        ctn_cli_findings(cli, &findings, true);
        if (findings.error_count == 0 && ws->library_findings.error_count == 0)
            ctn_cli_fail(cli, "the chain %.*s has errors", CTN_STR_ARG(chain_name));
        ctn_arena_free(arena);
        return CTN_EXIT_USAGE;
    }
    *ret_chain = chain;
    *ret_plan = plan;
    return CTN_EXIT_OK;
}

int ctn_workspace_plan(ctn_cli *cli, ctn_workspace *ws, ctn_str chain_name, ctn_plan **ret_plan)
{
    const ctn_chain *chain;
    ctn_plan *plan = NULL;
    int exit_code = ctn_workspace_compile(cli, ws, chain_name, &chain, &plan);
    if (exit_code)
        return exit_code;
    ctn_err err = {0};
    int rc = plan->unsupported.len ? ctn_fail(&err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(plan->unsupported))
                                   : check_sealing(ws, cli->arena, plan, &err);
    if (rc == CTN_OK)
        rc = ctn_workspace_check_servers(ws, cli->arena, plan, &err);
    if (rc == CTN_OK)
        rc = check_on_failure(ws, cli->arena, plan, &err);
    if (rc) {
        ctn_arena *arena = plan->arena;
        ctn_plan_done(plan);
        ctn_arena_free(arena);
        return ctn_cli_fail_err(cli, &err);
    }
    *ret_plan = plan;
    return CTN_EXIT_OK;
}

ctn_str ctn_actor_name(ctn_arena *arena)
{
    const struct passwd *user = getpwuid(geteuid());
    if (user && user->pw_name[0])
        return ctn_arena_str(arena, ctn_str_from(user->pw_name));
    return ctn_arena_printf(arena, "uid %lu", (unsigned long) geteuid());
}
