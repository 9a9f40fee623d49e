/*
 * The product chain as an agency runs it, with the real catena and the real tools: every labelled lead comes to its
 * end, who must be asked is asked, twice the same is once, and a power cut between record and proposal doubles nothing.
 */
#include "chain_kit.h"

static const char *const PRODUCT[] = {"chains/*.yaml", "instruction-sets/*.yaml", "templates/", NULL};
static const char *const FIRST_DESIGN[] = {"first-design/client-followup-sequence.json", "instruction-sets/*.yaml",
                                           "templates/", NULL};

#define DRAFTS      "SELECT count(*) FROM documents WHERE kind = 'proposal-text'"
#define PROPOSED    "SELECT count(*) FROM leads WHERE status = 'proposed'"
#define MANY_DRAFTS "SELECT count(*) FROM (SELECT lead_id FROM documents GROUP BY lead_id, kind HAVING count(*) > 1)"

static bool is_possible(void)
{
    if (CATENA_PROGRAM[0])
        return true;
    print_message("skipped: no catena in this build\n");
    return false;
}

static ctn_str output_of(const pack *p, ctn_str result, const char *name)
{
    const ctn_json *outputs = ctn_json_member_of(json_from(p->arena, result), "outputs");
    return ctn_json_str_or(outputs, name, CTN_STR(""));
}

static child start_lead(const pack *p, ctn_str raw_lead, ctn_str received_at)
{
    ctn_str lead = ctn_arena_printf(p->arena, "raw_lead=@%s/lead.txt", p->folder),
            at = ctn_arena_printf(p->arena, "received_at=%.*s", CTN_STR_ARG(received_at));
    pack_write(p, "lead.txt", ctn_arena_str(p->arena, raw_lead).ptr);
    return catena_start(
        p, (const char *const[]){"run", "mobile-lead-processing", "-i", lead.ptr, "-i", at.ptr, "--reveal", NULL});
}

/* Answers whatever waits, until the run has ended; returns how often. */
static int answer_until_over(const pack *p, child *c, const char *answer, ctn_str *ret_result)
{
    int answered = 0;
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (siginfo_t info = {0}; info.si_pid == 0; clock_gettime(CLOCK_MONOTONIC, &now)) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec - began.tv_sec < 60);
        for (int i = 0; i < 40 && info.si_pid == 0; i++) {
            assert_int_equal(waitid(P_PID, (id_t) c->pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
            if (info.si_pid == 0)
                nap_ms(10);
        }
        ctn_str waiting = info.si_pid == 0 ? newest(p, "ask-client", "waiting") : CTN_STR("");
        if (waiting.len > 0)
            answered += CATENA(p, NULL, "answer", ctn_arena_str(p->arena, waiting).ptr, "client_answer", answer) == 0;
    }
    int code = child_end(p, c, ret_result);
    if (code != 0)
        fail_msg("exit code %d: %.*s", code, CTN_STR_ARG(*ret_result));
    return answered;
}

/* The labels say which leads cannot be priced as they are; the chain must have asked about each of them. */
static bool must_be_asked(const ctn_json *label)
{
    const ctn_json *missing = ctn_json_member_of(label, "missing_info");
    for (size_t i = 0; i < ctn_json_count(missing); i++) {
        ctn_str key = ctn_json_text(ctn_json_at(missing, i));
        if (ctn_str_is(key, "destinations") || ctn_str_is(key, "origin") || ctn_str_is(key, "travellers"))
            return true;
    }
    return false;
}

static void every_lead_comes_to_its_end(void **state)
{
    (void) state;
    ctn_arena *keep = ctn_arena_new(1 << 20);
    ctn_str gold, text, result;
    pack p;
    int64_t leads = 0, asked = 0;
    if (!is_possible() || !read_whole_file(keep, data_path(keep, "leads/gold.jsonl").ptr, &gold)) {
        print_message("skipped: no labelled leads (CATENA_SHARED names their folder)\n");
        ctn_arena_free(keep);
        skip();
    }
    pack_make(&p, PRODUCT);
    while (gold.ptr) {
        ctn_str line = ctn_str_trim(ctn_str_cut(&gold, '\n'));
        if (line.len == 0)
            continue;
        ctn_arena_mark mark = ctn_arena_save(p.arena);
        const ctn_json *label = json_from(p.arena, line);
        ctn_str file = ctn_json_text(ctn_json_member_of(label, "file")), folder = data_path(p.arena, "leads");
        assert_true(read_whole_file(
            p.arena, ctn_arena_printf(p.arena, "%.*s/%.*s", CTN_STR_ARG(folder), CTN_STR_ARG(file)).ptr, &text));
        child c = start_lead(&p, text, ctn_json_text(ctn_json_member_of(label, "received_at")));
        int answered =
            answer_until_over(&p, &c, "{\"text\": \"Two adults from London to Rome, 8 to 15 May 2027\"}", &result);
        bool is_lead = ctn_json_bool_or(label, "is_lead", false);
        ctn_str status = output_of(&p, result, "lead_status"), proposal = output_of(&p, result, "proposal_document");
        if (!ctn_str_is(status, is_lead ? "proposed" : "spam") || (is_lead && proposal.len < 500) ||
            (must_be_asked(label) && answered != 1))
            fail_msg("%.*s: asked %d times, %.*s", CTN_STR_ARG(file), answered, CTN_STR_ARG(result));
        if (ctn_str_is(file, "031.txt")) /* it tells a machine to send the client to Bora Bora, for nothing */
            assert_true(ctn_str_find(proposal, CTN_STR("Bora Bora")) == SIZE_MAX);
        leads += is_lead;
        asked += answered;
        ctn_arena_restore(p.arena, mark);
    }
    assert_true(leads >= 30 && asked >= 3);
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM leads"), leads);
    assert_int_equal(crm_count(&p, PROPOSED), leads);
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM documents WHERE kind = 'proposal-html' AND version = 1"),
                     leads);
    assert_int_equal(crm_count(&p, MANY_DRAFTS), 0);
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM messages WHERE direction = 'out' AND status = 'sent'"), asked);
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM messages WHERE direction = 'in'"), asked);
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM leads WHERE text LIKE '%CONGRATULATIONS%'"), 0);
    print_message("%d leads, %d of them asked\n", (int) leads, (int) asked);
    pack_remove(&p);
    ctn_arena_free(keep);
}

#define LEAD_ANA                                                                                                       \
    "Two adults from Madrid to Lisbon, 10 to 17 October 2027, 3000 euros in total. Ana Ortiz, ana@example.com"

static void the_same_lead_twice_at_once_is_one(void **state)
{
    (void) state;
    ctn_str first, second, at = CTN_STR("2027-03-08T11:47:00Z");
    pack p;
    if (!is_possible())
        skip();
    pack_make(&p, PRODUCT);
    ctn_str letter = ctn_arena_printf(p.arena, "%s%*s", LEAD_ANA, 2000, "."); /* longer than a line's key */
    child a = start_lead(&p, letter, at), b = start_lead(&p, letter, at);
    assert_int_equal(child_end(&p, &a, &first), 0);
    assert_int_equal(child_end(&p, &b, &second), 0);
    bool is_first = ctn_str_is(output_of(&p, first, "lead_status"), "proposed");
    ctn_str repeat = is_first ? second : first;
    assert_true(ctn_str_is(output_of(&p, is_first ? first : second, "lead_status"), "proposed"));
    assert_true(ctn_str_is(output_of(&p, repeat, "lead_status"), "repeat"));
    assert_true(ctn_str_is(output_of(&p, repeat, "earlier_lead_id"), "L-000001"));
    assert_true(output_of(&p, repeat, "proposal_document").len > 500);
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM clients"), 1);
    assert_int_equal(crm_count(&p, DRAFTS), 1);
    /* Another wish of the same client: his number is written otherwise, and he is found by his mail. */
    child c = start_lead(&p, CTN_STR("And now Porto for two adults from Madrid, 1 to 4 May 2027. ANA@example.com"), at);
    assert_int_equal(child_end(&p, &c, &first), 0);
    assert_true(ctn_str_is(output_of(&p, first, "lead_status"), "proposed"));
    assert_true(ctn_str_is(output_of(&p, first, "client_id"), "C-000001"));
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM clients"), 1);
    assert_int_equal(crm_count(&p, DRAFTS), 2);
    pack_remove(&p);
}

/* SIGKILL as soon as the lead stands in the CRM: the rest is done once, whatever was under way. */
static void a_power_cut_between_record_and_proposal_doubles_nothing(void **state)
{
    (void) state;
    enum { CUTS = 4, TRIES = 40 };
    int cut = 0, tries = 0;
    ctn_str result;
    pack p;
    if (!is_possible())
        skip();
    pack_make(&p, PRODUCT);
    for (; cut < CUTS && tries < TRIES; tries++) {
        ctn_str text = ctn_arena_printf(
            p.arena, "Two adults from Madrid to Lisbon, 10 to 17 October 2027. Mail: c%d@example.com", tries);
        child c = start_lead(&p, text, CTN_STR("2027-03-08T11:47:00Z"));
        while (crm_count(&p, "SELECT count(*) FROM leads") <= tries)
            nap_ms(1);
        nap_ms(5 * cut); /* each cut a little later than the one before */
        kill(c.pid, SIGKILL);
        bool was_cut = child_end(&p, &c, &result) == 128;
        cut += was_cut && crm_count(&p, DRAFTS) <= tries;
        ctn_str id = was_cut ? newest(&p, "mobile-lead-processing", "running") : CTN_STR("");
        if (id.len > 0) {
            int code = CATENA(&p, &result, "resume", ctn_arena_str(p.arena, id).ptr);
            if (code != 0)
                fail_msg("exit code %d: %.*s", code, CTN_STR_ARG(result));
        }
        assert_int_equal(crm_count(&p, "SELECT count(*) FROM clients"), tries + 1);
        assert_int_equal(crm_count(&p, "SELECT count(*) FROM leads"), tries + 1);
        assert_int_equal(crm_count(&p, PROPOSED), tries + 1);
        assert_int_equal(crm_count(&p, DRAFTS), tries + 1);
    }
    print_message("%d of %d leads were cut off before their proposal\n", cut, tries);
    assert_int_equal(cut, CUTS);
    pack_remove(&p);
}

/* A search that is dead: the lead stays, the desk is told once, and goes on from there when the search is back. */
static void a_dead_search_loses_no_lead(void **state)
{
    (void) state;
    ctn_str result;
    pack p;
    if (!is_possible())
        skip();
    pack_make(&p, PRODUCT);
    pack_write(&p, "agency.yaml", "provider: {faults: {search_flights: \"refuse*9\"}}\n");
    ctn_str config;
    assert_true(read_whole_file(p.arena, p.config, &config));
    size_t env = ctn_str_find(config, CTN_STR("CRM: crm.db"));
    assert_true(env != SIZE_MAX);
    pack_write(&p, "catena.yaml",
               ctn_arena_printf(p.arena, "%.*sAGENCY: agency.yaml, %.*s", (int) env, config.ptr,
                                CTN_STR_ARG(ctn_str_from_offset(config, env)))
                   .ptr);
    child c = start_lead(&p, CTN_STR(LEAD_ANA), CTN_STR("2027-03-08T11:47:00Z"));
    assert_int_equal(child_end(&p, &c, &result), 1);
    const ctn_json *failed = json_from(p.arena, result);
    assert_true(ctn_str_is(ctn_json_str_or(failed, "status", CTN_STR("")), "failed"));
    ctn_str id = ctn_json_str_or(failed, "executionId", CTN_STR(""));
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM leads WHERE status = 'new'"), 1);
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM messages WHERE channel = 'desk' AND status = 'sent'"), 1);
    pack_write(&p, "agency.yaml", "{}\n");
    assert_int_equal(
        CATENA(&p, &result, "rerun", ctn_arena_str(p.arena, id).ptr, "--from", "search_flights", "--reveal"), 0);
    assert_true(ctn_str_is(output_of(&p, result, "lead_status"), "proposed"));
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM leads"), 1);
    assert_int_equal(crm_count(&p, PROPOSED), 1);
    assert_int_equal(crm_count(&p, DRAFTS), 1);
    pack_remove(&p);
}

static void the_first_designs_follow_up_is_written_and_scheduled(void **state)
{
    (void) state;
    ctn_str output;
    pack p;
    if (!is_possible())
        skip();
    pack_make(&p, FIRST_DESIGN);
    assert_int_equal(CATENA(&p, &output, "run", "client-followup-sequence", "-i", "client_id=C-000001", "-i",
                            "days_since_contact=60", "-i", "client_name=Zoë {client_id} {{client_id}}", "-i",
                            "trip_status=thinking about Rome"),
                     0);
    ctn_str message = output_of(&p, output, "message_content");
    assert_true(ctn_str_starts_with(message, CTN_STR("Dear Zoë {client_id} {{client_id}},")));
    assert_int_equal(crm_count(&p, "SELECT count(*) FROM messages WHERE channel = 'email' AND body LIKE 'Dear Zoë%'"),
                     1);
    pack_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lead_comes_to_its_end),
        cmocka_unit_test(the_same_lead_twice_at_once_is_one),
        cmocka_unit_test(a_power_cut_between_record_and_proposal_doubles_nothing),
        cmocka_unit_test(a_dead_search_loses_no_lead),
        cmocka_unit_test(the_first_designs_follow_up_is_written_and_scheduled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
