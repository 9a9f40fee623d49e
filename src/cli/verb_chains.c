/*
 * verb_chains.c -- `chains import|list|show`: the chains that the store keeps, and those that the configuration
 * includes.
 */
#include "chain/definition.h"
#include "cli/named.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/audit.h"
#include "host/config_servers.h"
#include "host/files.h"
#include "host/prepare.h"
#include "host/tool_pins.h"
#include <stdio.h>

static int import_chain(ctn_cli *cli, ctn_store *store, ctn_plan *plan)
{
    ctn_err err = {0};
    int64_t version = 0;
    ctn_definition *definitions = CTN_NEW_ARRAY(cli->arena, ctn_definition, plan->definition_count);
    for (uint32_t i = 0; i < plan->definition_count; i++)
        definitions[i] = (ctn_definition){plan->definitions[i].digest, plan->definitions[i].kind,
                                          plan->definitions[i].name, plan->definitions[i].body};
    ctn_chain_row row = {.chain_id = plan->chain_id,
                         .version = plan->version_stated,
                         .digest = plan->definitions[0].digest,
                         .created_at_ms = ctn_cli_now_ms(),
                         .created_by = ctn_actor_name(cli->arena)};
    if (ctn_store_definition_put(store, definitions, plan->definition_count, &err) ||
        ctn_store_chain_put(store, &row, &version, &err))
        return ctn_cli_fail_err(cli, &err);
    ctn_json_builder detail = ctn_json_object(cli->arena);
    ctn_json_put_int(&detail, "version", version);
    ctn_json_put_str(&detail, "digest", ctn_str_from(ctn_digest_to_text(row.digest).text));
    if (ctn_audit(store, "chains.import", plan->chain_id, ctn_json_finish(&detail), &err))
        return ctn_cli_fail_err(cli, &err);
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        printf("{\"chain\":\"%.*s\",\"version\":%lld}\n", CTN_STR_ARG(plan->chain_id), (long long) version);
    ctn_cli_say(cli, "%.*s is stored as version %lld", CTN_STR_ARG(plan->chain_id), (long long) version);
    return CTN_EXIT_OK;
}

/* The store keeps a chain and not what else its file holds: whoever asks for it by its id alone should find the rest.
 */
static void tell_of_what_is_missing(const ctn_cli *cli, ctn_plan *const *plans, size_t count)
{
    ctn_workspace ws; /* without the files that the command named */
    if (ctn_workspace_open(cli->arena, cli->args.values[CTN_OPT_CONFIG], cli->args.values[CTN_OPT_STORE], cli->overlay,
                           &ws, NULL))
        return;
    for (size_t i = 0; i < count; i++) {
        ctn_err err = {0};
        ctn_plan *plan = NULL;
        if (ctn_workspace_find_plan(&ws, cli->arena, plans[i]->chain_id, &plan, &err))
            ctn_cli_say(cli,
                        "%.*s cannot run by its id yet: %s. Instruction sets and templates are not stored with a "
                        "chain: name the file that has them in catena.yaml, include: [FILE]",
                        CTN_STR_ARG(plans[i]->chain_id), err.message);
        ctn_plan_free(plan);
    }
}

/* The tools of the chains are pinned as their servers list them now. A server that is not there is no fault of an
 * import: its tools are pinned when a chain first runs. */
static int pin_tools(ctn_cli *cli, const ctn_workspace *ws, ctn_store *store, ctn_plan *const *plans, size_t count)
{
    ctn_err err = {0};
    ctn_names targets, servers;
    ctn_tool_pin *pins = NULL;
    size_t pin_count = 0, added = 0;
    ctn_names_init(&targets, cli->arena);
    ctn_names_init(&servers, cli->arena);
    for (size_t i = 0; i < count; i++)
        ctn_tools_named(plans[i], &targets);
    for (uint32_t i = 0; i < targets.count; i++) {
        ctn_str rest = targets.items[i], name = ctn_str_cut(&rest, '/');
        if (ctn_config_server_of(ws->config, name))
            (void) ctn_names_add(&servers, name);
    }
    if (servers.count == 0)
        return CTN_EXIT_OK;
    ctn_drivers *drivers;
    const char **whys = CTN_NEW_ARRAY(cli->arena, const char *, servers.count);
    ctn_host *host = ctn_cli_host(cli, ws);
    int rc = ctn_prepare_servers(host, servers.items, servers.count, whys, &err);
    if (rc == CTN_OK)
        rc = ctn_tool_pins_read(store, cli->arena, &pins, &pin_count, &err);
    if (rc == CTN_OK)
        rc = ctn_host_drivers(host, &drivers, &err);
    if (rc == CTN_OK)
        rc = ctn_tool_pins_add(store, ctn_drivers_tools(drivers), &targets, pins, pin_count, ctn_actor_name(cli->arena),
                               &added, &err);
    ctn_host_close(host);
    if (rc == CTN_E_CLOSED)
        return CTN_EXIT_INTERRUPTED;
    if (rc)
        return ctn_cli_fail_err(cli, &err);
    for (uint32_t i = 0; i < servers.count; i++)
        if (whys[i])
            ctn_cli_say(cli, "the tools of server %.*s are pinned when a chain first calls them: %s",
                        CTN_STR_ARG(servers.items[i]), whys[i]);
    if (added)
        ctn_cli_say(cli, "%zu %s pinned as %s now", added, added == 1 ? "tool is" : "tools are",
                    added == 1 ? "it is" : "they are");
    return CTN_EXIT_OK;
}

static int compile_file(ctn_cli *cli, ctn_workspace *ws, ctn_str path, ctn_plan **ret_plan)
{
    const ctn_chain *chain;
    ctn_findings findings;
    ctn_findings_init(&findings, cli->arena);
    int exit_code = ctn_cli_chain(cli, ws, path, &chain);
    if (exit_code)
        return exit_code;
    if (ctn_plan_compile(cli->arena, ws->config->library, chain, &findings, ret_plan) == CTN_OK)
        return CTN_EXIT_OK;
    ctn_cli_findings(cli, &ws->library_findings, true);
    ctn_cli_findings(cli, &findings, true);
    return CTN_EXIT_USAGE;
}

/* Beside an owner that is fine; but an older store is brought up to date first, and that only when nobody owns it. */
static int open_for_import(const ctn_workspace *ws, ctn_store **ret_store, ctn_err *err)
{
    ctn_store_version v = {0};
    ctn_store_lock *lock = NULL;
    int rc = ctn_store_version_read(ws->store_url, &v, NULL);
    if (rc == CTN_OK && v.found && v.found < v.newest && (rc = ctn_store_lock_take(ws->store_url, &lock, err)))
        return rc;
    rc = ctn_store_open(ws->store_url, CTN_STORE_CREATE, ret_store, err);
    ctn_store_lock_release(lock);
    return rc;
}

static int run_chains_import(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_err err = {0};
    size_t count = cli->args.word_count;
    ctn_plan **plans = CTN_NEW_ARRAY(cli->arena, ctn_plan *, count);
    int exit_code = ctn_cli_workspace(cli, &ws);
    for (size_t i = 0; i < count && exit_code == CTN_EXIT_OK; i++) /* all, before anything is stored */
        exit_code = compile_file(cli, &ws, ctn_word(cli, i), &plans[i]);
    if (exit_code == CTN_EXIT_OK && (open_for_import(&ws, &store, &err) || ctn_audit_opened(store, &err)))
        exit_code = ctn_cli_fail_err(cli, &err);
    for (size_t i = 0; i < count && exit_code == CTN_EXIT_OK; i++)
        exit_code = import_chain(cli, store, plans[i]);
    if (exit_code == CTN_EXIT_OK)
        tell_of_what_is_missing(cli, plans, count);
    if (exit_code == CTN_EXIT_OK)
        exit_code = pin_tools(cli, &ws, store, plans, count);
    ctn_store_close(store);
    for (size_t i = 0; i < count; i++)
        ctn_plan_done(plans[i]);
    return exit_code;
}

const ctn_verb ctn_verb_chains_import = {
    .name = "chains import",
    .operands = "FILE...",
    .summary = "Put chains into the store, each under its id and a version",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(QUIET),
    .words_min = 1,
    .words_max = SIZE_MAX,
    .run = run_chains_import,
};

typedef struct stored {
    ctn_arena *arena;
    ctn_chain_row *rows;
    size_t count, capacity;
} stored;

static int keep_chain(void *ctx, const ctn_chain_row *row)
{
    stored *s = ctx;
    s->rows = ctn_arena_room(s->arena, s->rows, s->count, &s->capacity, sizeof *s->rows);
    s->rows[s->count] = *row;
    s->rows[s->count].chain_id = ctn_arena_str(s->arena, row->chain_id);
    s->rows[s->count++].created_by = (ctn_str){0};
    return 0;
}

static int read_stored(ctn_cli *cli, const ctn_workspace *ws, stored *ret)
{
    ctn_store *store = NULL;
    ctn_err err = {0};
    *ret = (stored){.arena = cli->arena};
    if (ws->store_file.len == 0 || !ctn_file_is_there(cli->arena, ws->store_file))
        return CTN_EXIT_OK;
    int rc = ctn_store_open(ws->store_url, CTN_STORE_READ, &store, &err);
    if (rc == CTN_E_STATE)
        return CTN_EXIT_OK;
    if (rc == CTN_OK)
        rc = ctn_store_chain_list(store, keep_chain, ret, &err);
    ctn_store_close(store);
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

typedef struct listed {
    ctn_str id, where;
    int64_t version; /* 0: not stored */
} listed;

static size_t merge(const ctn_workspace *ws, const stored *s, listed *rows)
{
    size_t count = 0;
    const ctn_library *library = ws->config->library;
    for (size_t i = 0; i < ctn_library_chain_count(library); i++) {
        const ctn_chain *chain = ctn_library_chain_at(library, i);
        rows[count++] = (listed){.id = chain->id, .where = ctn_source_file_name(chain->source)};
    }
    for (size_t i = 0; i < s->count; i++) {
        size_t k = 0;
        while (k < count && !ctn_str_equal(rows[k].id, s->rows[i].chain_id))
            k++;
        if (k == count)
            rows[count++] = (listed){.id = s->rows[i].chain_id, .where = CTN_STR("the store")};
        rows[k].version = s->rows[i].version;
    }
    return count;
}

static int run_chains_list(ctn_cli *cli)
{
    ctn_workspace ws;
    stored s;
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = read_stored(cli, &ws, &s);
    if (exit_code)
        return exit_code;
    ctn_cli_findings(cli, &ws.library_findings, true);
    listed *rows = CTN_NEW_ARRAY(cli->arena, listed, s.count + ctn_library_chain_count(ws.config->library));
    size_t count = merge(&ws, &s, rows), columns = 5;
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        ctn_json_builder list = ctn_json_array(cli->arena);
        for (size_t i = 0; i < count; i++) {
            ctn_json_builder b = ctn_json_object(cli->arena);
            ctn_json_put_str(&b, "chain", rows[i].id);
            ctn_json_put(&b, CTN_STR("version"), rows[i].version ? ctn_json_int(cli->arena, rows[i].version) : NULL);
            ctn_json_put_str(&b, "from", rows[i].where);
            ctn_json_push(&list, ctn_json_finish(&b));
        }
        ctn_result_print(cli, ctn_json_finish(&list));
        return CTN_EXIT_OK;
    }
    if (count == 0)
        ctn_cli_say(cli, "there are no chains; `include` of catena.yaml names their files");
    for (size_t i = 0; i < count; i++)
        columns = rows[i].id.len > columns ? rows[i].id.len : columns;
    if (count)
        printf("%s%-*s  %-7s  %s%s\n", ctn_colour_code(&cli->out, CTN_COLOUR_DIM), (int) columns, "CHAIN", "STORED",
               "FROM", ctn_colour_code(&cli->out, CTN_COLOUR_NONE));
    for (size_t i = 0; i < count; i++) {
        ctn_str version =
            rows[i].version ? ctn_arena_printf(cli->arena, "%lld", (long long) rows[i].version) : CTN_STR("-");
        printf("%-*.*s  %-7.*s  %.*s\n", (int) columns, CTN_STR_ARG(rows[i].id), CTN_STR_ARG(version),
               CTN_STR_ARG(rows[i].where));
    }
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_chains_list = {
    .name = "chains list",
    .operands = "",
    .summary = "List chains: the configuration's and the store's",
    .options = CTN_OPTS_READ,
    .run = run_chains_list,
};

static void print_chain(const ctn_cli *cli, const ctn_chain *chain, const ctn_plan *plan)
{
    const char *dim = ctn_colour_code(&cli->out, CTN_COLOUR_DIM), *plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE);
    printf("%s%.*s%s", ctn_colour_code(&cli->out, CTN_COLOUR_BOLD), CTN_STR_ARG(plan->chain_id), plain);
    if (ctn_json_text(chain->name).len)
        printf("  %.*s", CTN_STR_ARG(ctn_text_clean(cli->arena, ctn_json_text(chain->name), 100)));
    printf("\n");
    if (ctn_json_text(chain->description).len)
        printf("%.*s\n", CTN_STR_ARG(ctn_text_clean(cli->arena, ctn_json_text(chain->description), 0)));
    printf("\n%sinputs%s\n", dim, plain);
    for (uint32_t i = 0; i < plan->input_count; i++)
        printf("  %.*s%s\n", CTN_STR_ARG(plan->variables[plan->inputs[i].slot]),
               plan->inputs[i].is_required ? "" : " (optional)");
    if (plan->input_count == 0)
        printf("  none\n");
    printf("%ssteps%s\n", dim, plain);
    size_t columns = 0;
    for (uint32_t i = 0; i < plan->step_count; i++)
        columns = plan->steps[i].name.len > columns ? plan->steps[i].name.len : columns;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        const ctn_plan_step *step = &plan->steps[i];
        printf("  %-*.*s  %.*s", (int) columns, CTN_STR_ARG(step->name), CTN_STR_ARG(step->set->name));
        for (uint32_t k = 0; k < step->set->call_count; k++)
            printf("%s%.*s", k ? ", " : "  ", CTN_STR_ARG(step->set->calls[k].target));
        printf("%s%.*s%s\n", step->undo ? "  (undo: " : "", CTN_STR_ARG(step->undo ? step->undo->name : (ctn_str){0}),
               step->undo ? ")" : "");
    }
    printf("%soutputs%s\n", dim, plain);
    for (uint32_t i = 0; i < plan->result_count; i++)
        printf("  %.*s\n", CTN_STR_ARG(plan->results[i].name));
    if (plan->unsupported.len)
        (void) fflush(stdout), ctn_cli_say(cli, "%.*s", CTN_STR_ARG(plan->unsupported));
}

static int run_chains_show(ctn_cli *cli)
{
    ctn_workspace ws;
    const ctn_chain *chain;
    ctn_plan *plan = NULL;
    ctn_findings findings;
    ctn_findings_init(&findings, cli->arena);
    int exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_chain(cli, &ws, ctn_word(cli, 0), &chain);
    if (exit_code)
        return exit_code;
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        const ctn_json *v = NULL;
        (void) ctn_json_parse(cli->arena, ctn_definition_of_chain(cli->arena, chain), NULL, &v, NULL);
        ctn_result_print(cli, v);
        return CTN_EXIT_OK;
    }
    if (ctn_plan_compile(cli->arena, ws.config->library, chain, &findings, &plan)) {
        ctn_cli_findings(cli, &ws.library_findings, true);
        ctn_cli_findings(cli, &findings, true);
        return CTN_EXIT_USAGE;
    }
    print_chain(cli, chain, plan);
    ctn_plan_done(plan);
    return CTN_EXIT_OK;
}

const ctn_verb ctn_verb_chains_show = {
    .name = "chains show",
    .operands = "CHAIN",
    .summary = "Show a chain: its inputs, steps and outputs",
    .details = CTN_ABOUT_CHAIN,
    .options = CTN_OPTS_READ,
    .words_min = 1,
    .words_max = 1,
    .run = run_chains_show,
};
