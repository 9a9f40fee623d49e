/*
 * verb_why.c -- where a value came from, why a step did what it did: the walk of journal/why.h, read from the store and
 * told as a tree.
 *
 *     proposal_document = "Dear ..." (1,240 bytes)
 *     └ document client-proposal-template  step generate_proposal, 12:03:04 (seq 9)
 *       ├ client_info = {"name":"Dana"}
 *       │ └ answer of travel/extract_lead at client_info  step extract_lead_data, 12:03:01 (seq 2)
 *       │   └ raw_lead = "Hi ..." ← input, given by dana  (seq 1)
 *
 * A cause that has no cause of its own stands on the line of what it caused. Values are shortened to the line; --json
 * has them whole.
 */
#include "cli/named.h"
#include "cli/parked.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "host/explain.h"
#include <stdio.h>

#define LINE_COLUMNS  120
#define VALUE_COLUMNS 60

/* ---- one line ---- */

typedef struct glyphs {
    const char *branch, *last, *down, *from;
} glyphs;

static const glyphs UTF8_GLYPHS = {"\u251c ", "\u2514 ", "\u2502 ", "\u2190"};
static const glyphs PLAIN_GLYPHS = {"|- ", "`- ", "|  ", "<-"};

typedef struct writer {
    const ctn_cli *cli;
    const glyphs *glyphs;
    const char *dim, *bold, *plain;
} writer;

static ctn_str value_text(const writer *w, const ctn_why_node *node)
{
    ctn_arena *arena = w->cli->arena;
    if (node->is_redacted)
        return CTN_STR(" = [not shown: sensitive]");
    if (!node->value)
        return (ctn_str){0};
    ctn_str whole = ctn_json_to_str(arena, node->value);
    ctn_str shown = ctn_text_clean(arena, whole.len > 4096 ? (ctn_str){whole.ptr, 4096} : whole, VALUE_COLUMNS);
    if (ctn_text_columns(whole) <= VALUE_COLUMNS)
        return ctn_arena_printf(arena, " = %.*s", CTN_STR_ARG(shown));
    return ctn_arena_printf(arena, " = %.*s %s(%zu bytes)%s", CTN_STR_ARG(shown), w->dim, whole.len, w->plain);
}

/* "step S, item 3, attempt 2, 12:03:04 (seq 31)" */
static ctn_str place_text(const writer *w, const ctn_why_node *node)
{
    ctn_arena *arena = w->cli->arena;
    bool is_step_line = node->kind == CTN_WHY_STEP || node->kind == CTN_WHY_EVENT || node->kind == CTN_WHY_CONDITION;
    ctn_str text = {0};
    if (node->step.len && !is_step_line && node->kind != CTN_WHY_VARIABLE)
        text = ctn_arena_printf(arena, ", step %.*s", CTN_STR_ARG(node->step));
    if (node->item >= 0 && node->kind != CTN_WHY_VARIABLE)
        text = ctn_arena_printf(arena, "%.*s, item %lld", CTN_STR_ARG(text), (long long) node->item);
    if (node->attempt > 1 && !is_step_line && node->kind != CTN_WHY_VARIABLE)
        text = ctn_arena_printf(arena, "%.*s, attempt %u", CTN_STR_ARG(text), node->attempt);
    if (node->at_ms && node->kind != CTN_WHY_VARIABLE)
        text = ctn_arena_printf(arena, "%.*s, %s", CTN_STR_ARG(text), ctn_moment_text(node->at_ms).text + 11);
    if (text.len)
        text = ctn_str_from_offset(text, 2);
    if (node->seq && node->kind != CTN_WHY_VARIABLE)
        text = ctn_arena_printf(arena, "%.*s%s(seq %llu)", CTN_STR_ARG(text), text.len ? " " : "",
                                (unsigned long long) node->seq);
    return text;
}

static ctn_str node_text(const writer *w, const ctn_why_node *node)
{
    ctn_arena *arena = w->cli->arena;
    const char *from = w->glyphs->from;
    ctn_str role = ctn_text_clean(arena, node->role, 40), name = ctn_text_clean(arena, node->name, 80);
    bool is_named = node->kind == CTN_WHY_VARIABLE || node->kind == CTN_WHY_ENGINE || node->kind == CTN_WHY_SECRET ||
                    node->kind == CTN_WHY_TEMPLATE || node->kind == CTN_WHY_OUTPUT;
    bool has_role = role.len && !(is_named && ctn_str_equal(role, name));
    ctn_str text = ctn_text_clean(arena, node->text, 0), place = place_text(w, node);
    ctn_str value = is_named || node->kind == CTN_WHY_EARLIER ? value_text(w, node) : (ctn_str){0};
    ctn_str args = {0};
    if (node->kind == CTN_WHY_EVENT && node->args)
        args = ctn_arena_printf(arena, " with %.*s",
                                CTN_STR_ARG(ctn_text_clean(arena, ctn_json_to_str(arena, node->args), LINE_COLUMNS)));
    ctn_str way = node->path.len
                      ? ctn_arena_printf(arena, ", at %.*s", CTN_STR_ARG(ctn_text_clean(arena, node->path, 60)))
                      : (ctn_str){0};
    ctn_str head = has_role ? ctn_arena_printf(arena, "%.*s %s ", CTN_STR_ARG(role), from) : (ctn_str){0};
    if (is_named)
        head = ctn_arena_printf(arena, "%.*s%s%.*s%s", CTN_STR_ARG(head), w->bold, CTN_STR_ARG(name), w->plain);
    if (node->see)
        place = CTN_STR("(told above)");
    return ctn_arena_printf(arena, "%.*s%.*s%s%.*s%.*s%.*s%s%s%.*s%s", CTN_STR_ARG(head), CTN_STR_ARG(value),
                            text.len && (is_named || value.len) ? ": " : "", CTN_STR_ARG(text), CTN_STR_ARG(way),
                            CTN_STR_ARG(args), place.len ? "  " : "", w->dim, CTN_STR_ARG(place), w->plain);
}

/* ---- the tree ---- */

static void print_node(const writer *w, const ctn_why_node *node, ctn_str head, ctn_str below)
{
    ctn_arena *arena = w->cli->arena;
    printf("%.*s%.*s", CTN_STR_ARG(head), CTN_STR_ARG(node_text(w, node)));
    const ctn_why_node *child = node->first;
    if (child && !child->next && !child->first && !child->is_cut && node->kind != CTN_WHY_STEP) {
        printf(" %s %.*s", w->glyphs->from, CTN_STR_ARG(node_text(w, child)));
        child = NULL;
    }
    putchar('\n');
    for (; child; child = child->next) {
        bool is_last = !child->next && !node->is_cut;
        print_node(w, child,
                   ctn_arena_printf(arena, "%.*s%s", CTN_STR_ARG(below), is_last ? w->glyphs->last : w->glyphs->branch),
                   ctn_arena_printf(arena, "%.*s%s", CTN_STR_ARG(below),
                                    is_last ? (w->glyphs == &UTF8_GLYPHS ? "  " : "   ") : w->glyphs->down));
    }
    if (node->is_cut)
        printf("%.*s%s%sthere is more: ask about it by its name, or see catena history%s\n", CTN_STR_ARG(below),
               w->glyphs->last, w->dim, w->plain);
}

/* ---- the verb ---- */

static int read_at(ctn_cli *cli, uint64_t *ret_seq)
{
    int64_t seq = 0;
    if (!ctn_opt_is_given(cli, CTN_OPT_AT))
        return CTN_EXIT_OK;
    ctn_str text = ctn_str_from(cli->args.values[CTN_OPT_AT]);
    if (!ctn_str_to_int64(text, &seq) || seq < 1)
        return ctn_cli_fail(cli, "--at %.*s: write the seq of a journal entry, from 1 on", CTN_STR_ARG(text));
    *ret_seq = (uint64_t) seq;
    return CTN_EXIT_OK;
}

/* What is asked about, and whether it is a step. */
static int read_question(ctn_cli *cli, ctn_question_why *ret)
{
    bool has_word = cli->args.word_count > 1;
    *ret = (ctn_question_why){.is_step = ctn_opt_is_given(cli, CTN_OPT_STEP),
                              .is_variable = ctn_opt_is_given(cli, CTN_OPT_VARIABLE)};
    if (has_word + ret->is_step + ret->is_variable != 1)
        return ctn_cli_fail(cli, "name one thing to explain: catena why ID NAME, or --variable NAME, or --step STEP");
    ret->name = has_word       ? ctn_word(cli, 1)
                : ret->is_step ? ctn_str_from(cli->args.values[CTN_OPT_STEP])
                               : ctn_str_from(cli->args.values[CTN_OPT_VARIABLE]);
    return read_at(cli, &ret->at_seq);
}

static int explain(ctn_cli *cli, ctn_store *store, ctn_explanation *e)
{
    ctn_question_why q;
    const ctn_why_node *node = NULL;
    bool is_both = false;
    ctn_err err = {0};
    const ctn_execution *x = ctn_explanation_execution(e);
    int exit_code = read_question(cli, &q);
    if (exit_code)
        return exit_code;
    if (ctn_explanation_ask(e, &q, &node, &is_both, &err)) {
        ctn_str chain = ctn_execution_plan(x)->chain_id;
        if (ctn_str_ends_with(ctn_str_from(err.message),
                              ctn_arena_printf(cli->arena, "no step of the chain %.*s", CTN_STR_ARG(chain))))
            return ctn_cli_fail(cli, "%s; see: catena chains show %.*s", err.message, CTN_STR_ARG(chain));
        return ctn_cli_fail_err(cli, &err);
    }
    if (ctn_opt_is_given(cli, CTN_OPT_JSON)) {
        ctn_result_print(cli, ctn_why_to_json(cli->arena, node));
        return CTN_EXIT_OK;
    }
    writer w = {.cli = cli,
                .glyphs = cli->out.has_utf8 ? &UTF8_GLYPHS : &PLAIN_GLYPHS,
                .dim = ctn_colour_code(&cli->out, CTN_COLOUR_DIM),
                .bold = ctn_colour_code(&cli->out, CTN_COLOUR_BOLD),
                .plain = ctn_colour_code(&cli->out, CTN_COLOUR_NONE)};
    print_node(&w, node, (ctn_str){0}, (ctn_str){0});
    (void) fflush(stdout);
    if (node->kind == CTN_WHY_STEP &&
        (ctn_str_is(node->status, "waiting") || ctn_str_is(node->status, "interrupted"))) {
        ctn_snapshot s = ctn_snapshot_of(x, cli->arena);
        ctn_tell_parked(cli, store, x, &s); /* and how it goes on */
    }
    if (is_both)
        ctn_cli_say(cli, "%.*s is a step too: %.*s", CTN_STR_ARG(q.name),
                    CTN_STR_ARG(ctn_cli_command(cli, "why %s --step %.*s", ctn_id_to_text(ctn_execution_id_of(x)).text,
                                                CTN_STR_ARG(q.name))));
    return CTN_EXIT_OK;
}

static int run_why(ctn_cli *cli)
{
    ctn_workspace ws;
    ctn_execution_row row;
    ctn_err err = {0};
    ctn_store *store = NULL;
    ctn_explanation *e = NULL;
    int exit_code = ctn_cli_open(cli, &ws, &store);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_execution(cli, &ws, store, &row);
    if (exit_code == CTN_EXIT_OK && ctn_explanation_open(store, cli->arena, &row, &e, &err))
        exit_code = ctn_cli_fail_err(cli, &err);
    if (exit_code == CTN_EXIT_OK)
        exit_code = explain(cli, store, e);
    ctn_explanation_close(e);
    ctn_store_close(store);
    return exit_code;
}

const ctn_verb ctn_verb_why = {
    .name = "why",
    .operands = "ID VARIABLE[.PATH] | STEP",
    .summary = "Explain where a value came from, or why a step did what it did",
    .details = CTN_ABOUT_ID
    "\nA value is walked back through templates, tools' answers and inputs to where it came from. A step is\n"
    "explained by its condition with the values it read, and by everything that happened to it.",
    .options = CTN_OPTS_READ | CTN_OPT_BIT(STEP) | CTN_OPT_BIT(VARIABLE) | CTN_OPT_BIT(AT),
    .words_min = 1,
    .words_max = 2,
    .run = run_why,
};
