/*
 * What the documentation shows is true: README.md and docs/ are read for fenced blocks, and each of these is tried.
 *
 *     ```yaml                  first line "# chain: NAME": a complete chain, checked without any finding, and this
 *                              version runs it; with " (not yet)" behind the name it only checks it
 *                              first line "# sets: NAME": instruction sets that the page's chains may use
 *     ```mustache NAME         a document template that they may use
 *     ```json context          what the names below lead to
 *     ```text expressions      lines EXPRESSION => JSON, or a verdict, or "fails: CODE"
 *     ```text templates        lines TEMPLATE => JSON, or "fails: CODE"
 *
 * Every other block is for the reader alone. docs/language-tests.md has a row for every key, with a test that is there.
 */
#include <dirent.h>
#include <stdio.h>

#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/json_kit.h"

#define PAGES_MAX  64
#define BLOCKS_MAX 128

typedef struct block {
    ctn_str info, body;
    unsigned line; /* of its first line */
} block;

typedef struct page {
    ctn_arena *arena;
    const char *name;
    block blocks[BLOCKS_MAX];
    size_t count;
    size_t chains, rows; /* what was tried */
} page;

static void read_page(page *p, const char *path)
{
    *p = (page){.arena = ctn_arena_new(1 << 16), .name = path};
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    if (!ctn_read_file(path, &text))
        fail_msg("no %s: run this from the root of the repository", path);
    ctn_str rest = ctn_arena_str(p->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    block *open = NULL;
    for (unsigned line = 1; rest.ptr; line++) {
        ctn_str row = ctn_str_cut(&rest, '\n');
        if (!ctn_str_starts_with(row, CTN_STR("```")))
            continue;
        if (open) {
            open->body.len = (size_t) (row.ptr - open->body.ptr);
            open = NULL;
            continue;
        }
        assert_true(p->count < BLOCKS_MAX);
        open = &p->blocks[p->count++];
        *open = (block){.info = ctn_str_trim(ctn_str_from_offset(row, 3)), .body = rest, .line = line + 1};
    }
    if (open)
        fail_msg("%s:%u: this block has no end", path, open->line);
}

/* The text behind `mark` in the block's first line; ptr NULL when it does not begin so. */
static ctn_str marked(const block *b, const char *mark)
{
    ctn_str body = b->body;
    ctn_str first = ctn_str_cut(&body, '\n');
    if (!ctn_str_is(b->info, "yaml") || !ctn_str_starts_with(first, ctn_str_from(mark)))
        return (ctn_str){0};
    return ctn_str_trim(ctn_str_from_offset(first, strlen(mark)));
}

static void add_company(page *p, chain_kit *kit)
{
    for (size_t i = 0; i < p->count; i++) {
        block *b = &p->blocks[i];
        ctn_str name = marked(b, "# sets:");
        if (name.ptr)
            (void) ctn_library_add_text(kit->library, name, b->body, &kit->findings, NULL);
        if (ctn_str_starts_with(b->info, CTN_STR("mustache ")))
            (void) ctn_library_add_template(kit->library, CTN_STR(""), ctn_str_from_offset(b->info, 9), b->body,
                                            &kit->findings);
    }
}

static void try_chain(page *p, const block *b, ctn_str name)
{
    bool is_later = ctn_str_ends_with(name, CTN_STR(" (not yet)"));
    chain_kit kit;
    chain_kit_init(&kit);
    add_company(p, &kit);
    (void) ctn_library_add_text(kit.library, name, b->body, &kit.findings, &kit.chain);
    chain_kit_check(&kit, NULL);
    if (kit.findings.count)
        fail_msg("%s:%u: chain %.*s:\n%.*s", p->name, b->line, CTN_STR_ARG(name),
                 CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    ctn_plan *plan = chain_kit_compile(&kit);
    if ((plan->unsupported.len > 0) != is_later)
        fail_msg("%s:%u: chain %.*s: %.*s", p->name, b->line, CTN_STR_ARG(name),
                 CTN_STR_ARG(is_later ? CTN_STR("can be run by now") : plan->unsupported));
    ctn_plan_done(plan);
    chain_kit_done(&kit);
    p->chains++;
}

static ctn_str expression_gives(ctn_arena *arena, const ctn_scope *scope, ctn_str text, ctn_err *err)
{
    static const char *const words[] = {"", "skip", "continue", "fail"};
    ctn_expression *e = NULL;
    const ctn_json *value = NULL;
    ctn_verdict verdict = CTN_VERDICT_NONE;
    if (ctn_expression_compile(arena, text, &e, err))
        return CTN_STR("does not compile");
    ctn_failure failure = ctn_expression_eval(e, scope, arena, &value, &verdict, err);
    if (failure)
        return ctn_arena_printf(arena, "fails: %s", ctn_failure_name(failure));
    return verdict ? ctn_str_from(words[verdict]) : ctn_json_to_str(arena, value);
}

static ctn_str template_gives(ctn_arena *arena, const ctn_scope *scope, ctn_str text, ctn_err *err)
{
    ctn_template *t = NULL;
    const ctn_json *value = NULL;
    if (ctn_template_compile(arena, text, &t, err))
        return CTN_STR("does not compile");
    ctn_failure failure = ctn_template_render(t, scope, arena, 1 << 20, &value, err);
    if (failure)
        return ctn_arena_printf(arena, "fails: %s", ctn_failure_name(failure));
    return ctn_json_to_str(arena, value);
}

/* Expected JSON may have blanks in it. */
static ctn_str compact(ctn_arena *arena, ctn_str text)
{
    const ctn_json *value = NULL;
    return ctn_json_parse(arena, text, NULL, &value, NULL) == CTN_OK ? ctn_json_to_str(arena, value) : text;
}

static void try_rows(page *p, const block *b, const ctn_scope *scope, bool is_template)
{
    ctn_str rest = b->body;
    for (unsigned line = b->line; rest.len; line++) {
        ctn_str row = ctn_str_trim(ctn_str_cut(&rest, '\n'));
        if (row.len == 0)
            continue;
        size_t at = ctn_str_find(row, CTN_STR(" => "));
        if (at == SIZE_MAX)
            fail_msg("%s:%u: a row says what it gives behind =>", p->name, line);
        ctn_str text = ctn_str_trim((ctn_str){row.ptr, at});
        ctn_str expected = compact(p->arena, ctn_str_trim(ctn_str_from_offset(row, at + 4)));
        ctn_err err = {0};
        ctn_str got =
            is_template ? template_gives(p->arena, scope, text, &err) : expression_gives(p->arena, scope, text, &err);
        if (!ctn_str_equal(got, expected))
            fail_msg("%s:%u: %.*s\ngives %.*s %s\nnot   %.*s", p->name, line, CTN_STR_ARG(text), CTN_STR_ARG(got),
                     err.message, CTN_STR_ARG(expected));
        p->rows++;
    }
}

static void try_page(page *p)
{
    ctn_scope scope = json_scope(p->arena, "{}");
    for (size_t i = 0; i < p->count; i++) {
        const block *b = &p->blocks[i];
        ctn_str name = marked(b, "# chain:");
        if (name.ptr)
            try_chain(p, b, name);
        if (ctn_str_is(b->info, "json context"))
            scope = json_scope(p->arena, ctn_arena_str(p->arena, b->body).ptr);
        if (ctn_str_is(b->info, "text expressions"))
            try_rows(p, b, &scope, false);
        if (ctn_str_is(b->info, "text templates"))
            try_rows(p, b, &scope, true);
    }
}

static void every_example_of_the_documentation_is_true(void **state)
{
    (void) state;
    static char paths[PAGES_MAX][256];
    size_t page_count = 0, chains = 0, rows = 0;
    DIR *folder = opendir("docs");
    if (!folder)
        fail_msg("no docs: run this from the root of the repository");
    snprintf(paths[page_count++], sizeof paths[0], "README.md");
    for (struct dirent *entry; (entry = readdir(folder));)
        if (ctn_str_ends_with(ctn_str_from(entry->d_name), CTN_STR(".md")) && page_count < PAGES_MAX)
            snprintf(paths[page_count++], sizeof paths[0], "docs/%.200s", entry->d_name);
    closedir(folder);
    for (size_t i = 0; i < page_count; i++) {
        page p;
        read_page(&p, paths[i]);
        try_page(&p);
        chains += p.chains;
        rows += p.rows;
        ctn_arena_free(p.arena);
    }
    print_message("%zu chains and %zu rows in %zu pages\n", chains, rows, page_count);
    assert_true(chains >= 4 && rows >= 30);
}

/* ---- docs/language-tests.md: every key, filter and function has a test ---- */

typedef struct proof {
    ctn_str table, key, program, test;
} proof;

/* "`x`" -> "x" */
static ctn_str cell(ctn_str *rest)
{
    ctn_str text = ctn_str_trim(ctn_str_cut(rest, '|'));
    if (text.len > 2 && text.ptr[0] == '`' && text.ptr[text.len - 1] == '`')
        text = (ctn_str){text.ptr + 1, text.len - 2};
    return text;
}

static size_t read_proofs(ctn_str text, proof *proofs, size_t max)
{
    size_t count = 0;
    while (text.ptr) {
        ctn_str row = ctn_str_cut(&text, '\n');
        if (!ctn_str_starts_with(row, CTN_STR("| ")) || ctn_str_starts_with(row, CTN_STR("| of ")) ||
            ctn_str_starts_with(row, CTN_STR("| --")))
            continue;
        row = ctn_str_from_offset(row, 1);
        assert_true(count < max);
        proof *p = &proofs[count++];
        p->table = cell(&row);
        p->key = cell(&row);
        p->program = cell(&row);
        p->test = cell(&row);
    }
    return count;
}

/* "unit_chain_test_plan" -> "tests/unit/chain/test_plan.c" */
static void source_of(ctn_str program, char *path, size_t size)
{
    size_t at = ctn_str_find(program, CTN_STR("_test_"));
    assert_true(at != SIZE_MAX);
    int len = snprintf(path, size, "tests/%.*s/%.*s.c", (int) at, program.ptr, (int) (program.len - at - 1),
                       program.ptr + at + 1);
    assert_true(len > 0 && (size_t) len < size);
    if (strncmp(path, "tests/unit_", 11) == 0)
        path[10] = '/';
}

static void needs_proof(const proof *proofs, size_t count, const char *table, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (ctn_str_is(proofs[i].table, table) && ctn_str_is(proofs[i].key, key))
            return;
    fail_msg("docs/language-tests.md has no row for `%s` of %s: name a test that fails without it", key, table);
}

static void need_proofs(const proof *proofs, size_t count, const ctn_key_table *tables, size_t table_count)
{
    for (size_t t = 0; t < table_count; t++)
        for (size_t k = 0; k < tables[t].count; k++)
            needs_proof(proofs, count, tables[t].name, tables[t].keys[k].name);
}

/* The names in a table of the sources: lines {"name", ... */
static void need_names(const proof *proofs, size_t count, const char *path, const char *from, const char *table)
{
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    assert_true(ctn_read_file(path, &text));
    ctn_str rest = ctn_buf_str(&text);
    size_t at = ctn_str_find(rest, ctn_str_from(from)), found = 0;
    assert_true(at != SIZE_MAX);
    rest = ctn_str_from_offset(rest, at);
    for (ctn_str row = ctn_str_cut(&rest, '\n'); !ctn_str_starts_with(row, CTN_STR("};"));
         row = ctn_str_cut(&rest, '\n')) {
        row = ctn_str_trim(row);
        if (!ctn_str_starts_with(row, CTN_STR("{\"")))
            continue;
        ctn_str name = ctn_str_from_offset(row, 2);
        char key[64];
        name = ctn_str_cut(&name, '"');
        snprintf(key, sizeof key, "%.*s", CTN_STR_ARG(name));
        needs_proof(proofs, count, table, key);
        found++;
    }
    assert_true(found > 10);
    ctn_buf_done(&text);
}

static void every_key_of_the_language_has_a_test(void **state)
{
    (void) state;
    static proof proofs[512];
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    assert_true(ctn_read_file("docs/language-tests.md", &text));
    size_t count = read_proofs(ctn_buf_str(&text), proofs, sizeof proofs / sizeof *proofs);
    need_proofs(proofs, count, ctn_chain_tables, ctn_chain_table_count);
    need_proofs(proofs, count, ctn_step_tables, ctn_step_table_count);
    need_proofs(proofs, count, ctn_set_tables, ctn_set_table_count);
    need_proofs(proofs, count, ctn_work_tables, ctn_work_table_count);
    need_names(proofs, count, "src/value/filter.c", "kinds[] = {", "filter");
    need_names(proofs, count, "src/value/expression_functions.c", "functions[] = {", "function");
    for (size_t i = 0; i < count; i++) {
        char path[256], head[256];
        ctn_buf source;
        ctn_buf_init(&source, 1 << 20);
        source_of(proofs[i].program, path, sizeof path);
        if (!ctn_read_file(path, &source))
            fail_msg("docs/language-tests.md: `%.*s`: there is no %s", CTN_STR_ARG(proofs[i].key), path);
        snprintf(head, sizeof head, "static void %.*s(void **state)", CTN_STR_ARG(proofs[i].test));
        if (ctn_str_find(ctn_buf_str(&source), ctn_str_from(head)) == SIZE_MAX)
            fail_msg("docs/language-tests.md: `%.*s`: %s has no test %.*s", CTN_STR_ARG(proofs[i].key), path,
                     CTN_STR_ARG(proofs[i].test));
        ctn_buf_done(&source);
    }
    ctn_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_of_the_documentation_is_true),
        cmocka_unit_test(every_key_of_the_language_has_a_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
