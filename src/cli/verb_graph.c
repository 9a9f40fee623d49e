/*
 * verb_graph.c -- `graph`: a chain as a picture, on stdout; of an execution, with how far each step is.
 *
 * What must hold: a chain with errors gives no picture but its findings, as `check` tells them.
 */
#include "cli/named.h"
#include "cli/verb.h"
#include "draw/picture.h"
#include "engine/fold.h"
#include "host/config_servers.h"
#include <stdio.h>

#define PICTURE_BYTES_MAX ((size_t) 512 << 20)
#define ID_LENGTH_MIN     8

typedef enum format { FORMAT_SVG, FORMAT_MERMAID, FORMAT_DOT, FORMAT_COUNT } format;

static int read_format(ctn_cli *cli, format *ret)
{
    static const ctn_str NAMES[FORMAT_COUNT] = {{"svg", 3}, {"mermaid", 7}, {"dot", 3}};
    *ret = FORMAT_SVG;
    if (!ctn_opt_is_given(cli, CTN_OPT_FORMAT))
        return CTN_EXIT_OK;
    ctn_str said = ctn_str_from(cli->args.values[CTN_OPT_FORMAT]);
    for (format f = 0; f < FORMAT_COUNT; f++)
        if (ctn_str_equal(said, NAMES[f])) {
            *ret = f;
            return CTN_EXIT_OK;
        }
    return ctn_cli_fail(cli, "--format %.*s: %.*s", CTN_STR_ARG(said),
                        CTN_STR_ARG(ctn_suggest(cli->arena, said, NAMES, FORMAT_COUNT)));
}

/* ---- of a chain ---- */

static int graph_of_chain(ctn_cli *cli, ctn_workspace *ws, ctn_str name, ctn_graph **ret_graph)
{
    const ctn_chain *chain = NULL;
    ctn_plan *plan = NULL;
    int exit_code = ctn_cli_compile(cli, ws, name, &chain, &plan);
    if (exit_code)
        return exit_code;
    ctn_plan_free(plan);
    ctn_findings none; /* it compiled: there are no errors */
    ctn_findings_init(&none, cli->arena);
    if (ctn_graph_build(cli->arena, ws->config->library, chain, &none, ret_graph))
        return ctn_cli_fail(cli, "the chain %.*s has errors", CTN_STR_ARG(name));
    return CTN_EXIT_OK;
}

/* ---- of an execution ---- */

/* An id's beginning, and neither a file nor a chain that is known: chains come first. */
static bool looks_like_execution(const ctn_workspace *ws, ctn_str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (ctn_hex_value(word.ptr[i]) < 0 && word.ptr[i] != '-')
            return false;
    return word.len >= ID_LENGTH_MIN && !ctn_library_chain(ws->config->library, word);
}

/* CTN_E_NOT_FOUND: there is no such execution, and nothing was said. */
static int find_execution(ctn_cli *cli, const ctn_workspace *ws, ctn_str word, ctn_store **ret_store,
                          ctn_execution_row *ret_row)
{
    ctn_err err = {0};
    ctn_store *store = NULL;
    if (!looks_like_execution(ws, word) || ctn_store_open(ws->store_url, CTN_STORE_READ, &store, &err))
        return CTN_E_NOT_FOUND;
    int rc = ctn_store_execution_by_prefix(store, cli->arena, word, ret_row, &err);
    if (rc) {
        ctn_store_close(store);
        return CTN_E_NOT_FOUND;
    }
    *ret_store = store;
    return CTN_OK;
}

static int picture_of_execution(ctn_cli *cli, ctn_store *store, const ctn_execution_row *row,
                                const ctn_check_options *options, ctn_picture **ret_picture)
{
    ctn_err err = {0};
    ctn_execution *x = NULL;
    ctn_graph *graph = NULL;
    int rc = ctn_execution_load(store, cli->arena, row, &x, &err);
    if (rc == CTN_OK) {
        const ctn_plan *plan = ctn_execution_plan(x);
        rc = ctn_plan_graph(cli->arena, plan->definitions, plan->definition_count, &graph, &err);
    }
    if (rc == CTN_OK) {
        *ret_picture = ctn_picture_of(graph, options, cli->arena);
        ctn_picture_add_states(*ret_picture, x, cli->arena);
    }
    ctn_execution_unload(x);
    return rc ? ctn_cli_fail_err(cli, &err) : CTN_EXIT_OK;
}

/* ---- the verb ---- */

static int print_picture(const ctn_cli *cli, const ctn_picture *p, format f)
{
    ctn_buf out;
    ctn_buf_init(&out, PICTURE_BYTES_MAX);
    if (f == FORMAT_SVG)
        ctn_picture_svg(p, cli->arena, &out);
    else if (f == FORMAT_MERMAID)
        ctn_picture_mermaid(p, &out);
    else
        ctn_picture_dot(p, &out);
    int exit_code = CTN_EXIT_OK;
    if (out.overflowed)
        exit_code = ctn_cli_fail(cli, "the picture would be larger than %zu MiB", PICTURE_BYTES_MAX >> 20);
    else
        (void) fwrite(out.data, 1, out.len, stdout);
    ctn_buf_done(&out);
    return exit_code;
}

static int run_graph(ctn_cli *cli)
{
    format f;
    ctn_workspace ws;
    ctn_store *store = NULL;
    ctn_execution_row row;
    ctn_picture *picture = NULL;
    int exit_code = read_format(cli, &f);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_workspace(cli, &ws);
    if (exit_code)
        return exit_code;
    ctn_check_options options = {.effect = ctn_config_effect, .effect_ctx = ws.config};
    if (find_execution(cli, &ws, ctn_word(cli, 0), &store, &row) == CTN_OK)
        exit_code = picture_of_execution(cli, store, &row, &options, &picture);
    else {
        ctn_graph *graph = NULL;
        exit_code = graph_of_chain(cli, &ws, ctn_word(cli, 0), &graph);
        if (exit_code == CTN_EXIT_OK)
            picture = ctn_picture_of(graph, &options, cli->arena);
    }
    if (exit_code == CTN_EXIT_OK)
        exit_code = print_picture(cli, picture, f);
    ctn_store_close(store);
    return exit_code;
}

const ctn_verb ctn_verb_graph = {
    .name = "graph",
    .operands = "CHAIN|ID",
    .summary = "Draw a chain, or how far an execution of it is: SVG, Mermaid or Graphviz on stdout",
    .details = CTN_ABOUT_CHAIN
    "\n" CTN_ABOUT_ID " (8 characters here)\n"
    "--format svg (the default) is a file for a browser, mermaid and dot are text for those programs.\n"
    "A chain with errors is not drawn: they are told, as `check` does. Exit 2 then.",
    .options = CTN_OPTS_PLACE | CTN_OPT_BIT(FORMAT),
    .words_min = 1,
    .words_max = 1,
    .run = run_graph,
};
