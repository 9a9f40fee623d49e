/*
 * The pack as a whole, without the engine: its files say what the language allows, and every lead goes from its text to
 * a proposal through the tools and the template, whatever is missing in it.
 */
#include "support.h"

#include "chain/library.h"
#include "check/check.h"
#include "value/mustache.h"

#include <dirent.h>

static ctn_str pack_file(ctn_arena *arena, const char *name)
{
    ctn_str text, path = ctn_arena_printf(arena, "travel/%s", name);
    if (!read_whole_file(arena, path.ptr, &text))
        fail_msg("cannot read %s: tests run in the repository's root", path.ptr);
    return text;
}

static ctn_effect annotated_effect(void *ctx, const char *kind, ctn_str target)
{
    ctn_arena *arena = ctx;
    size_t count;
    if (strcmp(kind, "tool") != 0 || !ctn_str_starts_with(target, CTN_STR("travel/")))
        return CTN_EFFECT_UNKNOWN;
    ctn_str name = ctn_str_from_offset(target, 7);
    const ctn_mcp_server_tool *list = travel_tools_list(arena, &count);
    for (size_t i = 0; i < count; i++)
        if (ctn_str_is(name, list[i].name))
            return list[i].is_read_only    ? CTN_EFFECT_READ
                   : list[i].is_idempotent ? CTN_EFFECT_IDEMPOTENT
                                           : CTN_EFFECT_WRITE;
    fail_msg("the pack names the tool %.*s, which is not in the table", CTN_STR_ARG(target));
    return CTN_EFFECT_UNKNOWN;
}

static size_t count_of(const ctn_findings *f, const char *rule, const char *word)
{
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++)
        count +=
            strcmp(f->items[i].rule, rule) == 0 && ctn_str_find(f->items[i].message, ctn_str_from(word)) != SIZE_MAX;
    return count;
}

static void the_packs_files_have_no_error_and_the_known_warnings(void **state)
{
    (void) state;
    static const char *const files[] = {"first-design/mobile-lead-processing.json",
                                        "first-design/client-followup-sequence.json",
                                        "instruction-sets/lead.yaml",
                                        "instruction-sets/crm.yaml",
                                        "instruction-sets/search.yaml",
                                        "instruction-sets/proposal.yaml",
                                        "instruction-sets/followup.yaml"};
    static const char *const templates[] = {"client-proposal-template", "followup-message-template"};
    ctn_arena *arena = ctn_arena_new(1 << 20);
    ctn_library *library = ctn_library_new(arena);
    ctn_findings findings;
    ctn_findings_init(&findings, arena);
    for (size_t i = 0; i < 2; i++) {
        ctn_str file = ctn_arena_printf(arena, "templates/%s.mustache", templates[i]);
        (void) ctn_library_add_template(library, ctn_str_from(templates[i]), file, pack_file(arena, file.ptr),
                                        &findings);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        (void) ctn_library_add_text(library, ctn_str_from(files[i]), pack_file(arena, files[i]), &findings, NULL);
    ctn_check_options options = {.effect = annotated_effect, .effect_ctx = arena};
    int rc = ctn_check(library, NULL, &options, &findings);
    for (size_t i = 0; i < findings.count; i++)
        print_message("%.*s:%u: %s [%s]\n", CTN_STR_ARG(findings.items[i].file), findings.items[i].line,
                      ctn_arena_printf(arena, "%.*s", CTN_STR_ARG(findings.items[i].message)).ptr,
                      findings.items[i].rule);
    assert_int_equal(rc, CTN_OK);
    assert_int_equal(findings.error_count, 0);
    assert_int_equal(count_of(&findings, "self-condition", "validation_status"), 1);
    assert_true(count_of(&findings, "maybe-undefined", "complete_requirements") >= 1);
    assert_int_equal(count_of(&findings, "missing-undo", ""), 1);
    assert_int_equal(count_of(&findings, "assumed-effect", ""), 0);
    ctn_arena_free(arena);
}

/* ---- from a lead to a proposal ---- */

typedef struct walk {
    ctn_arena *arena;
    travel_tools tools;
    ctn_mustache *proposal;
    const ctn_json *context;
} walk;

static const ctn_json *lookup(void *ctx, ctn_str name)
{
    return ctn_json_get(((walk *) ctx)->context, name);
}

static const ctn_json *get(const ctn_json *v, const char *key)
{
    const ctn_json *member = ctn_json_member_of(v, key);
    if (!member || ctn_json_is(member, CTN_JSON_NULL))
        fail_msg("the next step would find no %s", key);
    return member;
}

static const ctn_json *arguments_of(ctn_arena *arena, size_t count, const char *const *names,
                                    const ctn_json *const *values)
{
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < count; i++)
        ctn_json_put(&b, ctn_str_from(names[i]), values[i]);
    ctn_json_put_str(&b, "started_at", CTN_STR("2026-03-08T11:47:00.000Z"));
    return ctn_json_finish(&b);
}

#define CALL(w, tool, names, ...)                                                                                      \
    result_of(&(w)->tools, tool, (w)->arena,                                                                           \
              arguments_of((w)->arena, sizeof(names) / sizeof *(names), names, (const ctn_json *[]){__VA_ARGS__}))

static ctn_str proposal_for(walk *w, ctn_str lead)
{
    static const char *const extract[] = {"raw_lead"}, *const validate[] = {"requirements", "client", "budget"},
                             *const search[] = {"requirements", "budget"},
                             *const price[] = {"requirements", "flights", "hotels", "budget"};
    const ctn_json *read = CALL(w, "extract_lead", extract, ctn_json_string(w->arena, lead));
    const ctn_json *client = get(read, "client_info"), *trip = get(read, "trip_requirements"),
                   *budget = get(read, "budget_info");
    const ctn_json *valid = CALL(w, "validate_requirements", validate, trip, client, budget);
    const ctn_json *complete = get(valid, "complete_requirements");
    const ctn_json *flights = CALL(w, "search_flights", search, complete, budget),
                   *hotels = CALL(w, "search_hotels", search, complete, budget);
    assert_false(has_null(flights) || has_null(hotels) || has_null(valid));
    const ctn_json *tiers = CALL(w, "price_tiers", price, complete, flights, hotels, budget);
    ctn_json_builder context = ctn_json_object(w->arena);
    ctn_json_put(&context, CTN_STR("client_info"), client);
    ctn_json_put(&context, CTN_STR("complete_requirements"), complete);
    ctn_json_put(&context, CTN_STR("pricing_tiers"), get(tiers, "pricing_tiers"));
    ctn_json_put_str(&context, "client_id", CTN_STR("C-000001"));
    ctn_json_put_str(&context, "session_id", CTN_STR("S-000001"));
    w->context = ctn_json_finish(&context);
    ctn_scope scope = {.lookup = lookup, .ctx = w};
    ctn_buf out;
    ctn_err err = {0};
    ctn_buf_init(&out, 262144);
    if (ctn_mustache_render(w->proposal, &scope, &out, &err) != CTN_FAILURE_NONE)
        fail_msg("%s", err.message);
    ctn_str text = ctn_arena_str(w->arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return text;
}

static void start_walk(walk *w, ctn_arena *keep)
{
    ctn_err err = {0};
    *w = (walk){.arena = ctn_arena_new(1 << 20), .tools = tools_for_test(NULL)};
    if (ctn_mustache_compile(keep, pack_file(keep, "templates/client-proposal-template.mustache"), NULL, &w->proposal,
                             &err))
        fail_msg("%s", err.message);
    assert_true(ctn_str_is(ctn_mustache_variable(w->proposal), "proposal_document"));
}

static bool says(ctn_str text, const char *what)
{
    return ctn_str_find(text, ctn_str_from(what)) != SIZE_MAX;
}

static void a_full_lead_gives_three_tiers_and_asks_nothing(void **state)
{
    (void) state;
    walk w;
    ctn_arena *keep = ctn_arena_new(65536);
    start_walk(&w, keep);
    ctn_str text = proposal_for(&w, pack_file(keep, "leads/012.txt"));
    static const char *const parts[] = {"Dear Philippa Entwistle,",
                                        "4 adults and 1 child",
                                        "Hanoi, Hoi An and Ho Chi Minh City",
                                        "Saturday 24 October 2026",
                                        "### Essential",
                                        "### Comfort",
                                        "### Premium",
                                        "- Per person: £",
                                        "for all 5 travellers",
                                        "budget",
                                        "valid until",
                                        "Sandbox inventory"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!says(text, parts[i]))
            fail_msg("no \"%s\" in\n%.*s", parts[i], CTN_STR_ARG(text));
    assert_false(says(text, "still need to know"));
    assert_false(says(text, "{{"));
    travel_tools_done(&w.tools);
    ctn_arena_free(w.arena);
    ctn_arena_free(keep);
}

static void a_text_that_says_nothing_gets_questions(void **state)
{
    (void) state;
    walk w;
    ctn_arena *keep = ctn_arena_new(65536);
    start_walk(&w, keep);
    static const char *const texts[] = {"Hi", "", "\xf0\x9f\x91\x8d", "{{#pricing_tiers}}{{.}}{{/pricing_tiers}}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ctn_str text = proposal_for(&w, ctn_str_from(texts[i]));
        assert_true(says(text, "Hello,") && says(text, "Where would you like to go?") &&
                    says(text, "Sandbox inventory"));
        assert_false(says(text, "### "));
    }
    travel_tools_done(&w.tools);
    ctn_arena_free(w.arena);
    ctn_arena_free(keep);
}

static void every_lead_ends_in_a_proposal(void **state)
{
    (void) state;
    walk w;
    ctn_arena *keep = ctn_arena_new(65536);
    ctn_str folder = data_path(keep, "leads"), text;
    DIR *leads = opendir(folder.ptr);
    if (!leads) {
        print_message("skipped: no labelled leads (CATENA_SHARED names their folder)\n");
        ctn_arena_free(keep);
        skip();
    }
    start_walk(&w, keep);
    int count = 0;
    for (struct dirent *entry = readdir(leads); entry; entry = readdir(leads)) {
        if (!ctn_str_ends_with(ctn_str_from(entry->d_name), CTN_STR(".txt")))
            continue;
        ctn_arena_reset(w.arena);
        assert_true(read_whole_file(w.arena, ctn_arena_printf(w.arena, "%s/%s", folder.ptr, entry->d_name).ptr, &text));
        ctn_str proposal = proposal_for(&w, text);
        assert_true(says(proposal, "Sandbox inventory") && says(proposal, "Your travel desk"));
        assert_true(says(proposal, "### Premium") || says(proposal, "Where would you like to go?"));
        count++;
    }
    closedir(leads);
    print_message("%d leads, %d proposals\n", count, count);
    assert_true(count >= 40);
    travel_tools_done(&w.tools);
    ctn_arena_free(w.arena);
    ctn_arena_free(keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_packs_files_have_no_error_and_the_known_warnings),
        cmocka_unit_test(a_full_lead_gives_three_tiers_and_asks_nothing),
        cmocka_unit_test(a_text_that_says_nothing_gets_questions),
        cmocka_unit_test(every_lead_ends_in_a_proposal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
