/*
 * The official JSON Schema test suite, draft 2020-12: every required case must come out as the suite says,
 * those that need a document from elsewhere excepted, which are named below and counted.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "unit/kit/json_kit.h"
#include "value/schema.h"

/* Groups of required files that refer to documents at http://localhost:1234/. Nothing is ever fetched, so their schemas
 * must be refused by compile; refRemote.json as a whole is of this kind. */
static const struct {
    const char *file, *group;
} REMOTE[] = {
    {"vocabulary.json", "schema that uses custom metaschema with with no validation vocabulary"},
    {"vocabulary.json", "ignore unrecognized optional vocabulary"},
    {"dynamicRef.json", "strict-tree schema, guards against misspelled properties"},
    {"dynamicRef.json", "tests for implementation dynamic anchor and reference link"},
    {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first"},
    {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first"},
    {"dynamicRef.json", "$ref to $dynamicRef finds detached $dynamicAnchor"},
};
static const char *const OPTIONAL[] = {"optional/bignum.json",
                                       "optional/float-overflow.json",
                                       "optional/non-bmp-regex.json",
                                       "optional/ecmascript-regex.json",
                                       "optional/refOfUnknownKeyword.json",
                                       "optional/unknownKeyword.json",
                                       "optional/id.json",
                                       "optional/anchor.json",
                                       "optional/dynamicRef.json",
                                       "optional/no-schema.json"};

typedef struct tally {
    size_t passed, failed, excepted;
} tally;

static const char *suite_folder(char *buffer, size_t bytes)
{
    const char *shared = getenv("CATENA_SHARED");
    snprintf(buffer, bytes, "%s/json-schema-suite/draft2020-12", shared && *shared ? shared : "../shared/data");
    return buffer;
}

static bool is_remote(const char *file, ctn_str group)
{
    if (strcmp(file, "refRemote.json") == 0)
        return true;
    for (size_t i = 0; i < sizeof REMOTE / sizeof *REMOTE; i++)
        if (strcmp(REMOTE[i].file, file) == 0 && ctn_str_is(group, REMOTE[i].group))
            return true;
    return false;
}

static void run_group(const char *file, const ctn_json *group, tally *sum)
{
    ctn_arena *arena = ctn_arena_new(4096), *scratch = ctn_arena_new(4096);
    ctn_schema *schema = NULL;
    const ctn_json *bad_node = NULL, *tests = ctn_json_member_of(group, "tests");
    ctn_str about = ctn_json_str_or(group, "description", CTN_STR("?"));
    ctn_err err = {0};
    int rc = ctn_schema_compile(arena, ctn_json_member_of(group, "schema"), &schema, &bad_node, &err);
    if (is_remote(file, about)) {
        sum->excepted += ctn_json_count(tests);
        if (rc == CTN_OK) {
            printf("  %s: \"%.*s\" needs a remote document, and yet compiles\n", file, CTN_STR_ARG(about));
            sum->failed++;
        }
    } else if (rc) {
        printf("  %s: \"%.*s\" does not compile: %s\n", file, CTN_STR_ARG(about), err.message);
        sum->failed += ctn_json_count(tests);
    }
    for (size_t i = 0; rc == CTN_OK && !is_remote(file, about) && i < ctn_json_count(tests); i++) {
        const ctn_json *test = ctn_json_at(tests, i);
        err = (ctn_err){0};
        int verdict = ctn_schema_validate(schema, ctn_json_member_of(test, "data"), scratch, &err);
        if (verdict == (ctn_json_bool_or(test, "valid", false) ? CTN_OK : CTN_E_INVALID)) {
            sum->passed++;
            assert_true((verdict == CTN_OK) == (err.message[0] == 0));
            continue;
        }
        sum->failed++;
        printf("  %s: \"%.*s\" / \"%.*s\": %s (%s)\n", file, CTN_STR_ARG(about),
               CTN_STR_ARG(ctn_json_str_or(test, "description", CTN_STR("?"))), ctn_err_name(verdict), err.message);
    }
    ctn_schema_done(schema);
    ctn_arena_free(scratch);
    ctn_arena_free(arena);
}

static bool run_file(const char *file, tally *sum)
{
    char folder[1024], path[2048];
    snprintf(path, sizeof path, "%s/%s", suite_folder(folder, sizeof folder), file);
    FILE *in = fopen(path, "rb");
    if (!in)
        return false;
    ctn_buf text;
    ctn_buf_init(&text, 16u << 20);
    char chunk[8192];
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, in)) > 0;)
        ctn_buf_append(&text, (ctn_str){chunk, got});
    fclose(in);
    ctn_arena *arena = ctn_arena_new(65536);
    const ctn_json *groups = json_of(arena, ctn_buf_str(&text));
    tally own = {0};
    for (size_t i = 0; i < ctn_json_count(groups); i++)
        run_group(file, ctn_json_at(groups, i), &own);
    printf("%-36s %4zu passed %4zu failed %4zu excepted\n", file, own.passed, own.failed, own.excepted);
    sum->passed += own.passed;
    sum->failed += own.failed;
    sum->excepted += own.excepted;
    ctn_arena_free(arena);
    ctn_buf_done(&text);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static void every_required_case_comes_out_as_the_suite_says(void **state)
{
    (void) state;
    char folder[1024];
    DIR *dir = opendir(suite_folder(folder, sizeof folder));
    if (!dir) {
        printf("skipped: no suite at %s (set CATENA_SHARED)\n", folder);
        skip();
    }
    char *names[200];
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) && count < 200;)
        if (ctn_str_ends_with(ctn_str_from(entry->d_name), CTN_STR(".json")))
            names[count++] = strdup(entry->d_name);
    closedir(dir);
    qsort(names, count, sizeof *names, compare_names);
    tally sum = {0};
    for (size_t i = 0; i < count; i++) {
        assert_true(run_file(names[i], &sum));
        free(names[i]);
    }
    printf("required: %zu files, %zu passed, %zu failed, %zu excepted\n", count, sum.passed, sum.failed, sum.excepted);
    assert_int_equal(sum.failed, 0);
    assert_true(sum.passed > 1000);
}

/* The suite does not ask for them; those of these files hold, and must go on to. */
static void optional_cases_are_counted(void **state)
{
    (void) state;
    tally sum = {0};
    bool found = false;
    for (size_t i = 0; i < sizeof OPTIONAL / sizeof *OPTIONAL; i++)
        found |= run_file(OPTIONAL[i], &sum);
    if (!found)
        skip();
    printf("optional: %zu passed, %zu failed\n", sum.passed, sum.failed);
    assert_int_equal(sum.failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_required_case_comes_out_as_the_suite_says),
        cmocka_unit_test(optional_cases_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
