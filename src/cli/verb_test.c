/*
 * verb_test.c -- `test`: the cases of test files, and what was not as expected: for people, programs and build servers.
 */
#include "cli/named.h"
#include "cli/result.h"
#include "host/config_servers.h"
#include "host/files.h"
#include "simulate/case_play.h"
#include "simulate/sub_chains.h"
#include <stdio.h>

typedef struct tested_case {
    const ctn_case *test;
    ctn_case_result *result;
    int64_t took_ms;
} tested_case;

typedef struct tested_file {
    ctn_str path;
    const ctn_case_file *file;
    tested_case *cases;
    size_t failed;
} tested_file;

typedef struct testing {
    ctn_cli *cli;
    tested_file *files;
    size_t count, passed, failed;
} testing;

static bool is_quiet(const testing *t)
{
    return ctn_opt_is_given(t->cli, CTN_OPT_QUIET);
}

/* ---- one file ---- */

/* A path that stands in the file is seen from its folder. */
static ctn_str seen_from(ctn_cli *cli, ctn_str path, ctn_str name)
{
    return ctn_path_join(cli->arena, ctn_path_folder(cli->arena, path), name);
}

static ctn_str chain_name(ctn_cli *cli, const tested_file *f)
{
    ctn_str beside = seen_from(cli, f->path, f->file->chain);
    return ctn_file_is_there(cli->arena, beside) && !ctn_file_is_folder(cli->arena, beside) ? beside : f->file->chain;
}

/* The configuration that the file names, unless the command line has one. */
static int open_workspace(ctn_cli *cli, const tested_file *f, ctn_workspace *ws)
{
    const char *given = cli->args.values[CTN_OPT_CONFIG];
    if (!given && f->file->config.len)
        cli->args.values[CTN_OPT_CONFIG] = ctn_arena_str(cli->arena, seen_from(cli, f->path, f->file->config)).ptr;
    int exit_code = ctn_cli_workspace(cli, ws);
    cli->args.values[CTN_OPT_CONFIG] = given;
    return exit_code;
}

static ctn_effect effect_of(void *ctx, const char *kind, ctn_str target, const char **ret_from)
{
    *ret_from = "operator";
    return ctn_config_effect(ctx, kind, target);
}

static int read_test_file(ctn_cli *cli, ctn_str path, tested_file *ret)
{
    ctn_str text;
    ctn_err err = {0};
    ctn_findings findings;
    ctn_source *source = NULL;
    ctn_case_file *file = NULL;
    ctn_findings_init(&findings, cli->arena);
    if (ctn_file_read(cli->arena, path, &text, &err))
        return ctn_cli_fail_err(cli, &err);
    if (ctn_source_parse(cli->arena, path, text, &findings, &source) ||
        ctn_case_file_read(cli->arena, source, &findings, &file)) {
        ctn_cli_findings(cli, &findings, true);
        return CTN_EXIT_USAGE;
    }
    *ret = (tested_file){.path = path, .file = file, .cases = CTN_NEW_ARRAY(cli->arena, tested_case, file->count)};
    return CTN_EXIT_OK;
}

static void print_case(const testing *t, const tested_file *f, const tested_case *c)
{
    const ctn_screen *out = &t->cli->out;
    bool passed = c->result->mismatch_count == 0;
    if (ctn_opt_is_given(t->cli, CTN_OPT_JSON) || (passed && is_quiet(t)))
        return;
    printf("%s%s%s %.*s: %.*s\n", ctn_colour_code(out, passed ? CTN_COLOUR_GREEN : CTN_COLOUR_RED),
           passed ? "ok    " : "FAILED", ctn_colour_code(out, CTN_COLOUR_NONE), CTN_STR_ARG(f->path),
           CTN_STR_ARG(ctn_text_clean(t->cli->arena, c->test->name, 0)));
    for (size_t i = 0; i < c->result->mismatch_count; i++) {
        const ctn_case_mismatch *m = &c->result->mismatches[i];
        printf("       %.*s:%u:%u: %.*s\n", CTN_STR_ARG(f->path), m->at.line, m->at.column,
               CTN_STR_ARG(ctn_text_clean(t->cli->arena, m->text, 0)));
    }
}

static int play_cases(testing *t, tested_file *f, const ctn_workspace *ws, const ctn_plan *plan,
                      const ctn_sub_chains *children)
{
    ctn_cli *cli = t->cli;
    ctn_err err = {0};
    ctn_case_options o = {.file = f->file,
                          .plan = plan,
                          .plans = children->plans,
                          .plan_count = children->count,
                          .rules = ctn_config_rules(ws->config),
                          .effect = effect_of,
                          .effect_ctx = ws->config};
    for (size_t i = 0; i < f->file->count; i++) {
        tested_case *c = &f->cases[i];
        *c = (tested_case){.test = &f->file->cases[i], .result = CTN_NEW(cli->arena, ctn_case_result)};
        o.test = c->test;
        int64_t began_ms = ctn_cli_now_ms();
        if (ctn_case_play(&o, cli->arena, c->result, &err))
            return ctn_cli_fail_err(cli, &err);
        c->took_ms = ctn_cli_now_ms() - began_ms;
        bool passed = c->result->mismatch_count == 0;
        t->passed += passed;
        t->failed += !passed;
        f->failed += !passed;
        print_case(t, f, c);
    }
    return CTN_EXIT_OK;
}

static int test_file(testing *t, ctn_str path, tested_file *f)
{
    ctn_cli *cli = t->cli;
    ctn_workspace ws;
    ctn_plan *plan = NULL;
    ctn_findings findings;
    ctn_sub_chains children = {0};
    ctn_err err = {0};
    int exit_code = read_test_file(cli, path, f);
    if (exit_code == CTN_EXIT_OK)
        exit_code = open_workspace(cli, f, &ws);
    if (exit_code == CTN_EXIT_OK)
        exit_code = ctn_cli_compile(cli, &ws, chain_name(cli, f), NULL, &plan);
    if (exit_code)
        return exit_code;
    ctn_findings_init(&findings, cli->arena);
    if (plan->unsupported.len) {
        exit_code = ctn_cli_fail(cli, "%.*s", CTN_STR_ARG(plan->unsupported));
    } else if (ctn_sub_chains_open(&children, plan, &err)) {
        exit_code = ctn_cli_fail_err(cli, &err);
    } else if (ctn_case_file_check(cli->arena, f->file, plan, children.plans, children.count, &findings)) {
        ctn_cli_findings(cli, &findings, true);
        exit_code = CTN_EXIT_USAGE;
    } else {
        exit_code = play_cases(t, f, &ws, plan, &children);
    }
    ctn_sub_chains_close(&children);
    ctn_plan_free(plan);
    return exit_code;
}

/* ---- JUnit ---- */

static void put_xml(ctn_buf *out, ctn_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        switch (c) {
        case '<': ctn_buf_append_literal(out, "&lt;"); break;
        case '>': ctn_buf_append_literal(out, "&gt;"); break;
        case '&': ctn_buf_append_literal(out, "&amp;"); break;
        case '"': ctn_buf_append_literal(out, "&quot;"); break;
        default:
            if ((unsigned char) c >= ' ' || c == '\t' || c == '\n')
                ctn_buf_append_char(out, c);
            else
                ctn_buf_append_char(out, '?'); /* XML has no other control characters */
        }
    }
}

static void put_junit_case(ctn_buf *out, const tested_file *f, const tested_case *c)
{
    ctn_buf_append_literal(out, "    <testcase classname=\"");
    put_xml(out, f->file->chain);
    ctn_buf_append_literal(out, "\" name=\"");
    put_xml(out, c->test->name);
    ctn_buf_printf(out, "\" time=\"%.3f\"", (double) c->took_ms / 1000.0);
    if (c->result->mismatch_count == 0) {
        ctn_buf_append_literal(out, "/>\n");
        return;
    }
    ctn_buf_append_literal(out, ">\n      <failure message=\"");
    put_xml(out, c->result->mismatches[0].text);
    ctn_buf_append_literal(out, "\">");
    for (size_t i = 0; i < c->result->mismatch_count; i++) {
        const ctn_case_mismatch *m = &c->result->mismatches[i];
        put_xml(out, f->path);
        ctn_buf_printf(out, ":%u:%u: ", m->at.line, m->at.column);
        put_xml(out, m->text);
        ctn_buf_append_char(out, '\n');
    }
    ctn_buf_append_literal(out, "</failure>\n    </testcase>\n");
}

static int write_junit(const testing *t)
{
    const char *path = t->cli->args.values[CTN_OPT_JUNIT];
    ctn_buf out;
    ctn_buf_init(&out, (size_t) 256 << 20);
    ctn_buf_printf(&out,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"catena\" tests=\"%zu\" "
                   "failures=\"%zu\">\n",
                   t->passed + t->failed, t->failed);
    for (size_t i = 0; i < t->count; i++) {
        const tested_file *f = &t->files[i];
        ctn_buf_append_literal(&out, "  <testsuite name=\"");
        put_xml(&out, f->path);
        ctn_buf_printf(&out, "\" tests=\"%zu\" failures=\"%zu\">\n", f->file->count, f->failed);
        for (size_t k = 0; k < f->file->count; k++)
            put_junit_case(&out, f, &f->cases[k]);
        ctn_buf_append_literal(&out, "  </testsuite>\n");
    }
    ctn_buf_append_literal(&out, "</testsuites>\n");
    FILE *file = fopen(path, "we");
    bool is_written = file && fwrite(out.data, 1, out.len, file) == out.len;
    is_written = (!file || fclose(file) == 0) && is_written;
    ctn_buf_done(&out);
    return is_written ? CTN_EXIT_OK : ctn_cli_fail(t->cli, "--junit %s: it cannot be written", path);
}

/* ---- JSON ---- */

static const ctn_json *results_json(const testing *t)
{
    ctn_arena *arena = t->cli->arena;
    ctn_json_builder cases = ctn_json_array(arena), b = ctn_json_object(arena);
    for (size_t i = 0; i < t->count; i++)
        for (size_t k = 0; k < t->files[i].file->count; k++) {
            const tested_case *c = &t->files[i].cases[k];
            ctn_json_builder x = ctn_json_object(arena), list = ctn_json_array(arena);
            for (size_t n = 0; n < c->result->mismatch_count; n++) {
                ctn_json_builder m = ctn_json_object(arena);
                ctn_json_put_int(&m, "line", c->result->mismatches[n].at.line);
                ctn_json_put_int(&m, "column", c->result->mismatches[n].at.column);
                ctn_json_put_str(&m, "message", c->result->mismatches[n].text);
                ctn_json_push(&list, ctn_json_finish(&m));
            }
            ctn_json_put_str(&x, "file", t->files[i].path);
            ctn_json_put_str(&x, "name", c->test->name);
            ctn_json_put_bool(&x, "passed", c->result->mismatch_count == 0);
            ctn_json_put_str(&x, "status", ctn_str_from(ctn_status_name(c->result->status)));
            ctn_json_put(&x, CTN_STR("mismatches"), ctn_json_finish(&list));
            ctn_json_push(&cases, ctn_json_finish(&x));
        }
    ctn_json_put_int(&b, "passed", (int64_t) t->passed);
    ctn_json_put_int(&b, "failed", (int64_t) t->failed);
    ctn_json_put(&b, CTN_STR("cases"), ctn_json_finish(&cases));
    return ctn_json_finish(&b);
}

/* ---- the verb ---- */

static int run_test(ctn_cli *cli)
{
    testing t = {.cli = cli, .files = CTN_NEW_ARRAY(cli->arena, tested_file, cli->args.word_count)};
    int exit_code = CTN_EXIT_OK;
    for (size_t i = 0; i < cli->args.word_count; i++) {
        int file_exit = test_file(&t, ctn_word(cli, i), &t.files[t.count]);
        if (file_exit)
            exit_code = file_exit; /* the other files are tested all the same */
        else
            t.count++;
    }
    if (ctn_opt_is_given(cli, CTN_OPT_JSON))
        ctn_result_print(cli, results_json(&t));
    else if (!is_quiet(&t) || t.failed)
        printf("%zu passed, %zu failed\n", t.passed, t.failed);
    if (ctn_opt_is_given(cli, CTN_OPT_JUNIT) && write_junit(&t))
        exit_code = CTN_EXIT_USAGE;
    return exit_code ? exit_code : t.failed ? CTN_EXIT_ENDED : CTN_EXIT_OK;
}

const ctn_verb ctn_verb_test = {
    .name = "test",
    .operands = "FILE...",
    .summary = "Run the test cases of chains: canned tools, skipped time, expected outcome",
    .details =
        "A FILE names a chain and cases: input, what its tools answer, what people say, and what must come of it\n"
        "(docs/simulate.md). No tool is called; a wait is over at once.\n"
        "Exit: 0 all passed; 1 some failed; 2 wrong use, or a file that says what it may not.",
    .options = CTN_OPT_BIT(CONFIG) | CTN_OPT_BIT(JSON) | CTN_OPT_BIT(QUIET) | CTN_OPT_BIT(JUNIT),
    .words_min = 1,
    .words_max = SIZE_MAX,
    .run = run_test,
};
