/* The JSON Schemas for editors: made of the tables that files are read by, they take what check takes. */
#include <glob.h>
#include <stdio.h>

#include "chain/editor_schema.h"
#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/json_kit.h"

typedef struct made {
    ctn_arena *arena;
    ctn_schema *chain, *sets;
} made;

static ctn_schema *compile(ctn_arena *arena, const ctn_json *source)
{
    ctn_schema *schema = NULL;
    ctn_err err = {0};
    if (ctn_schema_compile(arena, source, &schema, NULL, &err))
        fail_msg("%s", err.message);
    return schema;
}

static made make(void)
{
    made m = {.arena = ctn_arena_new(1 << 20)};
    m.chain = compile(m.arena, ctn_editor_schema_of(m.arena, "chain"));
    m.sets = compile(m.arena, ctn_editor_schema_of(m.arena, "sets"));
    return m;
}

static void done(made *m)
{
    ctn_schema_done(m->chain);
    ctn_schema_done(m->sets);
    ctn_arena_free(m->arena);
}

static void they_are_schemas_themselves(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1 << 20);
    const ctn_json *meta = json_of(arena, CTN_STR("{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}"));
    ctn_schema *schema = compile(arena, meta);
    static const char *const KINDS[] = {"chain", "sets"};
    for (size_t i = 0; i < 2; i++) {
        ctn_err err = {0};
        if (ctn_schema_validate(schema, ctn_editor_schema_of(arena, KINDS[i]), arena, &err))
            fail_msg("%s: %s", KINDS[i], err.message);
    }
    assert_null(ctn_editor_schema_of(arena, "cahin"));
    ctn_schema_done(schema);
    ctn_arena_free(arena);
}

static void expect_table(const ctn_json *schema, const ctn_key_table *table)
{
    const ctn_json *def = ctn_json_get(ctn_json_member_of(schema, "$defs"), ctn_str_from(table->name));
    const ctn_json *properties = ctn_json_member_of(def, "properties");
    assert_int_equal(ctn_json_count(properties), table->count);
    for (size_t i = 0; i < table->count; i++) {
        const ctn_json *property = ctn_json_get(properties, ctn_str_from(table->keys[i].name));
        ctn_str about = ctn_json_str_or(property, "description", (ctn_str){0});
        if (about.len < 5 || about.ptr[about.len - 1] != '.')
            fail_msg("%s.%s has no sentence", table->name, table->keys[i].name);
    }
}

/* Every key is there, with a sentence. */
static void every_key_of_the_language_is_in_them_with_a_description(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1 << 20);
    const ctn_json *chain = ctn_editor_schema_of(arena, "chain");
    for (size_t i = 0; i < ctn_chain_table_count; i++)
        expect_table(chain, &ctn_chain_tables[i]);
    for (size_t i = 0; i < ctn_step_table_count; i++)
        expect_table(chain, &ctn_step_tables[i]);
    for (size_t i = 0; i < ctn_set_table_count; i++)
        expect_table(chain, &ctn_set_tables[i]);
    for (size_t i = 0; i < ctn_work_table_count; i++)
        expect_table(chain, &ctn_work_tables[i]);
    /* Every failure code can be named, and only those. */
    const ctn_json *codes = ctn_json_pointer(chain, CTN_STR("/$defs/retryConfig/properties/retryOn/items/enum"));
    assert_int_equal(ctn_json_count(codes), CTN_FAILURE_COUNT - 1);
    for (size_t i = 0; i < ctn_json_count(codes); i++)
        assert_int_not_equal(ctn_failure_from_name(ctn_json_text(ctn_json_at(codes, i))), CTN_FAILURE_NONE);
    ctn_arena_free(arena);
}

/* Does the file pass its schema? *ret_is_read: it can be parsed at all. */
static bool passes(const made *m, const char *path, bool *ret_is_read, ctn_err *err)
{
    ctn_buf text;
    ctn_findings findings;
    ctn_source *source = NULL;
    ctn_buf_init(&text, 1 << 20);
    ctn_findings_init(&findings, m->arena);
    assert_true(ctn_read_file(path, &text));
    *ret_is_read = ctn_source_parse(m->arena, ctn_str_from(path), ctn_buf_str(&text), &findings, &source) == CTN_OK;
    ctn_buf_done(&text);
    if (!*ret_is_read)
        return false;
    const ctn_json *root = ctn_source_root(source);
    return ctn_schema_validate(ctn_chain_is_in(root) ? m->chain : m->sets, root, m->arena, err) == CTN_OK;
}

static void chains_without_a_fault_pass(void **state)
{
    (void) state;
    static const char *const PATTERNS[] = {"travel/first-design/*.json",     "travel/chains/*.yaml",
                                           "travel/instruction-sets/*.yaml", "tests/lint/good/*.yaml",
                                           "tests/lint/good/*.json",         "tests/lint/good/*/*.yaml"};
    made m = make();
    size_t count = 0;
    for (size_t i = 0; i < sizeof PATTERNS / sizeof *PATTERNS; i++) {
        glob_t files = {0};
        if (glob(PATTERNS[i], 0, NULL, &files) == 0)
            for (size_t f = 0; f < files.gl_pathc; f++) {
                bool is_read;
                ctn_err err = {0};
                if (strstr(files.gl_pathv[f], "catena.yaml"))
                    continue;
                if (!passes(&m, files.gl_pathv[f], &is_read, &err))
                    fail_msg("%s: %s", files.gl_pathv[f], err.message);
                count++;
            }
        globfree(&files);
    }
    printf("%zu files pass\n", count);
    assert_true(count >= 3);
    done(&m);
}

/* Of the broken chains: what a schema can see is refused, what it cannot see passes. */
static void of_the_broken_chains_those_of_the_wrong_shape_are_refused(void **state)
{
    (void) state;
    made m = make();
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    const char *folder = "tests/lint/broken";
    if (!ctn_read_file("tests/lint/broken/expected", &text)) {
        folder = "tests/broken";
        assert_true(ctn_read_file("tests/broken/expected", &text));
    }
    ctn_str rest = ctn_buf_str(&text);
    size_t refused = 0, passed = 0;
    while (rest.len) {
        ctn_str line = ctn_str_cut(&rest, '\n');
        if (!line.len || line.ptr[0] == '#')
            continue;
        ctn_str file = ctn_str_cut(&line, ' ');
        (void) ctn_str_cut(&line, ' ');
        ctn_str rule = ctn_str_cut(&line, ' ');
        bool is_shape = ctn_str_is(rule, "unknown-key"), is_read;
        bool is_deeper = ctn_str_is(rule, "undefined-variable") || ctn_str_is(rule, "unknown-set") ||
                         ctn_str_is(rule, "write-race") || ctn_str_is(rule, "cycle") ||
                         ctn_str_is(rule, "bad-template") || ctn_str_is(rule, "bad-expression");
        ctn_err err = {0};
        const char *path = ctn_arena_printf(m.arena, "%s/%.*s", folder, CTN_STR_ARG(file)).ptr;
        if ((!is_shape && !is_deeper) || ctn_str_find(file, CTN_STR("several")) != SIZE_MAX)
            continue;
        bool does_pass = passes(&m, path, &is_read, &err);
        if (is_read && does_pass == is_shape && !ctn_str_ends_with(file, CTN_STR(".mustache")) &&
            !ctn_str_is(file, "unknown-rule-in-lint.yaml"))
            fail_msg("%s (%.*s): %s", path, CTN_STR_ARG(rule), does_pass ? "passes" : err.message);
        refused += !does_pass;
        passed += does_pass;
    }
    printf("%zu refused, %zu pass\n", refused, passed);
    assert_true(refused >= 6 && passed >= 15);
    ctn_buf_done(&text);
    done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_schemas_themselves),
        cmocka_unit_test(every_key_of_the_language_is_in_them_with_a_description),
        cmocka_unit_test(chains_without_a_fault_pass),
        cmocka_unit_test(of_the_broken_chains_those_of_the_wrong_shape_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
