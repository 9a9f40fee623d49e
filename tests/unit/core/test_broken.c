/*
 * Every chain of tests/broken must be refused for exactly what is wrong with it: the errors that check finds are
 * those of tests/broken/expected, with their lines, columns and rules, and say what the fragment there says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include "chain_kit.h"
#include "support/shared_data.h"

#define FOLDER    "tests/broken/"
#define FILES_MAX 512

/* FILE LINE:COLUMN RULE FRAGMENT */
typedef struct expectation {
    ctn_str file, rule, fragment;
    uint32_t line, column;
    bool is_met;
} expectation;

static ctn_arena *arena;
static expectation expected[FILES_MAX * 2];
static size_t expected_count;

static uint32_t number(ctn_str text)
{
    int64_t value = 0;
    if (!ctn_str_to_int64(text, &value))
        fail_msg("expected: '%.*s' is no number", CTN_STR_ARG(text));
    return (uint32_t) value;
}

static int read_expected(void **state)
{
    (void) state;
    arena = ctn_arena_new(1 << 16);
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    if (!ctn_read_file(FOLDER "expected", &text))
        fail_msg("no " FOLDER "expected: run this from the root of the repository");
    ctn_str rest = ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    while (rest.ptr) {
        ctn_str line = ctn_str_cut(&rest, '\n');
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        expectation *e = &expected[expected_count++];
        assert_true(expected_count < FILES_MAX * 2);
        e->file = ctn_str_cut(&line, ' ');
        ctn_str place = ctn_str_cut(&line, ' ');
        e->line = number(ctn_str_cut(&place, ':'));
        e->column = number(place);
        e->rule = ctn_str_cut(&line, ' ');
        e->fragment = line;
        assert_true(e->fragment.len > 0);
    }
    return 0;
}

static int forget(void **state)
{
    (void) state;
    ctn_arena_free(arena);
    return 0;
}

static bool is_chain_file(const char *name)
{
    ctn_str s = ctn_str_from(name);
    return ctn_str_ends_with(s, CTN_STR(".yaml")) || ctn_str_ends_with(s, CTN_STR(".json"));
}

static size_t list_files(char (*names)[128])
{
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    size_t count = 0;
    struct dirent *entry;
    while ((entry = readdir(folder)))
        if (is_chain_file(entry->d_name)) {
            assert_true(count < FILES_MAX);
            snprintf(names[count++], sizeof names[0], "%.127s", entry->d_name);
        }
    closedir(folder);
    return count;
}

static expectation *find_expectation(const char *name, const ctn_finding *finding)
{
    for (size_t i = 0; i < expected_count; i++) {
        expectation *e = &expected[i];
        if (!e->is_met && ctn_str_is(e->file, name) && e->line == finding->line && e->column == finding->column &&
            ctn_str_equal(e->rule, ctn_str_from(finding->rule)) &&
            ctn_str_find(finding->message, e->fragment) != SIZE_MAX)
            return e;
    }
    return NULL;
}

static size_t check_file(const char *name)
{
    chain_kit kit;
    chain_kit_init(&kit);
    assert_true(chain_kit_add_file(&kit, FOLDER "with/sets.yaml"));
    assert_true(chain_kit_add_file(&kit, FOLDER "with/letter.mustache"));
    assert_int_equal(kit.findings.error_count, 0);
    char path[256];
    snprintf(path, sizeof path, FOLDER "%s", name);
    assert_true(chain_kit_add_file(&kit, path));
    chain_kit_check(&kit, NULL);
    ctn_findings_sort(&kit.findings);
    size_t faults = 0;
    for (size_t i = 0; i < kit.findings.count; i++) {
        const ctn_finding *f = &kit.findings.items[i];
        if (f->severity != CTN_SEVERITY_ERROR)
            continue;
        expectation *e = find_expectation(name, f);
        if (e) {
            e->is_met = true;
            continue;
        }
        print_error("%s %u:%u %s %.*s\n", name, f->line, f->column, f->rule, CTN_STR_ARG(f->message));
        faults++;
    }
    chain_kit_done(&kit);
    return faults;
}

static void every_broken_chain_is_refused_where_and_for_what_is_wrong(void **state)
{
    (void) state;
    static char names[FILES_MAX][128];
    size_t count = list_files(names), faults = 0;
    assert_true(count >= 40);
    for (size_t i = 0; i < count; i++)
        faults += check_file(names[i]);
    for (size_t i = 0; i < expected_count; i++)
        if (!expected[i].is_met) {
            print_error("missing: %.*s %u:%u %.*s ...%.*s...\n", CTN_STR_ARG(expected[i].file), expected[i].line,
                        expected[i].column, CTN_STR_ARG(expected[i].rule), CTN_STR_ARG(expected[i].fragment));
            faults++;
        }
    for (size_t i = 0; i < count; i++) {
        bool is_listed = false;
        for (size_t k = 0; k < expected_count; k++)
            is_listed |= ctn_str_is(expected[k].file, names[i]);
        if (!is_listed)
            print_error("not in " FOLDER "expected: %s\n", names[i]);
        faults += !is_listed;
    }
    printf("%zu broken chains, %zu findings expected\n", count, expected_count);
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_chain_is_refused_where_and_for_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, read_expected, forget);
}
