/*
 * The corpus of check. A chain of tests/lint/broken must get exactly the findings that the folder's `expected` lists
 * for it: rule, line, column, and what the sentence says; a chain of tests/lint/good must get none.
 *
 * Each folder stands alone, and so do its sub-folders: every .yaml and .json file in it is judged by itself, together
 * with the files of the folder's `with/` (sets, sub-chains, templates; good ones). with/tools.json says what servers
 * declare: {"server/tool": {"inputSchema": ..., "outputSchema": ..., "observed": [...], "closedWorld": true,
 * "effect": "read"}}; with it, a tool that is not there is unknown.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "chain/rules.h"
#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/json_kit.h"

#define BROKEN    "tests/lint/broken"
#define GOOD      "tests/lint/good"
#define NAME_MAX_ 128
#define FILES_MAX 1024

/* ---- folders ---- */

typedef struct listing {
    char names[FILES_MAX][NAME_MAX_];
    size_t count;
} listing;

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool ends_with(const char *name, const char *end)
{
    return ctn_str_ends_with(ctn_str_from(name), ctn_str_from(end));
}

static bool is_chain_file(const char *name)
{
    return (ends_with(name, ".yaml") || ends_with(name, ".json")) && strcmp(name, "tools.json") != 0;
}

static bool is_helper_file(const char *name)
{
    return is_chain_file(name) || ends_with(name, ".mustache");
}

static bool is_sub_folder(const char *name)
{
    return !strchr(name, '.') && strcmp(name, "with") != 0 && strcmp(name, "expected") != 0;
}

/* Names in the folder that pass; in order. An absent folder is empty. */
static void list(const char *folder, bool (*passes)(const char *name), listing *ret_listing)
{
    ret_listing->count = 0;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && passes(entry->d_name)) {
            assert_true(ret_listing->count < FILES_MAX);
            snprintf(ret_listing->names[ret_listing->count++], NAME_MAX_, "%.127s", entry->d_name);
        }
    if (dir)
        closedir(dir);
    qsort(ret_listing->names, ret_listing->count, NAME_MAX_, compare_names);
}

/* ---- what servers declare ---- */

typedef struct tools {
    ctn_arena *arena;
    const ctn_json *all; /* NULL: nobody is asked */
} tools;

static ctn_effect effect_of(void *ctx, const char *kind, ctn_str target)
{
    const tools *t = ctx;
    (void) kind;
    ctn_str effect = ctn_json_str_or(ctn_json_get(t->all, target), "effect", CTN_STR(""));
    return ctn_str_is(effect, "read")         ? CTN_EFFECT_READ
           : ctn_str_is(effect, "idempotent") ? CTN_EFFECT_IDEMPOTENT
           : ctn_str_is(effect, "write")      ? CTN_EFFECT_WRITE
                                              : CTN_EFFECT_UNKNOWN;
}

static bool tool_of(void *ctx, ctn_str target, ctn_check_tool *ret_tool)
{
    const tools *t = ctx;
    const ctn_json *said = ctn_json_get(t->all, target);
    *ret_tool = (ctn_check_tool){0};
    if (!said)
        ret_tool->fault = ctn_arena_printf(t->arena, "no server has the tool '%.*s'", CTN_STR_ARG(target));
    ret_tool->input_schema = ctn_json_member_of(said, "inputSchema");
    ret_tool->output_schema = ctn_json_member_of(said, "outputSchema");
    ret_tool->observed = ctn_json_member_of(said, "observed");
    ret_tool->is_closed_world = ctn_json_bool_or(said, "closedWorld", false);
    return true;
}

static bool has_model(void *ctx, ctn_arena *arena, ctn_str name, ctn_str *ret_advice)
{
    (void) ctx, (void) arena;
    *ret_advice = CTN_STR("did you mean \"small\"?");
    return !ctn_str_is(name, "smal");
}

static bool has_timezone(ctn_str name)
{
    return ctn_str_is(name, "Europe/London") || ctn_str_is(name, "UTC") || ctn_str_is(name, "America/New_York");
}

/* ---- one file ---- */

static ctn_str read_text(ctn_arena *arena, const char *path)
{
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    ctn_str kept = {0};
    if (ctn_read_file(path, &text))
        kept = ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

static void add_helpers(chain_kit *kit, const char *folder, const listing *helpers, tools *ret_tools)
{
    char path[512];
    for (size_t i = 0; i < helpers->count; i++) {
        snprintf(path, sizeof path, "%s/with/%s", folder, helpers->names[i]);
        assert_true(chain_kit_add_file(kit, path));
    }
    *ret_tools = (tools){.arena = kit->arena};
    snprintf(path, sizeof path, "%s/with/tools.json", folder);
    ctn_str text = read_text(kit->arena, path);
    if (text.len)
        ret_tools->all = json_of(kit->arena, text);
}

/* All but GONE are there. */
static int secret_of(void *ctx, ctn_arena *arena, ctn_str name, ctn_err *err)
{
    (void) ctx, (void) arena;
    return ctn_str_is(name, "GONE") ? ctn_fail(err, CTN_E_NOT_FOUND, "there is no secret GONE") : CTN_OK;
}

static void check(chain_kit *kit, tools *t)
{
    ctn_check_options options = {.effect = effect_of,
                                 .effect_ctx = t,
                                 .has_timezone = has_timezone,
                                 .tool_ctx = t,
                                 .secret = secret_of,
                                 .has_model = has_model};
    if (t->all)
        options.tool = tool_of;
    chain_kit_check(kit, &options);
    ctn_findings_sort(&kit->findings);
}

/* The helpers by themselves have nothing to tell: then what is found later is the file's own. */
static size_t judge_helpers(const char *folder, const listing *helpers)
{
    chain_kit kit;
    tools t;
    chain_kit_init(&kit);
    add_helpers(&kit, folder, helpers, &t);
    check(&kit, &t);
    size_t faults = kit.findings.count;
    if (faults)
        print_error("%s/with has findings of its own:\n%.*s", folder, CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    chain_kit_done(&kit);
    return faults;
}

static void find(const char *folder, const char *name, const listing *helpers, chain_kit *ret_kit)
{
    char path[512];
    tools t;
    chain_kit_init(ret_kit);
    add_helpers(ret_kit, folder, helpers, &t);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(chain_kit_add_file(ret_kit, path));
    check(ret_kit, &t);
}

/* ---- a folder, and all of them ---- */

typedef struct tally {
    size_t files, findings, faults;
    uint64_t rules; /* a bit for each that was expected somewhere */
} tally;

typedef void judge_fn(const char *folder, const listing *files, const listing *helpers, tally *t);

static void enter(const char *folder, judge_fn *judge, tally *t)
{
    static listing files, helpers;
    char with[512];
    snprintf(with, sizeof with, "%s/with", folder);
    list(folder, is_chain_file, &files);
    list(with, is_helper_file, &helpers);
    t->faults += judge_helpers(folder, &helpers);
    t->files += files.count;
    judge(folder, &files, &helpers, t);
}

static tally judge_corpus(const char *root, judge_fn *judge)
{
    static listing folders;
    tally t = {0};
    char folder[512];
    enter(root, judge, &t);
    list(root, is_sub_folder, &folders);
    for (size_t i = 0; i < folders.count; i++) {
        snprintf(folder, sizeof folder, "%s/%s", root, folders.names[i]);
        enter(folder, judge, &t);
    }
    return t;
}

/* ---- the broken ones ---- */

/* FILE LINE:COLUMN RULE FRAGMENT */
typedef struct expectation {
    ctn_str file, rule, fragment;
    uint32_t line, column;
    bool is_met;
} expectation;

typedef struct expectations {
    expectation *items;
    size_t count;
} expectations;

static uint32_t number(ctn_str text)
{
    int64_t value = 0;
    if (!ctn_str_to_int64(text, &value))
        fail_msg("expected: '%.*s' is no number", CTN_STR_ARG(text));
    return (uint32_t) value;
}

static expectations read_expected(ctn_arena *arena, const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/expected", folder);
    ctn_str rest = read_text(arena, path);
    if (!rest.len)
        fail_msg("no %s: run this from the root of the repository", path);
    expectations all = {.items = CTN_NEW_ARRAY(arena, expectation, 4 * FILES_MAX)};
    while (rest.ptr) {
        ctn_str line = ctn_str_cut(&rest, '\n');
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        assert_true(all.count < 4 * FILES_MAX);
        expectation *e = &all.items[all.count++];
        e->file = ctn_str_cut(&line, ' ');
        ctn_str place = ctn_str_cut(&line, ' ');
        e->line = number(ctn_str_cut(&place, ':'));
        e->column = number(place);
        e->rule = ctn_str_cut(&line, ' ');
        e->fragment = line;
        if (!ctn_rule_find(e->rule) || !line.len)
            fail_msg("%s: '%.*s' is no rule, or its fragment is missing", path, CTN_STR_ARG(e->rule));
    }
    return all;
}

static expectation *find_expectation(const expectations *all, const char *name, const ctn_finding *finding)
{
    for (size_t i = 0; i < all->count; i++) {
        expectation *e = &all->items[i];
        if (!e->is_met && ctn_str_is(e->file, name) && e->line == finding->line && e->column == finding->column &&
            ctn_str_equal(e->rule, ctn_str_from(finding->rule)) &&
            ctn_str_find(finding->message, e->fragment) != SIZE_MAX)
            return e;
    }
    return NULL;
}

static size_t judge_broken(const char *folder, const char *name, const listing *helpers, const expectations *all)
{
    chain_kit kit;
    size_t faults = 0;
    find(folder, name, helpers, &kit);
    for (size_t i = 0; i < kit.findings.count; i++) {
        const ctn_finding *f = &kit.findings.items[i];
        expectation *e = find_expectation(all, name, f);
        if (e) {
            e->is_met = true;
            continue;
        }
        print_error("not expected in %s: %s %u:%u %s %.*s\n", folder, name, f->line, f->column, f->rule,
                    CTN_STR_ARG(f->message));
        faults++;
    }
    bool is_listed = false;
    for (size_t i = 0; i < all->count; i++)
        is_listed |= ctn_str_is(all->items[i].file, name);
    if (!is_listed)
        print_error("not in %s/expected: %s\n", folder, name);
    chain_kit_done(&kit);
    return faults + !is_listed;
}

static void judge_broken_folder(const char *folder, const listing *files, const listing *helpers, tally *t)
{
    ctn_arena *arena = ctn_arena_new(1 << 16);
    expectations all = read_expected(arena, folder);
    for (size_t i = 0; i < files->count; i++)
        t->faults += judge_broken(folder, files->names[i], helpers, &all);
    for (size_t i = 0; i < all.count; i++) {
        t->rules |= UINT64_C(1) << (ctn_rule_find(all.items[i].rule) - ctn_rule_table);
        if (all.items[i].is_met)
            continue;
        print_error("missing in %s: %.*s %u:%u %.*s %.*s\n", folder, CTN_STR_ARG(all.items[i].file), all.items[i].line,
                    all.items[i].column, CTN_STR_ARG(all.items[i].rule), CTN_STR_ARG(all.items[i].fragment));
        t->faults++;
    }
    t->findings += all.count;
    ctn_arena_free(arena);
}

static void every_broken_chain_is_caught_where_and_for_what_is_wrong(void **state)
{
    (void) state;
    tally t = judge_corpus(BROKEN, judge_broken_folder);
    for (size_t r = 0; r < ctn_rule_count; r++)
        if (!(t.rules >> r & 1)) {
            print_error("no broken chain shows the rule %s\n", ctn_rule_table[r].name);
            t.faults++;
        }
    printf("%zu broken files, %zu findings\n", t.files, t.findings);
    assert_true(t.files >= 120);
    assert_int_equal(t.faults, 0);
}

/* ---- the good ones ---- */

static void judge_good_folder(const char *folder, const listing *files, const listing *helpers, tally *t)
{
    for (size_t i = 0; i < files->count; i++) {
        chain_kit kit;
        find(folder, files->names[i], helpers, &kit);
        for (size_t k = 0; k < kit.findings.count; k++) {
            const ctn_finding *f = &kit.findings.items[k];
            print_error("%.*s:%u:%u: %s: %.*s\n", CTN_STR_ARG(f->file), f->line, f->column, f->rule,
                        CTN_STR_ARG(f->message));
        }
        t->faults += kit.findings.count;
        chain_kit_done(&kit);
    }
}

static void no_good_chain_has_a_finding(void **state)
{
    (void) state;
    tally t = judge_corpus(GOOD, judge_good_folder);
    printf("%zu good files\n", t.files);
    assert_true(t.files >= 120);
    assert_int_equal(t.faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_chain_is_caught_where_and_for_what_is_wrong),
        cmocka_unit_test(no_good_chain_has_a_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
