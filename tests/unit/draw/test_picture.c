/* What is to be seen of a chain, and that no name in it can break out of the formats. */
#include <stdio.h>

#include "draw/picture.h"
#include "support/cmocka.h"
#include "unit/kit/chain_kit.h"
#include "xml_check.h"

static const char *const SETS = "instructionSets:\n"
                                "  look: {tool: s/look, effect: read, arguments: {x: 1}}\n"
                                "  make: {tool: s/make, effect: write, arguments: {x: 1}}\n"
                                "  unmake: {tool: s/unmake, effect: idempotent}\n"
                                "  dark: {tool: s/dark, arguments: {x: 1}}\n"
                                "  day: {wait: {ms: 86400000}}\n"
                                "  yes: {approval: {who: [desk], timeoutMs: 3600000}}\n"
                                "  two: {calls: {a: {tool: s/a}, b: {tool: s/b}}, effect: read}\n"
                                "  sub: {chain: other, arguments: {x: 1}}\n"
                                "  'odd \"name\" <b>&': {native: score, effect: none}\n";

typedef struct kit {
    chain_kit chain;
    ctn_picture *p;
    ctn_buf out;
} kit;

static kit kit_of(const char *text)
{
    kit k;
    ctn_graph *graph = NULL;
    chain_kit_init(&k.chain);
    chain_kit_add(&k.chain, "sets.yaml", SETS);
    if (strstr(text, "sub}"))
        chain_kit_add(&k.chain, "other.yaml", "id: other\nsteps: [{stepName: a, instructionSet: look}]\n");
    chain_kit_add(&k.chain, "c.yaml", text);
    if (k.chain.findings.error_count || !k.chain.chain ||
        ctn_graph_build(k.chain.arena, k.chain.library, k.chain.chain, &k.chain.findings, &graph))
        fail_msg("%s\ngives %.*s", text, CTN_STR_ARG(chain_kit_findings(&k.chain, NULL)));
    k.p = ctn_picture_of(graph, NULL, k.chain.arena);
    ctn_buf_init(&k.out, 64 << 20);
    return k;
}

static void kit_done(kit *k)
{
    ctn_buf_done(&k->out);
    chain_kit_done(&k->chain);
}

static void assert_str(ctn_str got, const char *wanted)
{
    if (!ctn_str_is(got, wanted))
        fail_msg("\"%.*s\" is not \"%s\"", CTN_STR_ARG(got), wanted);
}

static bool has(ctn_str text, const char *part)
{
    return ctn_str_find(text, ctn_str_from(part)) != SIZE_MAX;
}

/* "0>1:a,b 1>2:" */
static ctn_str edges_of(const kit *k)
{
    ctn_buf out;
    ctn_buf_init(&out, 1 << 16);
    for (uint32_t e = 0; e < k->p->edge_count; e++)
        ctn_buf_printf(&out, "%s%u>%u:%.*s", e ? "; " : "", k->p->edges[e].from, k->p->edges[e].to,
                       CTN_STR_ARG(k->p->edges[e].carries));
    ctn_str kept = ctn_arena_str(k->chain.arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return kept;
}

/* ---- what is seen ---- */

static void lines_that_others_imply_are_left_out(void **state)
{
    (void) state;
    kit k = kit_of("id: c\nsteps:\n"
                   "  - {stepName: a, instructionSet: look, inputTemplate: '{q}', outputVariables: [x, y]}\n"
                   "  - {stepName: b, instructionSet: look, conditionalExecution: '{x}', outputVariables: [z], "
                   "dependsOn: [a]}\n"
                   "  - {stepName: c, instructionSet: look, conditionalExecution: '{x} == {z}', dependsOn: [a, b]}\n"
                   "  - {stepName: d, instructionSet: look, dependsOn: [a, b, c]}\n");
    assert_str(edges_of(&k), "4>0:q; 0>1:x; 1>2:z; 2>3:; 3>5:");
    kit_done(&k);
}

static void a_line_carries_what_the_lower_step_reads_of_the_upper(void **state)
{
    (void) state;
    kit k =
        kit_of("id: c\noutputs: [z]\nsteps:\n"
               "  - {stepName: a, instructionSet: two, conditionalExecution: '{q}', outputVariables: [x, y]}\n"
               "  - {stepName: b, instructionSet: make, parallelExecution: true, conditionalExecution: '{x} && {y}'}\n"
               "  - {stepName: c, instructionSet: make, parallelExecution: true, conditionalExecution: '{y}', "
               "outputVariables: [z, w]}\n");
    assert_str(edges_of(&k), "3>0:q; 0>1:x, y; 0>2:y; 1>4:; 2>4:z");
    assert_str(k.p->inputs[0], "q?");
    assert_int_equal(k.p->output_count, 1);
    assert_str(k.p->steps[1].reads, "x (a), y (a)");
    assert_str(k.p->steps[0].reads, "q (input)");
    assert_str(k.p->steps[2].writes, "z, w");
    kit_done(&k);
}

static void everything_that_matters_about_a_step_is_told(void **state)
{
    (void) state;
    kit k = kit_of("id: c\ntimeoutMs: 600000\nsteps:\n"
                   "  - {stepName: a, instructionSet: two, outputVariables: [l], retryConfig: {maxRetries: 3, "
                   "backoffMs: 500}, timeoutMs: 90000, cache: {ttlMs: 60000}}\n"
                   "  - {stepName: b, instructionSet: make, foreach: {items: '{l}', as: one, maxConcurrency: 4}, "
                   "rollbackAction: unmake, fallback: [{value: {}}], onError: continue}\n"
                   "  - {stepName: c, instructionSet: day, noUndo: time}\n"
                   "  - {stepName: d, instructionSet: yes}\n"
                   "  - {stepName: e, instructionSet: dark, foreach: {items: {range: [1, 5]}, as: i}}\n"
                   "  - {stepName: f, instructionSet: sub}\n");
    const ctn_picture_step *s = k.p->steps;
    assert_str(s[0].about, "2 calls in turn: s/a, s/b");
    assert_int_equal(s[0].badge_count, 3);
    assert_str(s[0].badges[0], "retry 3x");
    assert_str(s[0].badges[1], "timeout 90 s");
    assert_str(s[0].badges[2], "cache 1 min");
    assert_str(s[1].foreach, "each one of {l}, 4 at once");
    assert_str(s[1].badges[0], "fallback");
    assert_str(s[1].badges[1], "on error: continue");
    assert_str(s[1].badges[2], "undo: unmake");
    assert_int_equal(s[1].effect, CTN_EFFECT_WRITE);
    assert_false(s[1].is_assumed);
    assert_str(s[2].about, "1 d");
    assert_str(s[2].badge_titles[0], "time");
    assert_str(s[3].about, "by desk");
    assert_str(s[3].badges[0], "deadline 1 h");
    assert_true(s[4].is_assumed);
    assert_str(s[4].foreach, "each i of range [1,5]");
    assert_str(s[5].about, "other");
    assert_str(k.p->summary, "6 steps, 1 with an undo, within 10 min");
    kit_done(&k);
}

/* ---- formats ---- */

static const char *const HOSTILE =
    "id: hostile\n"
    "name: \"</title><script>alert(1)</script> \\\"]] --> x & \\u0001 \\uFFFE %% end\"\n"
    "description: \"--- \\n]]> <!-- &lt;\"\n"
    "steps:\n"
    "  - {stepName: end, instructionSet: \"odd \\\"name\\\" <b>&\", conditionalExecution: \"{q} == '\\\"] --> \\\\\\\\ "
    "<i>;#`'\", outputVariables: [graph]}\n"
    "  - {stepName: subgraph, instructionSet: make, noUndo: \"</text>\\\"}\", foreach: {items: \"{graph | "
    "default('\\\"]|<x>')}\", as: node}}\n"
    "  - {stepName: node, instructionSet: yes, timeoutMs: 5}\n";

static void svg_is_well_formed_whatever_the_names_are(void **state)
{
    (void) state;
    kit k = kit_of(HOSTILE);
    xml_counts counts;
    k.p->steps[2].state = CTN_STR("failed: <timeout>");
    k.p->steps[2].status = CTN_STEP_FAILED;
    ctn_picture_svg(k.p, k.chain.arena, &k.out);
    const char *fault = xml_check(ctn_buf_str(&k.out), &counts);
    if (fault)
        fail_msg("%s: %.*s", fault, CTN_STR_ARG(ctn_buf_str(&k.out)));
    assert_false(has(ctn_buf_str(&k.out), "<script"));
    assert_true(has(ctn_buf_str(&k.out), "&lt;/title&gt;&lt;script&gt;"));
    assert_true(has(ctn_buf_str(&k.out), "st-failed"));
    assert_true(has(ctn_buf_str(&k.out), "role=\"img\""));
    assert_true(has(ctn_buf_str(&k.out), "prefers-color-scheme:dark"));
    assert_true(counts.texts >= 2 * 3 + 4);
    for (int kind = 0; kind < CTN_WORK_KIND_COUNT; kind++) { /* each kind of work has its icon */
        char icon[64];
        snprintf(icon, sizeof icon, "<symbol id=\"catena-%s\"", ctn_work_kind_name((ctn_work_kind) kind));
        assert_true(has(ctn_buf_str(&k.out), icon));
    }
    kit_done(&k);
}

static size_t count_of(ctn_str line, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < line.len; i++)
        count += line.ptr[i] == c;
    return count;
}

/* Each node and each line of the picture is one line of text; what a name says stays between its two quotes, and there
 * it has no character that could mean more. */
static void mermaid_keeps_names_inside_their_quotes(void **state)
{
    (void) state;
    kit k = kit_of(HOSTILE);
    k.p->steps[2].state = CTN_STR("failed: <timeout>");
    k.p->steps[2].status = CTN_STEP_FAILED;
    ctn_picture_mermaid(k.p, &k.out);
    ctn_str rest = ctn_buf_str(&k.out);
    size_t lines = 0;
    while (rest.ptr && rest.len) {
        ctn_str line = ctn_str_cut(&rest, '\n');
        if (lines++ < 4 || ctn_str_starts_with(line, CTN_STR("    classDef")))
            continue; /* the title is YAML */
        size_t quotes = count_of(line, '"');
        if (quotes != 0 && quotes != 2)
            fail_msg("%zu quotes: %.*s", quotes, CTN_STR_ARG(line));
        if (quotes == 0)
            continue;
        (void) ctn_str_cut(&line, '"');
        ctn_str inner = ctn_str_cut(&line, '"');
        for (const char *bad = "<>[]{}|()`\\&"; *bad; bad++) {
            size_t breaks = 0; /* the <br/> that stand between our lines */
            for (ctn_str part = inner; ctn_str_find(part, CTN_STR("<br/>")) != SIZE_MAX; breaks++)
                part = ctn_str_from_offset(part, ctn_str_find(part, CTN_STR("<br/>")) + 5);
            if (count_of(inner, *bad) != (*bad == '<' || *bad == '>' ? breaks : 0))
                fail_msg("'%c' in: %.*s", *bad, CTN_STR_ARG(inner));
        }
        if (count_of(inner, '#') != count_of(inner, ';'))
            fail_msg("a # that begins no code: %.*s", CTN_STR_ARG(inner));
    }
    assert_int_equal(lines, 4 + 2 + 3 + k.p->edge_count + 2); /* a step that writes; one that has failed */
    assert_true(has(ctn_buf_str(&k.out), "classDef failed "));
    assert_false(has(ctn_buf_str(&k.out), "classDef completed "));
    assert_true(has(ctn_buf_str(&k.out), "s1{{\"if "));
    assert_true(has(ctn_buf_str(&k.out), "s1 -->|\"graph\"| s2"));
    kit_done(&k);
}

static void dot_keeps_names_inside_their_quotes(void **state)
{
    (void) state;
    kit k = kit_of(HOSTILE);
    ctn_picture_dot(k.p, &k.out);
    ctn_str text = ctn_buf_str(&k.out);
    bool is_inside = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_inside && c == '\\') {
            i++;
            assert_true(text.ptr[i] == '"' || text.ptr[i] == '\\' || text.ptr[i] == 'n');
        } else if (c == '"')
            is_inside = !is_inside;
        else if (is_inside)
            assert_true(c != '\n');
        else if (strchr("<>&'\\", c))
            assert_true(c == '>' && text.ptr[i - 1] == '-'); /* an arrow */
    }
    assert_false(is_inside);
    assert_true(has(text, "\"end\" -> \"subgraph\" [label=\"graph\"];"));
    assert_true(has(text, "peripheries=2"));
    kit_done(&k);
}

static void the_same_chain_gives_the_same_bytes(void **state)
{
    (void) state;
    kit a = kit_of(HOSTILE), b = kit_of(HOSTILE);
    ctn_picture_svg(a.p, a.chain.arena, &a.out);
    ctn_picture_svg(b.p, b.chain.arena, &b.out);
    assert_int_equal(a.out.len, b.out.len);
    assert_memory_equal(a.out.data, b.out.data, a.out.len);
    kit_done(&a);
    kit_done(&b);
}

static void ten_thousand_steps_are_drawn_in_bounded_memory(void **state)
{
    (void) state;
    ctn_buf text;
    ctn_buf_init(&text, 4 << 20);
    ctn_buf_append_literal(&text, "id: c\nsteps:\n");
    for (unsigned i = 0, seed = 1; i < CTN_CHAIN_STEPS_MAX; i++) {
        ctn_buf_printf(&text, "  - {stepName: s%u, instructionSet: look", i);
        for (unsigned n = 0; i && n < 3; n++) {
            seed = seed * 1103515245 + 12345;
            ctn_buf_printf(&text, "%ss%u", n ? ", " : ", dependsOn: [", seed / 7 % i);
        }
        ctn_buf_append(&text, ctn_str_from(i ? "]}\n" : "}\n"));
    }
    ctn_buf_append_char(&text, '\0');
    kit k = kit_of(text.data);
    xml_counts counts;
    ctn_picture_svg(k.p, k.chain.arena, &k.out);
    assert_null(xml_check(ctn_buf_str(&k.out), &counts));
    assert_true(counts.rects >= CTN_CHAIN_STEPS_MAX);
    assert_true(k.out.len < 40 << 20);
    assert_true(ctn_arena_used_bytes(k.chain.arena) < 200 << 20);
    kit_done(&k);
    ctn_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_others_imply_are_left_out),
        cmocka_unit_test(a_line_carries_what_the_lower_step_reads_of_the_upper),
        cmocka_unit_test(everything_that_matters_about_a_step_is_told),
        cmocka_unit_test(svg_is_well_formed_whatever_the_names_are),
        cmocka_unit_test(mermaid_keeps_names_inside_their_quotes),
        cmocka_unit_test(dot_keeps_names_inside_their_quotes),
        cmocka_unit_test(the_same_chain_gives_the_same_bytes),
        cmocka_unit_test(ten_thousand_steps_are_drawn_in_bounded_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
