/* chain_kit.c -- see chain_kit.h. */
#include "support/cmocka.h"
#include "support/shared_data.h"
#include "unit/kit/chain_kit.h"

void chain_kit_init(chain_kit *kit)
{
    *kit = (chain_kit){.arena = ctn_arena_new(16 * 1024)};
    kit->library = ctn_library_new(kit->arena);
    ctn_findings_init(&kit->findings, kit->arena);
}

void chain_kit_done(chain_kit *kit)
{
    ctn_arena_free(kit->arena);
}

static void add(chain_kit *kit, ctn_str name, ctn_str text)
{
    if (ctn_str_ends_with(name, CTN_STR(".mustache"))) {
        (void) ctn_library_add_template(kit->library, CTN_STR(""), name, text, &kit->findings);
        return;
    }
    const ctn_chain *chain = NULL;
    (void) ctn_library_add_text(kit->library, name, text, &kit->findings, &chain);
    if (chain)
        kit->chain = chain;
}

void chain_kit_add(chain_kit *kit, const char *name, const char *text)
{
    add(kit, ctn_str_from(name), ctn_str_from(text));
}

bool chain_kit_add_file(chain_kit *kit, const char *path)
{
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    bool is_read = ctn_read_file(path, &text);
    if (is_read)
        add(kit, ctn_str_from(path), ctn_arena_str(kit->arena, ctn_buf_str(&text)));
    ctn_buf_done(&text);
    return is_read;
}

ctn_str chain_kit_findings(chain_kit *kit, const char *file)
{
    ctn_findings_sort(&kit->findings);
    ctn_buf text;
    ctn_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < kit->findings.count; i++) {
        const ctn_finding *f = &kit->findings.items[i];
        if (!file || ctn_str_is(f->file, file))
            ctn_buf_printf(&text, "%u:%u %s: %.*s\n", f->line, f->column, f->rule, CTN_STR_ARG(f->message));
    }
    ctn_str kept = ctn_arena_str(kit->arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

ctn_plan *chain_kit_compile(chain_kit *kit)
{
    ctn_plan *plan = NULL;
    assert_non_null(kit->chain);
    if (ctn_plan_compile(kit->arena, kit->library, kit->chain, &kit->findings, &plan))
        fail_msg("does not compile:\n%.*s", CTN_STR_ARG(chain_kit_findings(kit, NULL)));
    return plan;
}

void chain_kit_check(chain_kit *kit, const ctn_check_options *options)
{
    (void) ctn_check(kit->library, NULL, options, &kit->findings);
}

void chain_kit_expect(chain_kit *kit, uint32_t line, uint32_t column, const char *rule, const char *fragment)
{
    for (size_t i = 0; i < kit->findings.count; i++) {
        const ctn_finding *f = &kit->findings.items[i];
        if (f->line == line && f->column == column && ctn_str_is(ctn_str_from(f->rule), rule) &&
            ctn_str_find(f->message, ctn_str_from(fragment)) != SIZE_MAX)
            return;
    }
    fail_msg("no %u:%u %s: ...%s... among\n%.*s", line, column, rule, fragment,
             CTN_STR_ARG(chain_kit_findings(kit, NULL)));
}

bool chain_kit_has_rule(chain_kit *kit, const char *rule)
{
    for (size_t i = 0; i < kit->findings.count; i++)
        if (ctn_str_is(ctn_str_from(kit->findings.items[i].rule), rule))
            return true;
    return false;
}
