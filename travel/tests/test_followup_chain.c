/* The follow-up chains with the real catena, the real tools and a real mail server: from the record to the mail, and no
 * further once the client has answered. */
#include "chain_kit.h"
#include "delivery_kit.h"

/* The pack in the kit's folder: its chains, sets and templates as they are, the kit's CRM and agency.yaml. */
static pack lay_out_pack(kit *k)
{
    char here[4096], path[100], text[9000];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s/catena.yaml", k->folder);
    snprintf(
        text, sizeof text,
        "store: sqlite:travel.db\nsealing: {key: {file: catena.key}}\n"
        "servers:\n  travel: {command: \"%s\", args: [serve], env: {CRM: crm.db, AGENCY: agency.yaml}, trusted: true}\n"
        "  backup: {command: \"%s\", args: [serve], trusted: true}\n"
        "include: [\"%s/travel/chains/client-*.yaml\", \"%s/travel/instruction-sets/followup.yaml\", "
        "\"%s/travel/templates/\"]\n",
        TRAVEL_PROGRAM, TRAVEL_PROGRAM, here, here, here);
    write_text(path, text);
    pack p = {.arena = k->arena};
    snprintf(p.folder, sizeof p.folder, "%s", k->folder);
    snprintf(p.config, sizeof p.config, "%s/catena.yaml", k->folder);
    snprintf(p.crm, sizeof p.crm, "%s", k->crm);
    return p;
}

/* Runs a chain until it waits, and leaves it there as Ctrl-C does; its id. */
static ctn_str run_until_it_waits(const pack *p, const char *chain, const char *const *arguments)
{
    child c = catena_start(p, arguments);
    ctn_str id = {NULL, 0};
    for (int i = 0; i < 300 && id.len == 0; i++) {
        nap_ms(100);
        id = newest(p, chain, "waiting");
    }
    assert_true(id.len > 0 && kill(c.pid, SIGINT) == 0);
    (void) child_end(p, &c, NULL);
    return ctn_arena_str(p->arena, id);
}

/* Mails leave at once, by the clock that there is. */
#define AT_ONCE                                                                                                        \
    "followup: {quiet_hours: {from: \"00:00\", to: \"00:01\"}, days: [mon, tue, wed, thu, fri, sat, sun], "            \
    "wait_hours: {high: 0, medium: 0, low: 0}, cap: {per_7_days: 2}, sequence: {gap_days: [4, 9]}}\n"
#define BY_MAIL "delivery: {channels: {email: smtp}, smtp: {host: 127.0.0.1, port: SMTP, timeout_seconds: 5}}\n"

static void a_sequence_writes_once_waits_and_ends_with_the_clients_answer(void **state)
{
    kit *k = *state;
    if (!CATENA_PROGRAM[0] || !has_servers())
        skip();
    ctn_str out;
    start_servers(k, NULL, NULL);
    configure(k, AT_ONCE BY_MAIL);
    pack p = lay_out_pack(k);
    ctn_str client =
        ctn_arena_printf(k->arena, "client_id=%.*s", CTN_STR_ARG(add_client(k, "Ana Ortiz", "ana@c.example", "")));
    ctn_str sequence = {NULL, 0};
    const char *const begin[] = {"run", "client-followup-sequence", "-i", client.ptr, "-i", "days_since_contact:=5",
                                 "-i",  "trip_status=proposed",     NULL};
    /* it also waits, for a moment, while its first touch runs: the wait that is meant comes behind the mail */
    child c = catena_start(&p, begin);
    for (int i = 0;
         i < 300 && (ctn_json_count(taken(k)) == 0 || newest(&p, "client-followup-touch", "completed").len == 0); i++)
        nap_ms(100);
    assert_int_equal(kill(c.pid, SIGINT), 0);
    (void) child_end(&p, &c, NULL);
    sequence = ctn_arena_str(k->arena, newest(&p, "client-followup-sequence", "waiting"));
    const ctn_json *mails = taken(k);
    assert_int_equal(ctn_json_count(mails), 1);
    ctn_str text = ctn_json_str_or(ctn_json_at(mails, 0), "text", CTN_STR(""));
    assert_true(ctn_str_starts_with(text, CTN_STR("Hola, Ana Ortiz:\n\nHan pasado 5 días desde")));

    /* she answers, and the desk reads it */
    const char *const reply[] = {"run", "client-reply",     "-i", "channel=email", "-i", "email=ana@c.example",
                                 "-i",  "text=Yes, please", NULL};
    ctn_str replied = run_until_it_waits(&p, "client-reply", reply);
    assert_int_equal(CATENA(&p, &out, "answer", replied.ptr, "show_to_desk", "{\"approved\": true}"), 0);

    /* the time for the second message comes: it finds the answer, and nothing leaves */
    assert_int_equal(CATENA(&p, &out, "answer", sequence.ptr, "wait_for_second", "{}"), 0);
    const ctn_json *ended = json_from(k->arena, out);
    assert_true(ctn_str_is(ctn_json_str_or(ended, "status", CTN_STR("")), "completed"));
    assert_true(ctn_str_is(ctn_json_text(ctn_json_pointer(ended, CTN_STR("/outputs/followup"))), "stopped"));
    assert_int_equal(ctn_json_count(taken(k)), 1);
}

/* The server has it and did not say so: nothing is sent again until a person has looked, and said that it was not. */
static void a_mail_of_unknown_fate_parks_the_chain(void **state)
{
    kit *k = *state;
    if (!CATENA_PROGRAM[0] || !has_servers())
        skip();
    ctn_str out;
    start_servers(k, NULL, NULL);
    configure(k, AT_ONCE BY_MAIL);
    pack p = lay_out_pack(k);
    ctn_str client =
        ctn_arena_printf(k->arena, "client_id=%.*s", CTN_STR_ARG(add_client(k, "Ana", "lost@c.example", "")));
    assert_int_equal(CATENA(&p, &out, "run", "client-followup-touch", "-i", client.ptr, "-i", "days_since_contact:=5",
                            "-i", "trip_status=proposed"),
                     3);
    ctn_str id = ctn_arena_str(k->arena, newest(&p, "client-followup-touch", "interrupted"));
    assert_true(id.len > 0);
    assert_int_equal(ctn_json_count(taken(k)), 1);
    (void) result_of(&k->tools, "settle_message", k->arena,
                     json_from(k->arena, CTN_STR("{\"message_id\": \"M-000001\", \"sent\": false}")));
    assert_int_equal(CATENA(&p, &out, "resume", id.ptr, "--retry"), 0);
    assert_true(
        ctn_str_is(ctn_json_text(ctn_json_pointer(json_from(k->arena, out), CTN_STR("/outputs/followup"))), "sent"));
    assert_int_equal(ctn_json_count(taken(k)), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_kit, drop_kit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sequence_writes_once_waits_and_ends_with_the_clients_answer),
        TEST(a_mail_of_unknown_fate_parks_the_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
