/*
 * client-proposal by the real catena and the real tools: killed between the version that was saved and the message that
 * was sent, it keeps one version and sends one message, and goes on to the client's yes.
 */
#include "chain_kit.h"

static const char AGENCY[] = "agency: {name: Sunward Travel, signature: Maria Keller}\n"
                             "pricing: {valid_days: 7}\n";

static pack lay_out(void)
{
    static const char *const includes[] = {"chains/client-proposal.yaml",
                                           "chains/proposal-round.yaml",
                                           "instruction-sets/proposal.yaml",
                                           "instruction-sets/lead.yaml",
                                           "instruction-sets/extra.yaml",
                                           "templates/",
                                           NULL};
    pack p;
    pack_make(&p, includes);
    pack_write(&p, "agency.yaml", AGENCY);
    pack_write(&p, "trip.json",
               "{\"client_id\":\"C-000001\",\"lead_id\":\"L-000001\",\"client_info\":{\"name\":\"Ana Ortiz\",\"email\":"
               "\"ana@example.com\"},\"trip_requirements\":{\"origin\":\"Madrid\",\"destinations\":[\"Rome\"],"
               "\"start_date\":\"2027-05-03\",\"nights\":3,\"adults\":2,\"children\":0,\"assumptions\":[]},"
               "\"budget_info\":{\"amount\":\"900\",\"currency\":\"EUR\",\"per\":\"total\"},\"language\":\"es\"}");
    travel_tools tools = tools_for_test(p.crm);
    (void) result_of(&tools, "save_lead", p.arena,
                     json_from(p.arena, CTN_STR("{\"text\":\"Roma\",\"client\":{\"name\":\"Ana Ortiz\",\"email\":"
                                                "\"ana@example.com\"},\"requirements\":{},\"budget\":{},\"language\":"
                                                "\"es\",\"status\":\"new\",\"key\":\"k\",\"execution\":\"e\"}")));
    travel_tools_done(&tools);
    return p;
}

/* Waits until the count is as wanted, for half a minute. */
static void until(const pack *p, const char *sql, int64_t wanted)
{
    for (int i = 0; i < 300 && crm_count(p, sql) != wanted; i++)
        nap_ms(100);
    assert_int_equal(crm_count(p, sql), wanted);
}

static ctn_str waiting_round(const pack *p)
{
    ctn_str id = newest(p, "proposal-round", "waiting");
    for (int i = 0; i < 300 && id.len == 0; i++, id = newest(p, "proposal-round", "waiting"))
        nap_ms(100);
    assert_true(id.len > 0);
    return ctn_arena_str(p->arena, id);
}

static void kill_hard(const pack *p, child *c)
{
    assert_int_equal(kill(c->pid, SIGKILL), 0);
    (void) child_end(p, c, NULL);
}

static const char SENT[] = "SELECT count(*) FROM messages WHERE direction='out' AND status='sent'";
static const char OUT[] = "SELECT count(*) FROM messages WHERE direction='out'";
static const char PAGES[] = "SELECT count(*) FROM documents WHERE kind='proposal-html'";
static const char TEXTS[] = "SELECT count(*) FROM documents WHERE kind='proposal-text'";

static void killed_between_saving_and_sending_it_sends_once(void **state)
{
    (void) state;
    if (!CATENA_PROGRAM[0])
        skip();
    static const int delays_ms[] = {0, 40, 90};
    for (size_t i = 0; i < sizeof delays_ms / sizeof *delays_ms; i++) {
        pack p = lay_out();
        ctn_str input = ctn_arena_printf(p.arena, "%s/trip.json", p.folder);

        /* the version is saved, the desk is asked: killed there */
        child c = catena_start(&p, (const char *const[]){"run", "client-proposal", "--input", input.ptr, NULL});
        until(&p, TEXTS, 1);
        ctn_str round = waiting_round(&p);
        kill_hard(&p, &c);
        assert_int_equal(crm_count(&p, OUT), 0);

        /* approved, and killed while it is sent */
        c = catena_start(&p,
                         (const char *const[]){"answer", round.ptr, "approve_proposal", "{\"approved\": true}", NULL});
        nap_ms(delays_ms[i]);
        kill_hard(&p, &c);

        /* whoever goes on sends what is not sent, and nothing twice */
        c = catena_start(&p,
                         (const char *const[]){"answer", round.ptr, "approve_proposal", "{\"approved\": true}", NULL});
        child resumed = catena_start(&p, (const char *const[]){"resume", round.ptr, NULL});
        until(&p, SENT, 1);
        until(&p, "SELECT count(*) FROM leads WHERE status='proposed'", 1);
        (void) waiting_round(&p);
        kill_hard(&p, &c);
        kill_hard(&p, &resumed);
        assert_int_equal(crm_count(&p, OUT), 1);
        assert_int_equal(crm_count(&p, PAGES), 1);
        assert_int_equal(crm_count(&p, TEXTS), 1);

        /* the client's yes: the prices hold, the lead is accepted */
        int code = 1;
        for (int k = 0; code && k < 100; k++) { /* refused while it does not wait for it yet */
            code = CATENA(&p, NULL, "answer", round.ptr, "await_answer", "\"confort\"");
            nap_ms(code ? 100 : 0);
        }
        assert_int_equal(code, 0);
        ctn_str parent = ctn_arena_str(p.arena, newest(&p, "client-proposal", "running"));
        resumed = catena_start(&p, (const char *const[]){"resume", parent.len ? parent.ptr : round.ptr, NULL});
        until(&p, "SELECT count(*) FROM leads WHERE status='accepted'", 1);
        kill_hard(&p, &resumed);
        assert_int_equal(crm_count(&p, OUT), 1);
        pack_remove(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_between_saving_and_sending_it_sends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
