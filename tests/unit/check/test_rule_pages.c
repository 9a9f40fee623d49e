/*
 * docs/lint: a page for every rule, which says what the program says, and whose bad example gets exactly that rule and
 * whose good one nothing.
 */
#include "chain/rules.h"
#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/chain_kit.h"
#include "unit/kit/json_kit.h"

typedef struct page {
    ctn_arena *arena;
    ctn_str text;
    const ctn_json *tools;  /* NULL: none are known */
    const ctn_json *models; /* likewise */
    ctn_str document_name, document;
} page;

/* The fenced block whose first line ends with `word`; empty when there is none. *ret_head: that line. */
static ctn_str block_of(const page *p, const char *word, ctn_str *ret_head)
{
    ctn_str rest = p->text;
    while (rest.len) {
        ctn_str line = ctn_str_cut(&rest, '\n');
        if (!ctn_str_starts_with(line, CTN_STR("```")) || line.len == 3)
            continue;
        size_t end = ctn_str_find(rest, CTN_STR("```"));
        assert_int_not_equal(end, SIZE_MAX);
        if (ctn_str_find(line, ctn_str_from(word)) != SIZE_MAX) {
            *ret_head = line;
            return (ctn_str){rest.ptr, end};
        }
        rest = ctn_str_from_offset(rest, end + 4);
    }
    return (ctn_str){0};
}

static bool tool_of(void *ctx, ctn_str target, ctn_check_tool *ret_tool)
{
    const page *p = ctx;
    const ctn_json *tool = ctn_json_get(p->tools, target);
    *ret_tool = (ctn_check_tool){0};
    if (!tool)
        ret_tool->fault = CTN_STR("the server has no such tool");
    ret_tool->input_schema = ctn_json_member_of(tool, "inputSchema");
    ret_tool->output_schema = ctn_json_member_of(tool, "outputSchema");
    return true;
}

/* The pages know one. */
static int secret_of(void *ctx, ctn_arena *arena, ctn_str name, ctn_err *err)
{
    (void) ctx, (void) arena;
    return ctn_str_is(name, "CRM") ? CTN_OK : ctn_fail(err, CTN_E_NOT_FOUND, "there is no such secret");
}

static bool has_model(void *ctx, ctn_arena *arena, ctn_str name, ctn_str *ret_advice)
{
    const page *p = ctx;
    (void) arena;
    *ret_advice = CTN_STR("write another");
    return ctn_json_has_text(p->models, name);
}

/* How many findings an example gets, all of the rule. */
static size_t findings_of(page *p, const char *word, const ctn_rule *rule)
{
    ctn_str head = {0}, text = block_of(p, word, &head);
    if (!text.len)
        fail_msg("%s: there is no example marked '%s'", rule->name, word);
    bool is_json = ctn_str_find(head, CTN_STR("json")) != SIZE_MAX;
    chain_kit kit;
    chain_kit_init(&kit);
    if (p->document.len)
        (void) ctn_library_add_template(kit.library, p->document_name, CTN_STR("letter.mustache"), p->document,
                                        &kit.findings);
    chain_kit_add(&kit, is_json ? "example.json" : "example.yaml", ctn_arena_str(kit.arena, text).ptr);
    ctn_check_options options = {.tool = p->tools ? tool_of : NULL,
                                 .tool_ctx = p,
                                 .has_model = p->models ? has_model : NULL,
                                 .has_model_ctx = p,
                                 .secret = secret_of};
    chain_kit_check(&kit, &options);
    size_t count = kit.findings.count;
    for (size_t i = 0; i < count; i++)
        if (strcmp(kit.findings.items[i].rule, rule->name) != 0 || strcmp(word, "good") == 0 ||
            kit.findings.items[i].severity != rule->severity)
            fail_msg("docs/lint/%s.md, the %s example:\n%.*s", rule->name, word,
                     CTN_STR_ARG(chain_kit_findings(&kit, NULL)));
    chain_kit_done(&kit);
    return count;
}

static void check_page(const ctn_rule *rule, ctn_str index)
{
    page p = {.arena = ctn_arena_new(65536)};
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    if (!ctn_read_file(ctn_arena_printf(p.arena, "docs/lint/%s.md", rule->name).ptr, &text))
        fail_msg("there is no docs/lint/%s.md", rule->name);
    p.text = ctn_arena_str(p.arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    ctn_str title = ctn_arena_printf(p.arena, "# %s\n\n*%s* · %s\n", rule->name,
                                     rule->severity == CTN_SEVERITY_ERROR ? "error" : "warning", rule->summary);
    if (!ctn_str_starts_with(p.text, title))
        fail_msg("docs/lint/%s.md does not begin with what the program says:\n%.*s", rule->name, CTN_STR_ARG(title));
    if (ctn_str_find(p.text, CTN_STR("\n**Mend it.** ")) == SIZE_MAX ||
        ctn_str_find(p.text, CTN_STR("\n**Silence it.** ")) == SIZE_MAX)
        fail_msg("docs/lint/%s.md does not say how to mend or to silence it", rule->name);
    ctn_str row = ctn_arena_printf(p.arena, "\n| [`%s`](%s.md) | %s | %s |\n", rule->name, rule->name,
                                   rule->severity == CTN_SEVERITY_ERROR ? "error" : "warning", rule->summary);
    if (ctn_str_find(index, row) == SIZE_MAX)
        fail_msg("docs/lint/README.md does not have the row:%.*s", CTN_STR_ARG(row));
    ctn_str head = {0}, tools = block_of(&p, "json tools", &head);
    if (tools.len)
        p.tools = json_of(p.arena, tools);
    ctn_str models = block_of(&p, "json models", &head);
    if (models.len)
        p.models = json_of(p.arena, models);
    p.document = block_of(&p, "mustache ", &head);
    if (p.document.len)
        p.document_name = ctn_str_from_offset(head, sizeof "```mustache " - 1);
    if (findings_of(&p, "bad", rule) == 0)
        fail_msg("docs/lint/%s.md: the bad example is good", rule->name);
    assert_int_equal(findings_of(&p, "good", rule), 0);
    ctn_arena_free(p.arena);
}

static void every_rule_has_a_page_whose_examples_hold(void **state)
{
    (void) state;
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    assert_true(ctn_read_file("docs/lint/README.md", &text));
    for (size_t i = 0; i < ctn_rule_count; i++)
        check_page(&ctn_rule_table[i], ctn_buf_str(&text));
    ctn_buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_a_page_whose_examples_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
