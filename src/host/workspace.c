/*
 * workspace.c -- see workspace.h.
 */
#include "host/workspace.h"
#include "store/fleet.h"
#include "host/config_servers.h"
#include "host/files.h"
#include "host/models.h"
#include "host/words.h"
#include <stdlib.h>

/* ---- the store ---- */

static ctn_str store_url(const ctn_workspace *ws, const char *said)
{
    const ctn_config *config = ws->config;
    if (!said)
        said = getenv("CATENA_STORE");
    if ((!said || !said[0]) && config->store.len)
        return config->store;
    if (!said || !said[0])
        return ctn_arena_printf(ws->arena, "sqlite:%.*s",
                                CTN_STR_ARG(ctn_path_join(ws->arena, config->folder, CTN_STR("catena.db"))));
    const char *scheme = ctn_store_url_is_path(ctn_str_from(said)) ? "sqlite:" : "";
    return ctn_arena_printf(ws->arena, "%s%s", scheme, said);
}

int ctn_workspace_open(ctn_arena *arena, const char *config_file, const char *store, const ctn_overlay *overlay,
                       ctn_workspace *ret_ws, ctn_err *err)
{
    ctn_workspace *ws = ret_ws;
    *ws = (ctn_workspace){.arena = arena};
    ctn_findings_init(&ws->findings, arena);
    ctn_findings_init(&ws->library_findings, arena);
    int rc = ctn_config_read(arena, config_file, overlay, &ws->findings, &ws->library_findings, &ws->config, err);
    if (rc)
        return rc;
    ws->store_url = store_url(ws, store).ptr;
    rc = ctn_store_url_check(ws->store_url, err);
    if (rc == CTN_OK)
        ws->store_file = ctn_store_url_file(ws->store_url);
    char shown[CTN_STORE_SHOWN_BYTES];
    ctn_store_url_shown(ws->store_url, shown, sizeof shown);
    ws->store_shown = ctn_arena_str(arena, ctn_str_from(shown));
    ws->store_name = ws->store_file.len ? ws->store_file : ws->store_shown;
    ws->is_fleet = rc == CTN_OK && ctn_store_url_is_fleet(ws->store_url);
    return rc;
}

int ctn_workspace_read_store(const ctn_workspace *ws, ctn_store **ret_store, ctn_err *err)
{
    if (ws->store_file.len && !ctn_file_is_there(ws->arena, ws->store_file))
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no store %.*s", CTN_STR_ARG(ws->store_file));
    return ctn_store_open(ws->store_url, CTN_STORE_READ, ret_store, err);
}

const char *ctn_workspace_socket(const ctn_workspace *ws)
{
    ctn_str real = ws->store_file.len ? ctn_path_real(ws->arena, ws->store_file) : (ctn_str){0};
    return real.len ? ctn_arena_printf(ws->arena, "%.*s.sock", CTN_STR_ARG(real)).ptr : NULL;
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

static int chain_of_file(ctn_workspace *ws, ctn_str path, ctn_findings *findings, const ctn_chain **ret_chain,
                         ctn_err *err)
{
    ctn_str text;
    int rc = ctn_file_read(ws->arena, path, &text, err);
    if (rc)
        return rc;
    if (ctn_library_add_text(ws->config->library, path, text, findings, ret_chain))
        return CTN_E_INVALID;
    if (!*ret_chain)
        return ctn_fail(err, CTN_E_INVALID, "%.*s holds instruction sets and no chain; a chain has id and steps",
                        CTN_STR_ARG(path));
    return CTN_OK;
}

/* 0: found; CTN_E_NOT_FOUND; else an error in `err`. */
static int chain_of_store(ctn_arena *arena, const ctn_workspace *ws, ctn_library *library, ctn_str id, names *known,
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
        if (ctn_library_add_text(library, name, definition.body, &findings, ret_chain) || !*ret_chain)
            rc = ctn_fail(err, CTN_E_CORRUPT, "the stored chain %.*s does not read back: %.*s", CTN_STR_ARG(id),
                          CTN_STR_ARG(findings.count ? findings.items[0].message : (ctn_str){0}));
    }
    ctn_store_close(store);
    return rc;
}

static int refuse_chain(const ctn_workspace *ws, ctn_str id, names *known, ctn_err *err)
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
        return ctn_fail(err, CTN_E_NOT_FOUND, "there is no chain \"%.*s\"; %.*s", CTN_STR_ARG(id),
                        CTN_STR_ARG(ctn_words_suggest(ws->arena, id, known->items, known->count)));
    if (ws->config->file.len)
        return ctn_fail(err, CTN_E_NOT_FOUND,
                        "there is no chain \"%.*s\": %.*s includes none, and there is no file of that name",
                        CTN_STR_ARG(id), CTN_STR_ARG(ws->config->file));
    return ctn_fail(err, CTN_E_NOT_FOUND,
                    "there is no chain \"%.*s\": there is no file of that name, and no catena.yaml here or above "
                    "that includes chains (--config FILE names one)",
                    CTN_STR_ARG(id));
}

static void copy_errors(ctn_findings *to, const ctn_findings *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (from->items[i].severity == CTN_SEVERITY_ERROR)
            ctn_findings_copy(to, &from->items[i]);
}

int ctn_workspace_chain(ctn_workspace *ws, ctn_str name, ctn_findings *findings, const ctn_chain **ret_chain,
                        ctn_err *err)
{
    *ret_chain = NULL;
    if (name.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "the name of the chain is empty");
    if (looks_like_file(ws->arena, name))
        return chain_of_file(ws, name, findings, ret_chain, err);
    *ret_chain = ctn_library_chain(ws->config->library, name);
    if (*ret_chain)
        return CTN_OK;
    names known = {.arena = ws->arena};
    int rc = chain_of_store(ws->arena, ws, ws->config->library, name, &known, ret_chain, err);
    if (rc != CTN_E_NOT_FOUND)
        return rc;
    copy_errors(findings, &ws->library_findings); /* perhaps it stands in a file that does not read */
    return refuse_chain(ws, name, &known, err);
}

/* ---- plans and servers ---- */

static void each_tool_of(const ctn_plan_set *set, ctn_str step, void (*fn)(void *, ctn_str, ctn_str), void *ctx)
{
    for (uint32_t i = 0; set && i < set->call_count; i++)
        if (set->calls[i].kind == CTN_WORK_TOOL)
            fn(ctx, step, set->calls[i].target);
    if (set && set->check && set->check->kind == CTN_WORK_TOOL)
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
    else if (!s->url.len && s->program.len == 0)
        c->rc = ctn_fail(c->err, CTN_E_NOT_FOUND,
                         "%.*s:%u:%u: the server \"%.*s\" cannot be started: there is no program %.*s%s",
                         CTN_STR_ARG(s->file), s->at.line, s->at.column, CTN_STR_ARG(name), CTN_STR_ARG(s->command),
                         memchr(s->command.ptr, '/', s->command.len) ? "" : " in PATH or beside catena");
}

int ctn_workspace_check_servers(const ctn_workspace *ws, ctn_arena *arena, const ctn_plan *plan, ctn_err *err)
{
    checking c = {.ws = ws, .arena = arena, .err = err};
    ctn_plan_each_tool(plan, check_server, &c);
    return c.rc ? c.rc : ctn_models_check(ws->config, arena, plan, err);
}

/* What is wrong with the chain's own file, and names that mean two things, make it uncertain what would run; a fault in
 * a file that has nothing to do with it does not. */
static bool has_faults(const ctn_workspace *ws, const ctn_chain *chain, ctn_findings *findings)
{
    size_t before = findings->error_count;
    for (size_t i = 0; i < ws->library_findings.count; i++) {
        const ctn_finding *f = &ws->library_findings.items[i];
        if (f->severity == CTN_SEVERITY_ERROR &&
            (strcmp(f->rule, "duplicate-key") == 0 || ctn_str_equal(f->file, ctn_source_file_name(chain->source))))
            ctn_findings_copy(findings, f);
    }
    return findings->error_count > before;
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

int ctn_workspace_check_plan(const ctn_workspace *ws, ctn_arena *scratch, const ctn_plan *plan, ctn_err *err)
{
    if (plan->unsupported.len)
        return ctn_fail(err, CTN_E_UNSUPPORTED, "%.*s", CTN_STR_ARG(plan->unsupported));
    int rc = check_sealing(ws, scratch, plan, err);
    return rc ? rc : ctn_workspace_check_servers(ws, scratch, plan, err);
}

int ctn_workspace_find_plan(const ctn_workspace *ws, ctn_arena *scratch, ctn_str id, ctn_plan **ret_plan, ctn_err *err)
{
    ctn_library *library = ws->config->library;
    const ctn_chain *chain = ctn_library_chain(library, id);
    names known = {.arena = scratch};
    if (!chain) { /* as it is now: nothing of it stays, so that a newer one is found the next time */
        library = ctn_library_over(scratch, library);
        int rc = chain_of_store(scratch, ws, library, id, &known, &chain, err);
        if (rc == CTN_E_NOT_FOUND)
            return ctn_fail(err, rc, "there is no chain \"%.*s\" among those that are included or stored",
                            CTN_STR_ARG(id));
        if (rc)
            return rc;
    }
    ctn_findings findings;
    ctn_findings_init(&findings, scratch);
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_plan *plan = NULL;
    if (ctn_plan_compile(arena, library, chain, &findings, &plan)) {
        ctn_arena_free(arena);
        return ctn_fail(err, CTN_E_INVALID, "the chain %.*s has errors%s%.*s", CTN_STR_ARG(id),
                        findings.count ? ": " : "",
                        CTN_STR_ARG(findings.count ? findings.items[0].message : (ctn_str){0}));
    }
    int rc = ctn_workspace_check_plan(ws, scratch, plan, err);
    if (rc)
        ctn_plan_free(plan);
    else
        *ret_plan = plan;
    return rc;
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
    ctn_plan_free(next);
    return CTN_OK;
}

int ctn_workspace_compile(ctn_workspace *ws, ctn_str name, ctn_findings *findings, const ctn_chain **ret_chain,
                          ctn_plan **ret_plan, ctn_err *err)
{
    const ctn_chain *chain;
    int rc = ctn_workspace_chain(ws, name, findings, &chain, err);
    if (rc)
        return rc;
    if (has_faults(ws, chain, findings))
        return CTN_E_INVALID;
    ctn_arena *arena = ctn_arena_new(65536);
    ctn_plan *plan = NULL;
    if (ctn_plan_compile(arena, ws->config->library, chain, findings, &plan)) {
        ctn_arena_free(arena);
        copy_errors(findings, &ws->library_findings);
        return findings->error_count ? CTN_E_INVALID
                                     : ctn_fail(err, CTN_E_INVALID, "the chain %.*s has errors", CTN_STR_ARG(name));
    }
    if (ret_chain)
        *ret_chain = chain;
    *ret_plan = plan;
    return CTN_OK;
}

int ctn_workspace_plan(ctn_workspace *ws, ctn_str name, ctn_findings *findings, ctn_plan **ret_plan, ctn_err *err)
{
    ctn_plan *plan = NULL;
    int rc = ctn_workspace_compile(ws, name, findings, NULL, &plan, err);
    if (rc)
        return rc;
    rc = ctn_workspace_check_plan(ws, ws->arena, plan, err);
    if (rc == CTN_OK)
        rc = check_on_failure(ws, ws->arena, plan, err);
    if (rc)
        ctn_plan_free(plan);
    else
        *ret_plan = plan;
    return rc;
}
