/*
 * JSON judged by others: the JSONTestSuite (y_ must parse, n_ must not, i_ may), and jansson, which must
 * agree with us on suite files, on generated documents and on damaged ones: what it accepts we accept with the
 * same values (a NUL byte after a number aside, which it overlooks); what we accept it accepts, but for numbers too
 * large for it and NUL in keys.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "support/cmocka.h"
#include "support/shared_data.h"

#define SUITE       "json-suite/test_parsing"
#define SEED        20261122u
#define DOCUMENTS   20000
#define DEPTH_PEERS 2048 /* jansson's own limit */

static const ctn_json *parse(ctn_arena *arena, ctn_str text)
{
    const ctn_json *v = NULL;
    ctn_err err = {0};
    ctn_json_options options = {.depth_max = DEPTH_PEERS};
    int rc = ctn_json_parse(arena, text, &options, &v, &err);
    assert_true(rc == CTN_OK ? v != NULL : v == NULL && err.code == rc && err.message[0]);
    return v;
}

/* What parsed must survive being written, in every way of writing, and copied. */
static void check_round_trips(ctn_arena *arena, const ctn_json *v)
{
    ctn_str compact = ctn_json_to_str(arena, v);
    const ctn_json *again = parse(arena, compact);
    assert_non_null(again);
    assert_true(ctn_json_equal(v, again));
    assert_true(ctn_str_equal(compact, ctn_json_to_str(arena, again)));
    assert_true(ctn_json_equal(v, ctn_json_copy(arena, v)));
    ctn_buf first, second;
    ctn_buf_init(&first, 64 << 20);
    ctn_buf_init(&second, 64 << 20);
    ctn_json_write_pretty(&first, v);
    assert_true(ctn_json_equal(v, parse(arena, ctn_buf_str(&first))));
    ctn_buf_clear(&first);
    ctn_json_write_canonical(&first, v);
    again = parse(arena, ctn_buf_str(&first));
    assert_true(ctn_json_equal(v, again));
    ctn_json_write_canonical(&second, again);
    assert_true(ctn_str_equal(ctn_buf_str(&first), ctn_buf_str(&second)));
    ctn_buf_done(&first);
    ctn_buf_done(&second);
}

/* ---- the suite ---- */

typedef void file_fn(void *ctx, const char *name, ctn_str text);

/* Calls for each file of the suite; false when it is not there. */
static bool for_each_file(file_fn *fn, void *ctx)
{
    char folder[1000], path[1400];
    if (!ctn_shared_data(SUITE, folder, sizeof folder))
        return false;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    ctn_buf text;
    ctn_buf_init(&text, 16 << 20);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        (void) snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        assert_true(ctn_read_file(path, &text));
        fn(ctx, entry->d_name, ctn_buf_str(&text));
        count++;
    }
    closedir(dir);
    ctn_buf_done(&text);
    assert_true(count > 300);
    return true;
}

typedef struct verdicts {
    size_t accepted, refused, either, wrong;
} verdicts;

static void judge_file(void *ctx, const char *name, ctn_str text)
{
    verdicts *seen = ctx;
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *v = parse(arena, text);
    if (name[0] == 'i')
        seen->either++;
    else if ((name[0] == 'y') != (v != NULL)) {
        printf("%s: %s\n", name, v ? "accepted" : "refused");
        seen->wrong++;
    } else if (v)
        seen->accepted++;
    else
        seen->refused++;
    if (v)
        check_round_trips(arena, v);
    ctn_arena_free(arena);
}

static void agrees_with_the_official_suite(void **state)
{
    (void) state;
    verdicts seen = {0};
    if (!for_each_file(judge_file, &seen))
        skip();
    printf("suite: %zu y_ accepted, %zu n_ refused, %zu i_ either way, %zu wrong\n", seen.accepted, seen.refused,
           seen.either, seen.wrong);
    assert_int_equal(seen.wrong, 0);
    assert_true(seen.accepted >= 95 && seen.refused >= 187);
}

/* ---- jansson ---- */

static bool same_value(const ctn_json *v, const json_t *peer);

static bool same_object(const ctn_json *v, json_t *peer)
{
    size_t i = 0;
    for (void *at = json_object_iter(peer); at; at = json_object_iter_next(peer, at), i++) {
        ctn_str key = {json_object_iter_key(at), json_object_iter_key_len(at)};
        if (i >= v->count || !ctn_str_equal(key, ctn_json_text(&v->members[i].key)) ||
            !same_value(&v->members[i].value, json_object_iter_value(at)))
            return false;
    }
    return i == v->count;
}

static bool same_value(const ctn_json *v, const json_t *peer)
{
    int64_t whole;
    switch (json_typeof(peer)) {
    case JSON_NULL: return v->kind == CTN_JSON_NULL;
    case JSON_TRUE: return v->kind == CTN_JSON_TRUE;
    case JSON_FALSE: return v->kind == CTN_JSON_FALSE;
    case JSON_INTEGER: return ctn_json_to_int64(v, &whole) && whole == json_integer_value(peer);
    case JSON_REAL: {
        double real = v->kind == CTN_JSON_NUMBER ? strtod(v->text, NULL) : 0;
        double apart = real - json_real_value(peer);
        return v->kind == CTN_JSON_NUMBER && apart >= 0 && apart <= 0;
    }
    case JSON_STRING:
        return v->kind == CTN_JSON_STRING &&
               ctn_str_equal(ctn_json_text(v), (ctn_str){json_string_value(peer), json_string_length(peer)});
    case JSON_ARRAY:
        if (v->kind != CTN_JSON_ARRAY || v->count != json_array_size(peer))
            return false;
        for (size_t i = 0; i < v->count; i++)
            if (!same_value(&v->items[i], json_array_get(peer, i)))
                return false;
        return true;
    case JSON_OBJECT: return v->kind == CTN_JSON_OBJECT && same_object(v, (json_t *) peer);
    }
    return false;
}

typedef struct agreement {
    size_t both_accept, both_refuse, too_large_for_jansson;
} agreement;

static void compare_with_jansson(agreement *seen, ctn_str text, const char *what)
{
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *v = parse(arena, text);
    json_error_t error;
    json_t *peer = json_loadb(text.len ? text.ptr : "", text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    const char *trouble = NULL;
    bool has_nul = text.len && memchr(text.ptr, '\0', text.len);
    if (peer && has_nul) { /* jansson overlooks a NUL byte after a number; the suite forbids it */
        assert_null(v);
        json_decref(peer);
        peer = NULL;
    }
    if (peer && !v)
        trouble = "jansson accepts, we do not";
    else if (peer && !same_value(v, peer))
        trouble = "values differ";
    else if (!peer && v && json_error_code(&error) != json_error_numeric_overflow &&
             json_error_code(&error) != json_error_null_byte_in_key)
        trouble = error.text;
    if (trouble)
        fail_msg("%s: %s: %.*s", what, trouble, CTN_STR_ARG(text));
    seen->both_accept += peer != NULL;
    seen->both_refuse += !peer && !v;
    seen->too_large_for_jansson += !peer && v;
    if (v)
        check_round_trips(arena, v);
    json_decref(peer);
    ctn_arena_free(arena);
}

static void compare_file(void *ctx, const char *name, ctn_str text)
{
    compare_with_jansson(ctx, text, name);
}

static void agrees_with_jansson_on_the_suite(void **state)
{
    (void) state;
    agreement seen = {0};
    if (!for_each_file(compare_file, &seen))
        skip();
    printf("suite: %zu accepted by both, %zu refused by both, %zu too large for jansson\n", seen.both_accept,
           seen.both_refuse, seen.too_large_for_jansson);
    assert_true(seen.both_accept >= 95);
}

/* ---- generated and damaged documents ---- */

static size_t below(const ctn_rng *rng, size_t n)
{
    return (size_t) (ctn_rng_next(rng) % n);
}

static void add_one_of(const ctn_rng *rng, ctn_buf *out, const char *const *choices, size_t count)
{
    ctn_buf_append(out, ctn_str_from(choices[below(rng, count)]));
}

static void add_space(const ctn_rng *rng, ctn_buf *out)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t", "\r\n", "  "};
    add_one_of(rng, out, spaces, 8);
}

static void add_string(const ctn_rng *rng, ctn_buf *out, bool is_key)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "key",
                                         "",
                                         "\xC3\xA9",
                                         "\xE2\x82\xAC",
                                         "\xF0\x9F\x98\x80",
                                         "\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\u0041",
                                         "\\u00e9",
                                         "\\ud83d\\ude00",
                                         "\\u0001",
                                         "\x7F",
                                         "\xEF\xBF\xBF",
                                         "{{x}}",
                                         "long enough to be more than one word",
                                         "\\u0000"};
    ctn_buf_append_char(out, '"');
    for (size_t n = below(rng, is_key ? 2 : 6) + is_key; n > 0; n--)
        add_one_of(rng, out, pieces, is_key ? 19 : 20); /* NUL in keys is not for jansson */
    ctn_buf_append_char(out, '"');
}

static void add_number(const ctn_rng *rng, ctn_buf *out)
{
    static const char *const signs[] = {"", "-"};
    static const char *const exponents[] = {"", "", "", "e3", "E-2", "e+10", "e-300", "e307"};
    add_one_of(rng, out, signs, 2);
    ctn_buf_append_int64(out, (int64_t) (ctn_rng_next(rng) >> (1 + below(rng, 63))));
    if (below(rng, 3) == 0) {
        ctn_buf_printf(out, ".%03zu", below(rng, 1000));
        ctn_buf_append_int64(out, (int64_t) below(rng, 100000));
    }
    add_one_of(rng, out, exponents, 8);
}

static void add_value(const ctn_rng *rng, ctn_buf *out, size_t depth)
{
    static const char *const names[] = {"null", "true", "false"};
    size_t kind = below(rng, depth > 5 ? 4 : 7);
    add_space(rng, out);
    if (kind == 0) {
        add_one_of(rng, out, names, 3);
    } else if (kind == 1 || kind == 2) {
        add_number(rng, out);
    } else if (kind == 3) {
        add_string(rng, out, false);
    } else {
        bool is_object = kind > 4;
        size_t count = below(rng, below(rng, 20) == 0 ? 60 : 6); /* some with more keys than are compared one by one */
        ctn_buf_append_char(out, is_object ? '{' : '[');
        add_space(rng, out);
        for (size_t i = 0; i < count; i++) {
            if (i)
                ctn_buf_append_char(out, ',');
            if (is_object) {
                add_space(rng, out);
                add_string(rng, out, true);
                add_space(rng, out);
                ctn_buf_append_char(out, ':');
            }
            add_value(rng, out, depth + 1 + (count > 6 ? 4 : 0));
        }
        ctn_buf_append_char(out, is_object ? '}' : ']');
    }
    add_space(rng, out);
}

/* One to three changes: a byte replaced, taken out, put in, or a piece doubled or dropped. */
static void damage(const ctn_rng *rng, ctn_buf *text)
{
    static const char bytes[] = "{}[]\":,\\0123456789.eE+-truefalsn u \n\t\x01\x80\xC3\xED\xF4\xFF'/";
    for (size_t n = 1 + below(rng, 3); n > 0 && text->len > 0; n--) {
        size_t at = below(rng, text->len), length = 1 + below(rng, 8);
        if (length > text->len - at)
            length = text->len - at;
        switch (below(rng, 4)) {
        case 0: text->data[at] = bytes[below(rng, sizeof bytes)]; break;
        case 1:
            memmove(text->data + at, text->data + at + length, text->len - at - length);
            text->len -= length;
            break;
        default:
            assert_non_null(ctn_buf_reserve(text, length));
            memmove(text->data + at + length, text->data + at, text->len - at);
            text->len += length;
            if (below(rng, 2) == 0)
                text->data[at] = bytes[below(rng, sizeof bytes)];
            break;
        }
    }
}

static void agrees_with_jansson_on_generated_documents(void **state)
{
    (void) state;
    uint64_t seed = SEED;
    ctn_rng rng = ctn_rng_seeded(&seed);
    agreement whole = {0}, damaged = {0};
    ctn_buf text;
    ctn_buf_init(&text, 1 << 24);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        char what[100];
        (void) snprintf(what, sizeof what, "document %zu of seed %u", i, SEED);
        ctn_buf_clear(&text);
        add_value(&rng, &text, 0);
        compare_with_jansson(&whole, ctn_buf_str(&text), what);
        damage(&rng, &text);
        compare_with_jansson(&damaged, ctn_buf_str(&text), what);
    }
    printf(
        "whole: %zu accepted by both, %zu too large for jansson; damaged: %zu accepted by both, %zu refused by both, "
        "%zu too large\n",
        whole.both_accept, whole.too_large_for_jansson, damaged.both_accept, damaged.both_refuse,
        damaged.too_large_for_jansson);
    assert_int_equal(whole.both_refuse, 0);
    assert_true(whole.both_accept > DOCUMENTS / 2 && damaged.both_accept > DOCUMENTS / 20);
    ctn_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_official_suite),
        cmocka_unit_test(agrees_with_jansson_on_the_suite),
        cmocka_unit_test(agrees_with_jansson_on_generated_documents),
    };
    return cmocka_run_group_tests_name("base/json peers", tests, NULL, NULL);
}
