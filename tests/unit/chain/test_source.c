/* Files as people write them: what they mean, where things stand, and what is said about mistakes. */
#include <stdio.h>

#include "chain/source.h"
#include "support/cmocka.h"

typedef struct reading {
    ctn_arena *arena;
    ctn_findings findings;
    ctn_source *source;
    const ctn_json *root;
    int rc;
} reading;

static reading read_bytes(const char *name, ctn_str text)
{
    reading r = {.arena = ctn_arena_new(1024)};
    ctn_findings_init(&r.findings, r.arena);
    r.rc = ctn_source_parse(r.arena, ctn_str_from(name), text, &r.findings, &r.source);
    if (r.rc == CTN_OK) {
        assert_int_equal(r.findings.error_count, 0);
        r.root = ctn_source_root(r.source);
    } else {
        assert_int_equal(r.rc, CTN_E_INVALID);
        assert_true(r.findings.error_count > 0);
        assert_null(r.source);
        ctn_findings_sort(&r.findings);
    }
    return r;
}

static void done(reading *r)
{
    ctn_arena_free(r->arena);
}

static void check_json_of(const char *name, const char *text, const char *json)
{
    reading r = read_bytes(name, ctn_str_from(text));
    if (r.rc)
        fail_msg("%s: %.*s", text, CTN_STR_ARG(r.findings.items[0].message));
    ctn_str got = ctn_json_to_str(r.arena, r.root);
    if (!ctn_str_is(got, json))
        fail_msg("%s\ngives %.*s\nnot   %s", text, CTN_STR_ARG(got), json);
    done(&r);
}
static void check_yaml(const char *yaml, const char *json)
{
    check_json_of("chain.yaml", yaml, json);
}

static void check_fault_in(const char *name, const char *text, uint32_t line, uint32_t column, const char *rule,
                           const char *part)
{
    reading r = read_bytes(name, ctn_str_from(text));
    if (r.rc == CTN_OK)
        fail_msg("no fault in: %s", text);
    const ctn_finding *f = &r.findings.items[0];
    bool as_expected = f->line == line && f->column == column && strcmp(f->rule, rule) == 0 &&
                       ctn_str_find(f->message, ctn_str_from(part)) != SIZE_MAX;
    if (!as_expected)
        fail_msg("%s\ngives %u:%u: %.*s [%s]\nnot   %u:%u: ...%s... [%s]", text, f->line, f->column,
                 CTN_STR_ARG(f->message), f->rule, line, column, part, rule);
    done(&r);
}
static void check_fault(const char *yaml, uint32_t line, uint32_t column, const char *part)
{
    check_fault_in("chain.yaml", yaml, line, column, "syntax", part);
}

static void check_place(ctn_position p, uint32_t line, uint32_t column)
{
    if (p.line != line || p.column != column)
        fail_msg("stands at %u:%u, not %u:%u", p.line, p.column, line, column);
}

/* YAML 1.1 made Norway false. */
static void plain_scalars_mean_what_the_core_schema_says(void **state)
{
    (void) state;
    check_yaml("[no, yes, on, off, y, n]", "[\"no\",\"yes\",\"on\",\"off\",\"y\",\"n\"]");
    check_yaml("[null, Null, NULL, ~, true, True, TRUE, false, False, FALSE]",
               "[null,null,null,null,true,true,true,false,false,false]");
    check_yaml("[nUll, tRUE, fAlse]", "[\"nUll\",\"tRUE\",\"fAlse\"]");
    check_yaml("[1, -1, +1, 007, 0, -0, 12345678901234567890123]", "[1,-1,1,7,0,-0,12345678901234567890123]");
    check_yaml("[0o17, 0x1F, 0xffffffffffffffffff, 0o8, 0xG, -0x1]",
               "[15,31,4722366482869645213695,\"0o8\",\"0xG\",\"-0x1\"]");
    check_yaml("[19.90, .5, 1., -.5, 1e3, 1.5E-7, +1.e2, 00.1]", "[19.90,0.5,1,-0.5,1e3,1.5E-7,1e2,0.1]");
    check_yaml("[1_000, 1:30, 2026-11-22, ., -, 1e, e1, 1.2.3, +, .e1]",
               "[\"1_000\",\"1:30\",\"2026-11-22\",\".\",\"-\",\"1e\",\"e1\",\"1.2.3\",\"+\",\".e1\"]");
    check_yaml("a:\nb: ~\nc: ''\n", "{\"a\":null,\"b\":null,\"c\":\"\"}");
}

static void quoted_scalars_and_blocks_are_text(void **state)
{
    (void) state;
    check_yaml("['1', \"true\", 'null', '<<', \".inf\"]", "[\"1\",\"true\",\"null\",\"<<\",\".inf\"]");
    check_yaml("a: |\n  12\nb: >-\n  true\n", "{\"a\":\"12\\n\",\"b\":\"true\"}");
    check_yaml("!!str 12", "\"12\"");
    check_yaml("! 12", "\"12\"");
    check_yaml("[!!int 12, !!float 1.5, !!bool true, !!null ~, !!seq [], !!map {}]", "[12,1.5,true,null,[],{}]");
    check_yaml("\"a\\0b\"", "\"a\\u0000b\"");
}

static void keys_are_text_even_when_plain(void **state)
{
    (void) state;
    check_yaml("1: a\ntrue: b\n~: c\n'': d\n", "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"\":\"d\"}");
    check_yaml("'<<': a", "{\"<<\":\"a\"}");
    check_yaml("? long\n: value\n", "{\"long\":\"value\"}");
    check_yaml("a: &k key\n*k : b\n", "{\"a\":\"key\",\"key\":\"b\"}");
}

static void anchors_share_values_and_may_be_defined_again(void **state)
{
    (void) state;
    check_yaml("a: &x {n: 1}\nb: *x\nc: &x 2\nd: *x\n", "{\"a\":{\"n\":1},\"b\":{\"n\":1},\"c\":2,\"d\":2}");
    check_yaml("- &x [1, 2]\n- [*x, *x]\n", "[[1,2],[[1,2],[1,2]]]");
}

static void a_file_of_windows_reads_like_any_other(void **state)
{
    (void) state;
    check_yaml("\xEF\xBB\xBF"
               "a: 1\r\nb: |\r\n  x\r\n  y\r\n",
               "{\"a\":1,\"b\":\"x\\ny\\n\"}");
    reading r = read_bytes("w.yaml", CTN_STR("a: 1\r\nb: |\r\n  x\r\n  yz\r\nc: 3\r\n"));
    check_place(ctn_source_position(r.source, ctn_json_member_of(r.root, "c")), 5, 4);
    done(&r);
}

static void every_value_and_key_knows_its_place(void **state)
{
    (void) state;
    reading r = read_bytes("chain.yaml", CTN_STR("id: one\n"
                                                 "# caf\xC3\xA9\n"
                                                 "steps:\n"
                                                 "  - stepName: \"\xC3\xA4\xC3\xB6\"\n"
                                                 "    list: [\xC3\xA9, two]\n"
                                                 "empty:\n"));
    assert_int_equal(r.rc, CTN_OK);
    check_place(ctn_source_position(r.source, r.root), 1, 1);
    const ctn_json *steps = ctn_json_member_of(r.root, "steps");
    check_place(ctn_source_position(r.source, steps), 4, 3);
    const ctn_json *step = ctn_json_at(steps, 0);
    check_place(ctn_source_position(r.source, step), 4, 5);
    check_place(ctn_source_position(r.source, &step->members[0].key), 4, 5);
    check_place(ctn_source_position(r.source, &step->members[0].value), 4, 15);
    check_place(ctn_source_position(r.source, &step->members[1].key), 5, 5);
    check_place(ctn_source_position(r.source, ctn_json_at(&step->members[1].value, 0)), 5, 12);
    check_place(ctn_source_position(r.source, ctn_json_at(&step->members[1].value, 1)), 5, 16); /* bytes */
    assert_int_equal(ctn_source_position(r.source, ctn_json_member_of(r.root, "empty")).line, 6);
    check_place(ctn_source_position(r.source, &ctn_json_null), 0, 0);
    check_place(ctn_source_position(r.source, NULL), 0, 0);
    done(&r);
}

static void places_hold_in_a_long_file_that_is_not_ascii(void **state)
{
    (void) state;
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    for (int i = 0; i < 5000; i++)
        ctn_buf_printf(&text, "- \xE2\x82\xAC\xC3\xA9\xF0\x9F\x8E\x89 %d\n", i);
    reading r = read_bytes("long.yaml", ctn_buf_str(&text));
    assert_int_equal(r.rc, CTN_OK);
    for (uint32_t i = 0; i < 5000; i++)
        check_place(ctn_source_position(r.source, ctn_json_at(r.root, i)), i + 1, 3);
    done(&r);
    ctn_buf_done(&text);
}

static void an_alias_stands_where_it_is_used_and_its_members_where_they_were_written(void **state)
{
    (void) state;
    reading r = read_bytes("a.yaml", CTN_STR("a: &x\n  n: 1\nb: *x\n"));
    check_place(ctn_source_position(r.source, ctn_json_member_of(r.root, "b")), 3, 4);
    check_place(ctn_source_position(r.source, ctn_json_member_of(ctn_json_member_of(r.root, "b"), "n")), 2, 6);
    done(&r);
}

static void mistakes_of_form_are_told_in_plain_words(void **state)
{
    (void) state;
    check_fault("", 1, 1, "empty");
    check_fault("  \n\n", 1, 1, "empty");
    check_fault("# only a comment\n", 1, 1, "no value");
    check_fault("---\n", 2, 1, "no value");
    check_fault("a: 1\n---\nb: 2\n", 2, 1, "second document");
    check_fault("a:\n\tb: 1\n", 2, 1, "tab used for indentation");
    check_fault("a:\n  b: 1\n\tc: 2\n", 3, 1, "tab used for indentation");
    check_fault("a: |\n\ttext\n", 2, 1, "tab used for indentation");
    check_fault("a: [1, 2\nb: 3\n", 2, 2, "'[' on line 1 is not closed");
    check_fault("a: 'text\nb: 3\n", 3, 1, "quoted text that starts on line 1 is never closed");
    check_fault("a: one: two\n", 1, 7, "put text that holds ': ' in quotes");
    check_fault("a: @home\n", 1, 4, "cannot start with '@'");
    check_fault("a: `x`\n", 1, 4, "cannot start with '`'");
    check_fault("a: {name} said\nb: 1\n", 1, 11, "text that starts with '{'");
    check_fault("a: \"\\q\"\n", 1, 5, "no such escape");
    check_fault("a: * x\n", 1, 5, "cannot start with '*'");
    check_fault("a: 1\n b: 2\n", 2, 3, "indentation");
    check_fault("a: \x01\n", 1, 4, "control character U+0001");
    check_fault("a: \xFF\n", 1, 4, "0xFF is not UTF-8");
    check_fault("{a: 1}: 2\n", 1, 1, "key must be text");
    check_fault(": 2\n", 1, 1, "key is missing");
}

static void what_catena_does_not_take_is_refused_by_name(void **state)
{
    (void) state;
    check_fault("a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "merge keys (<<)");
    check_fault("a: !secret x\n", 1, 12, "tag !secret");
    check_fault("a: !!binary x\n", 1, 13, "tag binary");
    check_fault("a: !!int x\n", 1, 10, "tag int");
    check_fault("a: !!set {x}\n", 1, 4, "tag set");
    check_fault("a: .inf\n", 1, 4, "no such number");
    check_fault("a: -.Inf\n", 1, 4, "no such number");
    check_fault("a: .NaN\n", 1, 4, "no such number");
    check_fault("a: *x\n", 1, 4, "*x names no anchor");
    check_fault("a: &x [*x]\n", 1, 8, "inside the value");
}

static void a_key_given_twice_is_told_at_the_second(void **state)
{
    (void) state;
    check_fault_in("a.yaml", "a: 1\nb: 2\na: 3\n", 3, 1, "duplicate-key", "\"a\" is given twice: first on line 1");
    check_fault_in("a.yaml", "x: {a: 1, 'a': 3}\n", 1, 11, "duplicate-key", "\"a\"");
    check_fault_in("a.json", "{\"a\": 1,\n \"a\": 2}", 2, 2, "duplicate-key", "a");
    check_fault_in("a.json", "{\"a\": 1,\n \"a\": 2", 2, 8, "syntax", "ends inside");
    check_fault_in("a.json", "{\"a\": 1,\n \"b\": }", 2, 7, "syntax", "");
    reading r = read_bytes("a.yaml", CTN_STR("a: 1\na: 2\na: 3\nb: .nan\nb: 4\n"));
    assert_int_equal(r.findings.count, 4); /* all of them, not the first alone */
    done(&r);
}

static void json_is_read_as_json(void **state)
{
    (void) state;
    check_json_of("a.json", "{\"a\": [1.50, \"\\u00e9\", null]}", "{\"a\":[1.50,\"\xC3\xA9\",null]}");
    reading r = read_bytes("a.json", CTN_STR("{\n  \"a\": [true,\n    1.5]}"));
    check_place(ctn_source_position(r.source, r.root), 1, 1);
    check_place(ctn_source_position(r.source, &r.root->members[0].key), 2, 3);
    check_place(ctn_source_position(r.source, ctn_json_at(ctn_json_member_of(r.root, "a"), 1)), 3, 5);
    assert_false(ctn_source_allows(r.source, 2, CTN_STR("type")));
    done(&r);
    r = read_bytes("a.json", CTN_STR("{a: 1}"));
    assert_int_equal(r.rc, CTN_E_INVALID);
    done(&r);
}

/* "billion laughs": each level names the one before nine times. */
static void aliases_cannot_blow_a_small_file_up(void **state)
{
    (void) state;
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    ctn_buf_append_literal(&text, "a0: &a0 lol\n");
    for (int i = 1; i < 12; i++) {
        ctn_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            ctn_buf_printf(&text, "%s*a%d", k ? "," : "", i - 1);
        ctn_buf_append_literal(&text, "]\n");
    }
    reading r = read_bytes("bomb.yaml", ctn_buf_str(&text));
    assert_int_equal(r.rc, CTN_E_INVALID);
    assert_true(ctn_str_find(r.findings.items[0].message, CTN_STR("aliases")) != SIZE_MAX);
    done(&r);
    ctn_buf_clear(&text);
    /* Deeper, not wider. */
    ctn_buf_append_literal(&text, "a0: &a0 [1]\n");
    for (int i = 1; i < 200; i++)
        ctn_buf_printf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    r = read_bytes("deep.yaml", ctn_buf_str(&text));
    assert_int_equal(r.rc, CTN_E_INVALID);
    assert_true(ctn_str_find(r.findings.items[0].message, CTN_STR("128 levels")) != SIZE_MAX);
    done(&r);
    ctn_buf_done(&text);
}

static void depth_is_bounded_in_both_languages(void **state)
{
    (void) state;
    char deep[2001];
    for (size_t i = 0; i < 1000; i++) {
        deep[i] = '[';
        deep[1000 + i] = ']';
    }
    deep[2000] = 0;
    check_fault(deep, 1, 129, "128 levels");
    reading r = read_bytes("deep.json", ctn_str_from(deep));
    assert_int_equal(r.rc, CTN_E_INVALID);
    done(&r);
}

static void an_allowance_silences_the_line_below_it(void **state)
{
    (void) state;
    reading r = read_bytes("a.yaml", CTN_STR("steps:\n"
                                             "  # catena: allow missing-undo: mails cannot be unsent\n"
                                             "  # catena: allow assumed-effect: we know\n"
                                             "  - stepName: a\n"
                                             "    text: |\n"
                                             "      # catena: allow type: this is text\n"
                                             "    # catena: allow unused-output\n"
                                             "    other: 1\n"));
    assert_int_equal(r.rc, CTN_OK);
    assert_true(ctn_source_allows(r.source, 4, CTN_STR("missing-undo")));
    assert_true(ctn_source_allows(r.source, 4, CTN_STR("assumed-effect")));
    assert_false(ctn_source_allows(r.source, 4, CTN_STR("type")));
    assert_true(ctn_source_allows(r.source, 3, CTN_STR("missing-undo")));
    assert_false(ctn_source_allows(r.source, 3, CTN_STR("assumed-effect")));
    assert_false(ctn_source_allows(r.source, 7, CTN_STR("type")));          /* a block's text is no comment */
    assert_false(ctn_source_allows(r.source, 8, CTN_STR("unused-output"))); /* no reason given */
    assert_false(ctn_source_allows(r.source, 1, CTN_STR("type")));
    assert_false(ctn_source_allows(r.source, 0, CTN_STR("type")));
    assert_false(ctn_source_allows(r.source, 4000000000u, CTN_STR("type")));
    done(&r);
}

static void findings_are_sorted_and_told_once(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(256);
    ctn_findings f;
    ctn_findings_init(&f, arena);
    ctn_findings_add(&f, CTN_STR("b"), 1, 1, CTN_SEVERITY_ERROR, "type", "x");
    ctn_findings_add(&f, CTN_STR("a"), 2, 1, CTN_SEVERITY_ERROR, "type", "x %d", 1);
    ctn_findings_add(&f, CTN_STR("a"), 2, 1, CTN_SEVERITY_ERROR, "type", "x 1");
    ctn_findings_add(&f, CTN_STR("a"), 2, 1, CTN_SEVERITY_WARNING, "idle-undo", "y");
    ctn_findings_add(&f, CTN_STR("a"), 1, 9, CTN_SEVERITY_WARNING, "type", "x");
    assert_int_equal(f.error_count, 3);
    ctn_findings_sort(&f);
    assert_int_equal(f.count, 4);
    assert_int_equal(f.error_count, 2);
    assert_int_equal(f.items[0].line, 1);
    assert_string_equal(f.items[1].rule, "idle-undo");
    assert_string_equal(f.items[2].rule, "type");
    assert_true(ctn_str_is(f.items[3].file, "b"));
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_mean_what_the_core_schema_says),
        cmocka_unit_test(quoted_scalars_and_blocks_are_text),
        cmocka_unit_test(keys_are_text_even_when_plain),
        cmocka_unit_test(anchors_share_values_and_may_be_defined_again),
        cmocka_unit_test(a_file_of_windows_reads_like_any_other),
        cmocka_unit_test(every_value_and_key_knows_its_place),
        cmocka_unit_test(places_hold_in_a_long_file_that_is_not_ascii),
        cmocka_unit_test(an_alias_stands_where_it_is_used_and_its_members_where_they_were_written),
        cmocka_unit_test(mistakes_of_form_are_told_in_plain_words),
        cmocka_unit_test(what_catena_does_not_take_is_refused_by_name),
        cmocka_unit_test(a_key_given_twice_is_told_at_the_second),
        cmocka_unit_test(json_is_read_as_json),
        cmocka_unit_test(aliases_cannot_blow_a_small_file_up),
        cmocka_unit_test(depth_is_bounded_in_both_languages),
        cmocka_unit_test(an_allowance_silences_the_line_below_it),
        cmocka_unit_test(findings_are_sorted_and_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
