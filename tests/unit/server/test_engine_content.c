/* Whatever a chain gives becomes content that the protocol's schema takes; what an author wrote rightly stays as it is.
 */
#include "server/mcp/engine_content.h"
#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/json_kit.h"
#include "value/schema.h"
#include <stdio.h>

#define PNG "iVBORw0KGgo="

typedef const ctn_json *make_fn(ctn_arena *arena, const ctn_json *value);

static const ctn_json *contents(ctn_arena *arena, const ctn_json *value)
{
    return ctn_content_contents(arena, value, CTN_STR("a:b"), CTN_STR("text/plain"));
}

static void expect(make_fn *make, const char *value, const char *wanted)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str got = ctn_json_to_str(arena, make(arena, value ? json_of(arena, ctn_str_from(value)) : NULL));
    if (!ctn_str_is(got, wanted))
        fail_msg("%s: %.*s", value, CTN_STR_ARG(got));
    ctn_arena_free(arena);
}

static void what_is_content_stays_as_it_is(void **state)
{
    (void) state;
    static const char *const blocks[] = {
        "{\"type\":\"text\",\"text\":\"a\",\"annotations\":{\"audience\":[\"user\"],\"priority\":0.5}}",
        "{\"type\":\"image\",\"data\":\"" PNG "\",\"mimeType\":\"image/png\"}",
        "{\"type\":\"audio\",\"data\":\"\",\"mimeType\":\"audio/wav\",\"_meta\":{\"a\":1}}",
        "{\"type\":\"resource_link\",\"uri\":\"a:b\",\"name\":\"b\",\"size\":3}",
        "{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\",\"text\":\"t\"}}",
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        char value[512], message[512];
        (void) snprintf(value, sizeof value, "[%s]", blocks[i]);
        expect(ctn_content_blocks, blocks[i], value);
        expect(ctn_content_blocks, value, value);
        (void) snprintf(message, sizeof message, "[{\"role\":\"assistant\",\"content\":%s}]", blocks[i]);
        expect(ctn_content_messages, message, message);
    }
    expect(contents, "{\"uri\":\"c:d\",\"mimeType\":\"x/y\",\"blob\":\"" PNG "\"}",
           "[{\"uri\":\"c:d\",\"mimeType\":\"x/y\",\"blob\":\"" PNG "\"}]");
}

static void less_than_the_protocols_form_is_enough(void **state)
{
    (void) state;
    expect(ctn_content_blocks, "\"a\"", "[{\"type\":\"text\",\"text\":\"a\"}]");
    expect(ctn_content_blocks, "[\"a\",{\"b\":1}]",
           "[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"{\\\"b\\\":1}\"}]");
    expect(ctn_content_blocks, "[]", "[]");
    expect(ctn_content_blocks, NULL, "[{\"type\":\"text\",\"text\":\"null\"}]");
    expect(ctn_content_messages, "\"a\"", "[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"a\"}}]");
    expect(ctn_content_messages, "{\"role\":\"assistant\",\"content\":[\"a\",\"b\"]}",
           "[{\"role\":\"assistant\",\"content\":{\"type\":\"text\",\"text\":\"a\"}},"
           "{\"role\":\"assistant\",\"content\":{\"type\":\"text\",\"text\":\"b\"}}]");
    expect(contents, "\"a\"", "[{\"uri\":\"a:b\",\"mimeType\":\"text/plain\",\"text\":\"a\"}]");
    expect(contents, "[{\"text\":\"a\"},{\"blob\":\"" PNG "\"}]",
           "[{\"uri\":\"a:b\",\"mimeType\":\"text/plain\",\"text\":\"a\"},"
           "{\"uri\":\"a:b\",\"mimeType\":\"text/plain\",\"blob\":\"" PNG "\"}]");
    expect(contents, "[1,2]", "[{\"uri\":\"a:b\",\"mimeType\":\"text/plain\",\"text\":\"[1,2]\"}]");
}

static void what_is_no_content_is_told_as_text(void **state)
{
    (void) state;
    static const char *const wrong[] = {"{\"type\":\"image\",\"data\":\"not base64!\",\"mimeType\":\"image/png\"}",
                                        "{\"type\":\"image\",\"data\":\"" PNG "\"}", "{\"type\":\"vide\"}",
                                        "{\"type\":\"text\",\"text\":7}",
                                        "{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\"}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ctn_arena *arena = ctn_arena_new(4096);
        const ctn_json *block = ctn_json_at(ctn_content_blocks(arena, json_of(arena, ctn_str_from(wrong[i]))), 0);
        assert_true(ctn_str_is(ctn_json_str_or(block, "type", (ctn_str){0}), "text"));
        assert_true(ctn_str_is(ctn_json_str_or(block, "text", (ctn_str){0}), wrong[i]));
        ctn_arena_free(arena);
    }
    expect(ctn_content_blocks, "{\"type\":\"text\",\"text\":\"a\",\"annotations\":7,\"_meta\":[],\"icons\":1}",
           "[{\"type\":\"text\",\"text\":\"a\"}]");
    expect(ctn_content_blocks, "{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\",\"text\":\"t\",\"mimeType\":7}}",
           "[{\"type\":\"resource\",\"resource\":{\"uri\":\"a:b\",\"text\":\"t\"}}]");
    expect(ctn_content_messages, "{\"role\":\"system\",\"content\":\"a\"}",
           "[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"{\\\"role\\\":\\\"system\\\",\\\"content\\\":"
           "\\\"a\\\"}\"}}]");
    expect(contents, "{\"uri\":7,\"text\":\"a\",\"blob\":\"x\"}",
           "[{\"uri\":\"a:b\",\"mimeType\":\"text/plain\",\"text\":\"a\"}]");
}

static ctn_schema *schema_of(ctn_arena *arena, const char *definition)
{
    char path[4096], text[256];
    ctn_buf file;
    ctn_schema *schema = NULL;
    ctn_err err = {0};
    if (!ctn_shared_data("../reference/mcp-schema/2026-07-28.json", path, sizeof path))
        skip();
    ctn_buf_init(&file, 8 << 20);
    assert_true(ctn_read_file(path, &file));
    (void) snprintf(text, sizeof text, "{\"$ref\":\"#/$defs/%s\"}", definition);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_all(&b, json_of(arena, ctn_str_from(text)));
    ctn_json_put(&b, CTN_STR("$defs"),
                 ctn_json_member_of(json_of(arena, ctn_arena_str(arena, ctn_buf_str(&file))), "$defs"));
    ctn_buf_done(&file);
    if (ctn_schema_compile(arena, ctn_json_finish(&b), &schema, NULL, &err))
        fail_msg("%s", err.message);
    return schema;
}

/* Every value out of the pieces, three levels deep, in every place. */
static void whatever_goes_in_the_schema_takes_what_comes_out(void **state)
{
    (void) state;
    static const char *const keys[] = {"type", "text", "data", "mimeType",   "uri",
                                       "name", "blob", "role", "annotations"};
    static const char *const values[] = {"\"text\"",    "\"image\"", "\"resource\"", "\"resource_link\"", "7", "null",
                                         "\"" PNG "\"", "\"user\"",  "[\"user\"]",   "{\"priority\":2}"};
    enum { KEYS = sizeof keys / sizeof *keys, VALUES = sizeof values / sizeof *values };
    ctn_arena *arena = ctn_arena_new(1 << 20);
    ctn_schema *block = schema_of(arena, "ContentBlock"), *message = schema_of(arena, "PromptMessage");
    ctn_schema *content = schema_of(arena, "ReadResourceResult/properties/contents");
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        ctn_arena_mark mark = ctn_arena_save(arena);
        char text[1024];
        int len = snprintf(text, sizeof text, "{");
        for (int i = 0; i < 5; i++) {
            seed = seed * 1103515245 + 12345;
            len += snprintf(text + len, sizeof text - (size_t) len, "%s\"%s\":%s", i ? "," : "",
                            keys[(seed >> 8) % KEYS], values[(seed >> 16) % VALUES]);
        }
        (void) snprintf(text + len, sizeof text - (size_t) len, "}");
        const ctn_json *value = NULL;
        if (ctn_json_parse(arena, ctn_str_from(text), NULL, &value, NULL) == CTN_OK) { /* else a key came twice */
            ctn_json_builder whole = ctn_json_object(arena);
            ctn_json_put_str(&whole, "type", CTN_STR("resource"));
            ctn_json_put_str(&whole, "role", CTN_STR("user"));
            ctn_json_put(&whole, CTN_STR("resource"), value);
            ctn_json_put(&whole, CTN_STR("content"), value);
            const ctn_json *both[] = {value, ctn_json_finish(&whole)};
            ctn_err err = {0};
            for (size_t i = 0; i < 2; i++)
                if (ctn_schema_validate(block, ctn_json_at(ctn_content_blocks(arena, both[i]), 0), arena, &err) ||
                    ctn_schema_validate(message, ctn_json_at(ctn_content_messages(arena, both[i]), 0), arena, &err) ||
                    ctn_schema_validate(content, contents(arena, both[i]), arena, &err))
                    fail_msg("%s: %s", text, err.message);
        }
        ctn_arena_restore(arena, mark);
    }
    ctn_schema_done(block);
    ctn_schema_done(message);
    ctn_schema_done(content);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_content_stays_as_it_is),
        cmocka_unit_test(less_than_the_protocols_form_is_enough),
        cmocka_unit_test(what_is_no_content_is_told_as_text),
        cmocka_unit_test(whatever_goes_in_the_schema_takes_what_comes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
