/* Any bytes as YAML and as JSON: no crash, and every place that is told lies within the text. */
#include "chain/source.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(const ctn_source *s, const ctn_json *node, unsigned depth, size_t *budget)
{
    assert(depth <= CTN_JSON_DEPTH_MAX);
    if (*budget == 0)
        return;
    --*budget;
    ctn_position p = ctn_source_position(s, node);
    assert(p.line > 0 && p.column > 0);
    for (size_t i = 0; i < ctn_json_count(node); i++) {
        if (ctn_json_is(node, CTN_JSON_ARRAY)) {
            check_node(s, &node->items[i], depth + 1, budget);
        } else {
            check_node(s, &node->members[i].key, depth + 1, budget);
            check_node(s, &node->members[i].value, depth + 1, budget);
        }
    }
}

static void read_as(const char *name, ctn_str text)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_source *s = NULL;
    int rc = ctn_source_parse(arena, ctn_str_from(name), text, &findings, &s);
    ctn_findings_sort(&findings);
    assert((rc == CTN_OK) == (findings.error_count == 0));
    size_t budget = 2000;
    if (rc == CTN_OK) {
        check_node(s, ctn_source_root(s), 0, &budget);
        for (uint32_t line = 0; line < 20; line++)
            (void) ctn_source_allows(s, line, CTN_STR("type"));
        /* What was read can be written and read again. */
        ctn_buf out;
        ctn_buf_init(&out, 64u << 20);
        ctn_json_write(&out, ctn_source_root(s));
        const ctn_json *again = NULL;
        ctn_json_options options = {.depth_max = CTN_JSON_DEPTH_MAX + 1};
        assert(ctn_json_parse(arena, ctn_buf_str(&out), &options, &again, NULL) == CTN_OK);
        ctn_buf_done(&out);
    }
    ctn_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_str text = {(const char *) data, size};
    read_as("a.yaml", text);
    read_as("a.json", text);
    return 0;
}
