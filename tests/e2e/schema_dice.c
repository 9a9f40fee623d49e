/*
 * schema_dice.c -- see schema_dice.h.
 */
#include "e2e/schema_dice.h"

#include <string.h>

#include "support/cmocka.h"
#include "value/schema.h"

#define DEPTH_MAX 6

uint64_t dice_below(dice *d, uint64_t bound)
{
    return ctn_rng_next(&d->rng) % bound;
}

const ctn_json *dice_resolve(const dice *d, const ctn_json *value)
{
    ctn_str ref = ctn_json_str_or(value, "$ref", (ctn_str){0});
    for (int hops = 0; ref.len && hops < 8; hops++) {
        value = ctn_json_pointer(d->document, ctn_str_from_offset(ref, 1)); /* behind the # */
        assert_non_null(value);
        ref = ctn_json_str_or(value, "$ref", (ctn_str){0});
    }
    return value;
}

const ctn_json *dice_schema_alone(const dice *d, const ctn_json *schema)
{
    ctn_json_builder alone = ctn_json_object(d->arena), all = ctn_json_array(d->arena);
    ctn_json_push(&all, schema);
    ctn_json_put(&alone, CTN_STR("components"), ctn_json_member_of(d->document, "components"));
    ctn_json_put(&alone, CTN_STR("allOf"), ctn_json_finish(&all));
    return ctn_json_finish(&alone);
}

/* ---- what a schema takes ---- */

static bool takes(const dice *d, const ctn_json *schema, const ctn_json *value)
{
    ctn_schema *compiled = NULL;
    ctn_err err;
    assert_int_equal(ctn_schema_compile(d->arena, dice_schema_alone(d, schema), &compiled, NULL, &err), CTN_OK);
    bool fits = ctn_schema_validate(compiled, value, d->arena, &err) == CTN_OK;
    ctn_schema_done(compiled);
    return fits;
}

static const ctn_json *text(dice *d, const ctn_json *schema)
{
    static const char *const SAMPLES[] = {"a",
                                          "x1",
                                          "lead",
                                          "7d",
                                          "1ms",
                                          "20ms",
                                          "1",
                                          "0",
                                          "*",
                                          "abcdefgh",
                                          "ask",
                                          "completed",
                                          "2026-11-23T10:00:00Z",
                                          "018f3a5e-7b1c-7c3d-9e4f-0123456789ab",
                                          "https://example.com/hook",
                                          "http://127.0.0.1:9/",
                                          "a.b",
                                          "lead-*",
                                          "Europe/London",
                                          "0 9 * * MON-FRI",
                                          "/v1",
                                          "ada@example.com",
                                          "\xc3\xa9\xe2\x82\xac",
                                          "it's {x}",
                                          ""};
    size_t count = sizeof SAMPLES / sizeof *SAMPLES, first = dice_below(d, count);
    const ctn_json *value = NULL;
    for (size_t i = 0; i < count; i++) {
        value = ctn_json_string(d->arena, ctn_str_from(SAMPLES[(first + i) % count]));
        if (takes(d, schema, value))
            return value;
    }
    return value;
}

static const ctn_json *number(dice *d, const ctn_json *schema)
{
    int64_t from = ctn_json_int_or(schema, "minimum", 0), to = ctn_json_int_or(schema, "maximum", from + 100);
    return ctn_json_int(d->arena, from + (int64_t) dice_below(d, (uint64_t) (to - from) + 1));
}

static const ctn_json *object(dice *d, const ctn_json *schema, unsigned depth)
{
    const ctn_json *members = ctn_json_member_of(schema, "properties"), *more;
    const ctn_json *required = ctn_json_member_of(schema, "required");
    ctn_json_builder b = ctn_json_object(d->arena);
    for (size_t i = 0; i < ctn_json_count(members); i++) {
        ctn_str name = ctn_json_text(&members->members[i].key);
        bool is_wanted = ctn_json_has_text(required, name) || (depth < DEPTH_MAX && dice_below(d, 2));
        if (is_wanted)
            ctn_json_put(&b, name, dice_value(d, &members->members[i].value, depth + 1));
    }
    more = ctn_json_member_of(schema, "additionalProperties");
    if (more && !ctn_json_is(more, CTN_JSON_FALSE) && depth < DEPTH_MAX && dice_below(d, 2))
        ctn_json_put(&b, CTN_STR("another"), dice_value(d, more, depth + 1));
    return ctn_json_finish(&b);
}

static const ctn_json *list(dice *d, const ctn_json *schema, unsigned depth)
{
    ctn_json_builder b = ctn_json_array(d->arena);
    uint64_t count = (uint64_t) ctn_json_int_or(schema, "minItems", 0) + (depth < DEPTH_MAX ? dice_below(d, 3) : 0);
    for (uint64_t i = 0; i < count; i++)
        ctn_json_push(&b, dice_value(d, ctn_json_member_of(schema, "items"), depth + 1));
    return ctn_json_finish(&b);
}

static const ctn_json *anything(dice *d, unsigned depth)
{
    ctn_json_builder b = ctn_json_object(d->arena);
    switch (dice_below(d, depth < DEPTH_MAX ? 6 : 4)) {
    case 0: return &ctn_json_null;
    case 1: return &ctn_json_true;
    case 2: return ctn_json_int(d->arena, (int64_t) dice_below(d, 1000));
    case 3: return ctn_json_string(d->arena, CTN_STR("some text"));
    case 4: ctn_json_put(&b, CTN_STR("a"), anything(d, depth + 1)); return ctn_json_finish(&b);
    default: return list(d, &ctn_json_true, depth + 1);
    }
}

const ctn_json *dice_value(dice *d, const ctn_json *schema, unsigned depth)
{
    schema = dice_resolve(d, schema);
    const ctn_json *choices = ctn_json_member_of(schema, "enum"), *type = ctn_json_member_of(schema, "type");
    if (ctn_json_member_of(schema, "const"))
        return ctn_json_member_of(schema, "const");
    if (!choices)
        choices = ctn_json_member_of(schema, "examples");
    if (ctn_json_count(choices))
        return ctn_json_at(choices, dice_below(d, ctn_json_count(choices)));
    static const char *const SEVERAL[] = {"oneOf", "anyOf"};
    for (size_t i = 0; i < 2; i++)
        if ((choices = ctn_json_member_of(schema, SEVERAL[i])) && !type)
            return dice_value(d, ctn_json_at(choices, dice_below(d, ctn_json_count(choices))), depth + 1);
    if (ctn_json_is(type, CTN_JSON_ARRAY))
        type = ctn_json_at(type, dice_below(d, ctn_json_count(type)));
    ctn_str word = ctn_json_text(type);
    if (ctn_str_is(word, "string"))
        return text(d, schema);
    if (ctn_str_is(word, "integer") || ctn_str_is(word, "number"))
        return number(d, schema);
    if (ctn_str_is(word, "boolean"))
        return ctn_json_bool(dice_below(d, 2));
    if (ctn_str_is(word, "null"))
        return &ctn_json_null;
    if (ctn_str_is(word, "array"))
        return list(d, schema, depth);
    if (ctn_str_is(word, "object") || ctn_json_member_of(schema, "properties"))
        return object(d, schema, depth);
    return anything(d, depth);
}

/* ---- something else ---- */

static const ctn_json *odd(dice *d)
{
    static char long_text[5000];
    static const char *const WORDS[] = {"",
                                        "\x01",
                                        "\n",
                                        "../../etc/passwd",
                                        "%00",
                                        "{secret.X}",
                                        "\xf0\x9f\x90\xb1",
                                        "' OR 1=1 --",
                                        "-1",
                                        "null",
                                        "99999999999999999999"};
    static const char *const NUMBERS[] = {"-1", "1e308", "1e-400", "99999999999999999999999999", "0.1", "-0"};
    ctn_json_builder b = ctn_json_object(d->arena), a = ctn_json_array(d->arena);
    switch (dice_below(d, 8)) {
    case 0: return &ctn_json_null;
    case 1: return ctn_json_bool(dice_below(d, 2));
    case 2: return ctn_json_number(d->arena, ctn_str_from(NUMBERS[dice_below(d, sizeof NUMBERS / sizeof *NUMBERS)]));
    case 3: return ctn_json_finish(&b);
    case 4: return ctn_json_finish(&a);
    case 5:
        memset(long_text, 'y', sizeof long_text);
        return ctn_json_string(d->arena, (ctn_str){long_text, sizeof long_text});
    default: return ctn_json_string(d->arena, ctn_str_from(WORDS[dice_below(d, sizeof WORDS / sizeof *WORDS)]));
    }
}

const ctn_json *dice_spoil(dice *d, const ctn_json *value)
{
    size_t count = ctn_json_count(value), at = count ? dice_below(d, count) : 0;
    uint64_t how = dice_below(d, 8);
    if (how == 0 || (!count && how < 6))
        return odd(d);
    if (ctn_json_is(value, CTN_JSON_ARRAY)) {
        ctn_json_builder b = ctn_json_array(d->arena);
        for (size_t i = 0; i < count; i++)
            ctn_json_push(&b, i == at ? dice_spoil(d, ctn_json_at(value, i)) : ctn_json_at(value, i));
        return ctn_json_finish(&b);
    }
    if (!ctn_json_is(value, CTN_JSON_OBJECT))
        return odd(d);
    ctn_json_builder b = ctn_json_object(d->arena);
    for (size_t i = 0; i < count; i++) {
        const ctn_json *member = &value->members[i].value;
        if (i == at && how == 1)
            continue; /* one is missing */
        ctn_json_put(&b, ctn_json_text(&value->members[i].key), i == at && how > 2 ? dice_spoil(d, member) : member);
    }
    if (how == 2 || !count)
        ctn_json_put(&b, CTN_STR("nobodyKnowsThis"), odd(d));
    return ctn_json_finish(&b);
}
