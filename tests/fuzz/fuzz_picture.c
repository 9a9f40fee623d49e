/* Any bytes as a chain file: what reads is drawn in each format. The SVG is well-formed, dot's quotes close, Mermaid
 * has two quotes a line or none. */
#include "../unit/draw/xml_check.c"
#include "draw/picture.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char SETS[] = "instructionSets:\n"
                           "  a: {tool: s/a, effect: read}\n"
                           "  b: {native: b, arguments: {x: '{x}', y: '{y?}'}}\n"
                           "  c: {calls: {p: {tool: s/p}, q: {native: q, arguments: {p: '{p.id}'}}}}\n"
                           "  w: {wait: {ms: 5}}\n"
                           "  ok: {approval: {message: '{x}', who: ['<a>', '\"b']}}\n";

static void check_dot(ctn_str text)
{
    bool is_inside = false;
    for (size_t i = 0; i < text.len; i++) {
        if (is_inside && text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '"')
            is_inside = !is_inside;
    }
    assert(!is_inside);
}

static void check_mermaid(ctn_str text)
{
    for (size_t line = 0; text.ptr && text.len; line++) {
        ctn_str part = ctn_str_cut(&text, '\n');
        size_t quotes = 0;
        for (size_t i = 0; i < part.len; i++)
            quotes += part.ptr[i] == '"';
        assert(line == 1 || quotes == 0 || quotes == 2);
    }
}

static void draw(ctn_graph *graph, ctn_arena *arena)
{
    xml_counts counts;
    ctn_buf out;
    ctn_buf_init(&out, (size_t) 64 << 20);
    ctn_picture *p = ctn_picture_of(graph, NULL, arena);
    ctn_picture_svg(p, arena, &out);
    assert(!xml_check(ctn_buf_str(&out), &counts) && counts.rects >= p->step_count);
    ctn_buf_clear(&out);
    ctn_picture_dot(p, &out);
    check_dot(ctn_buf_str(&out));
    ctn_buf_clear(&out);
    ctn_picture_mermaid(p, &out);
    check_mermaid(ctn_buf_str(&out));
    ctn_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(16 * 1024);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    ctn_library *library = ctn_library_new(arena);
    const ctn_chain *chain = NULL;
    ctn_graph *graph = NULL;
    assert(ctn_library_add_text(library, CTN_STR("sets.yaml"), ctn_str_from(SETS), &findings, NULL) == CTN_OK);
    int rc = ctn_library_add_text(library, CTN_STR("c.yaml"), (ctn_str){(const char *) data, size}, &findings, &chain);
    if (rc == CTN_OK && chain && ctn_graph_build(arena, library, chain, &findings, &graph) == CTN_OK)
        draw(graph, arena);
    ctn_arena_free(arena);
    return 0;
}
