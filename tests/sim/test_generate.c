/* Generated chains: check accepts them, and the plan says what their description says. */
#include "chain/library.h"
#include "chain/plan.h"
#include "sim/generate.h"
#include "support/cmocka.h"

#include <stdio.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHAINS 1000
#else
#define CHAINS 4000
#endif

typedef struct compiled {
    ctn_arena *arena;
    ctn_findings findings;
    ctn_plan *plan;
    spec *spec;
} compiled;

static compiled compile(uint64_t seed)
{
    compiled c = {.arena = ctn_arena_new(65536)};
    c.spec = spec_generate(c.arena, seed, 0);
    ctn_findings_init(&c.findings, c.arena);
    ctn_library *library = ctn_library_new(c.arena);
    const ctn_chain *chain = NULL;
    for (int i = 0; i < c.spec->document_count; i++)
        (void) ctn_library_add_template(library, (ctn_str){0}, c.spec->documents[i].name, c.spec->documents[i].text,
                                        &c.findings);
    (void) ctn_library_add_text(library, CTN_STR("chain.yaml"), c.spec->text, &c.findings, &chain);
    if (chain)
        (void) ctn_plan_compile(c.arena, library, chain, &c.findings, &c.plan);
    for (size_t i = 0; i < c.findings.count; i++)
        if (c.findings.items[i].severity == CTN_SEVERITY_ERROR)
            printf("seed %llu:%u:%u: %.*s [%s]\n", (unsigned long long) seed, c.findings.items[i].line,
                   c.findings.items[i].column, CTN_STR_ARG(c.findings.items[i].message), c.findings.items[i].rule);
    if (!c.plan || c.findings.error_count || c.plan->unsupported.len) {
        printf("%.*s%.*s\n", CTN_STR_ARG(c.spec->text), CTN_STR_ARG(c.plan ? c.plan->unsupported : CTN_STR("")));
        fail();
    }
    return c;
}

static void compiled_done(compiled *c)
{
    ctn_plan_done(c->plan);
    ctn_arena_free(c->arena);
}

static void a_generated_chain_has_no_error_and_runs(void **state)
{
    (void) state;
    int steps = 0, warned = 0;
    for (uint64_t seed = 1; seed <= CHAINS; seed++) {
        compiled c = compile(seed);
        assert_int_equal(c.plan->step_count, c.spec->step_count);
        steps += c.spec->step_count;
        warned += c.findings.count > 0;
        compiled_done(&c);
    }
    printf("  %d chains, %d steps, %d of them with warnings\n", CHAINS, steps, warned);
    assert_true(steps > 3 * CHAINS);
}

static void the_description_has_the_order_and_the_care_that_the_plan_has(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= CHAINS; seed++) {
        compiled c = compile(seed);
        assert_int_equal(c.plan->is_rollback_enabled, c.spec->is_rollback_enabled);
        assert_int_equal(c.plan->timeout_ms, c.spec->timeout_ms);
        for (uint32_t i = 0; i < c.plan->step_count; i++) {
            const ctn_plan_step *p = &c.plan->steps[i];
            const spec_step *s = &c.spec->steps[i];
            uint32_t ancestors = 0; /* the plan leaves out what follows from others */
            for (uint32_t k = 0; k < p->predecessor_count; k++)
                ancestors |= 1u << p->predecessors[k] | c.spec->steps[p->predecessors[k]].ancestors;
            if (ancestors != s->ancestors)
                printf("seed %llu step %s\n%.*s\n", (unsigned long long) seed, s->name, CTN_STR_ARG(c.spec->text));
            assert_int_equal(ancestors, s->ancestors);
            assert_int_equal(p->undo != NULL, s->has_undo);
            assert_int_equal(p->fallback_count, s->fallback_count);
            assert_int_equal(p->foreach != NULL, s->items != SPEC_ONE);
            assert_int_equal(p->continue_on_error, s->continues);
            assert_int_equal(p->retry.max_retries, s->max_retries);
            assert_int_equal(p->set->call_count, s->work.call_count);
            if (s->work.has_check)
                assert_int_equal(p->set->settle_ms, s->work.settle_ms);
        }
        compiled_done(&c);
    }
}

static void one_seed_gives_one_chain(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(65536);
    assert_true(ctn_str_equal(spec_generate(arena, 7, 0)->text, spec_generate(arena, 7, 0)->text));
    assert_false(ctn_str_equal(spec_generate(arena, 7, 0)->text, spec_generate(arena, 8, 0)->text));
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generated_chain_has_no_error_and_runs),
        cmocka_unit_test(the_description_has_the_order_and_the_care_that_the_plan_has),
        cmocka_unit_test(one_seed_gives_one_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
