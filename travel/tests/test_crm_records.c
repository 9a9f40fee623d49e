/* One person is one client, a key has one outcome, an undo takes back what was done and no more, a message is sent by
 * one, old files come along and newer ones are left alone. */
#include "crm_kit.h"

#include "crm/crm.h"

#include "crm/crm_contact.h"

#include <sys/wait.h>

/* ---- contacts ---- */

static void contacts_that_mean_the_same_have_one_key(void **state)
{
    (void) state;
    static const struct {
        bool is_phone;
        const char *text, *key;
    } ROWS[] = {
        {false, " Anna.Smith@Example.COM ", "email:anna.smith@example.com"},
        {false, "<anna@example.com>", "email:anna@example.com"},
        {false, "anna+trips@example.com", "email:anna+trips@example.com"}, /* another address */
        {false, "anna", ""},
        {false, "@example.com", ""},
        {false, "anna@", ""},
        {false, "anna@example.", ""},
        {false, "a@b@c", ""},
        {false, "anna smith@example.com", ""},
        {false, "a@b.c, d@e.f", ""},
        {false, "", ""},
        {true, "+44 (0)7700 900-123", "phone:+447700900123"},
        {true, "0044 7700 900123", "phone:+447700900123"},
        {true, "tel:+44.7700.900123", "phone:+447700900123"},
        {true, "07700 900123", "digits:07700900123"}, /* of which country, nobody says */
        {true, "7700900123", "digits:7700900123"},
        {true, "+44", ""},
        {true, "123", ""},
        {true, "+1234567890123456", ""},
        {true, "12345678901234567890", ""},
        {true, "ext. 12345678", ""},
        {true, "", ""},
    };
    ctn_arena *arena = ctn_arena_new(4096);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        ctn_str text = ctn_str_from(ROWS[i].text);
        ctn_str key = ROWS[i].is_phone ? travel_phone_key(arena, text) : travel_email_key(arena, text);
        if (!ctn_str_is(key, ROWS[i].key))
            fail_msg("\"%s\" has the key \"%.*s\"", ROWS[i].text, CTN_STR_ARG(key));
    }
    ctn_arena_free(arena);
}

static void one_contact_is_one_client_and_a_name_joins_nobody(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    const ctn_json *a =
        call(&d, "save_lead", "{'client': {'name': 'Anna Smith', 'email': 'Anna@Example.com'}, 'text': 'a'}");
    assert_text(a, "/client_id", "C-000001");
    const ctn_json *b =
        call(&d, "save_lead", "{'client': {'email': ' anna@example.COM', 'phone': '+447700900123'}, 'text': 'b'}");
    assert_text(b, "/client_id", "C-000001");
    assert_true(ctn_json_bool_or(b, "is_known_client", false) && !ctn_json_bool_or(b, "is_repeat", true));
    assert_text(call(&d, "save_lead", "{'client': {'phone': '0044 7700 900123'}, 'text': 'c'}"), "/client_id",
                "C-000001");
    /* the same name; the same digits without a country; the same address with a tag */
    assert_text(call(&d, "save_lead", "{'client': {'name': 'Anna Smith'}, 'text': 'd'}"), "/client_id", "C-000002");
    assert_text(call(&d, "save_lead", "{'client': {'phone': '07700 900123'}, 'text': 'e'}"), "/client_id", "C-000003");
    assert_text(call(&d, "save_lead", "{'client': {'email': 'anna+x@example.com'}, 'text': 'f'}"), "/client_id",
                "C-000004");
    /* Anna's address from a telephone that is somebody else's: hers, and the number stays whose it was */
    assert_text(call(&d, "save_lead", "{'client': {'email': 'anna@example.com', 'phone': '07700900123'}, 'text': 'g'}"),
                "/client_id", "C-000001");
    assert_text(call(&d, "find_client", "{'phone': '(07700) 900123'}"), "/client_id", "C-000003");
    /* what is known is not lost to less */
    assert_text(call(&d, "find_client", "{'email': 'ANNA@example.com'}"), "/name", "Anna Smith");
    assert_false(ctn_json_bool_or(call(&d, "find_client", "{'email': 'nobody@example.com'}"), "is_found", true));
    desk_close(&d);
}

static void the_same_text_again_is_a_repeat_for_two_weeks(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
#define LEAD(text, day)                                                                                                \
    "{'client': {'email': 'a@b.example'}, 'text': '" text "', 'received_at': '2026-03-" day "', 'execution': 'e" day   \
    "'}"
    call(&d, "save_lead", LEAD("We are two,\\n to Rome", "01T10:00:00Z"));
    const ctn_json *again = call(&d, "save_lead", LEAD("  We are two, to Rome", "02T10:00:00Z"));
    assert_true(ctn_json_bool_or(again, "is_repeat", false));
    assert_text(again, "/earlier_lead_id", "L-000001");
    assert_text(again, "/earlier_execution", "e01T10:00:00Z");
    again = call(&d, "save_lead", LEAD("We are two, to Rome", "14T09:00:00Z"));
    assert_text(again, "/earlier_lead_id", "L-000001"); /* not the repeat */
    assert_false(
        ctn_json_bool_or(call(&d, "save_lead", LEAD("We are three, to Rome", "14T10:00:00Z")), "is_repeat", true));
    assert_false(
        ctn_json_bool_or(call(&d, "save_lead", LEAD("We are two, to Rome", "16T10:00:00Z")), "is_repeat", true));
#undef LEAD
    desk_close(&d);
}

/* Two servers get two leads of one new client in the same moment. */
static void two_leads_at_once_make_one_client(void **state)
{
    (void) state;
    enum { PROCESSES = 4, LEADS = 10 };
    desk d;
    desk_open(&d);
    int gate[2];
    assert_int_equal(pipe(gate), 0);
    pid_t children[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        assert_true(children[p] >= 0);
        if (children[p] == 0) {
            char byte;
            close(gate[1]);
            (void) !read(gate[0], &byte, 1); /* all go when the gate closes */
            int failures = 0;
            for (int i = 0; i < LEADS; i++) {
                const ctn_json *result;
                ctn_str lead =
                    ctn_arena_printf(d.arena, "{\"client\":{\"email\":\"c%d@x.example\"},\"text\":\"%d\"}", i, p);
                failures += run_tool(&d.tools, "save_lead", d.arena, json_from(d.arena, lead), &result, NULL) != CTN_OK;
            }
            _exit(failures);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_int_equal(waitpid(children[p], &status, 0), children[p]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM clients"), LEADS);
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM leads"), PROCESSES * LEADS);
    desk_close(&d);
}

/* ---- keys ---- */

static void a_key_has_one_outcome_for_ever(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    call(&d, "save_lead", "{'client': {'email': 'a@b.example'}, 'text': 'x', 'key': 'k'}");
    call(&d, "update_lead", "{'lead_id': 'L-000001', 'status': 'asked', 'key': 'k'}"); /* another tool's key */
    call(&d, "update_lead", "{'lead_id': 'L-000001', 'status': 'lost', 'key': 'k2'}");
    desk_reopen(&d);
    assert_text(call(&d, "update_lead", "{'key': 'k', 'status': 'asked', 'lead_id': 'L-000001'}"), "/status", "asked");
    assert_text(call(&d, "get_lead", "{'lead_id': 'L-000001'}"), "/status", "lost"); /* and nothing was done again */
    refused(&d, "update_lead", "{'key': 'k', 'status': 'spam', 'lead_id': 'L-000001'}", CTN_E_EXISTS,
            "other arguments");
    refused(&d, "save_lead", "{'client': {}, 'key': 'k'}", CTN_E_EXISTS, "other arguments");
    char key[256];
    memset(key, 'k', 201);
    key[201] = '\0';
    refused(&d, "save_lead", ctn_arena_printf(d.arena, "{'client': {}, 'key': '%s'}", key).ptr, CTN_E_LIMIT,
            "at most 200");
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM leads"), 1);
    desk_close(&d);
}

/* ---- undo ---- */

static void an_undo_takes_back_what_was_done_and_no_more(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    call(&d, "save_lead", "{'client': {'email': 'a@b.example'}, 'text': 'x', 'key': 'k1', 'execution': 'e1'}");
    call(&d, "save_lead", "{'client': {'email': 'a@b.example'}, 'text': 'y', 'key': 'k2', 'execution': 'e2'}");
    /* the first lead made the client, but another refers to it */
    const ctn_json *undone = call(&d, "discard_lead", "{'execution': 'e1'}");
    assert_int_equal(ctn_json_int_or(undone, "discarded_leads", -1), 1);
    assert_int_equal(ctn_json_int_or(undone, "discarded_clients", -1), 0);
    assert_int_equal(ctn_json_int_or(call(&d, "discard_lead", "{'execution': 'e1'}"), "discarded_leads", -1), 0);
    /* one that only its lead made goes with it; by the key of the call alone */
    call(&d, "save_lead",
         "{'client': {'email': 'c@d.example', 'name': 'C'}, 'text': 'z', 'key': 'k3', 'execution': 'e3'}");
    undone = call(&d, "discard_lead", "{'lead_id': null, 'key': 'k3', 'execution': 'e3'}");
    assert_int_equal(ctn_json_int_or(undone, "discarded_leads", -1), 1);
    assert_int_equal(ctn_json_int_or(undone, "discarded_clients", -1), 1);
    assert_false(ctn_json_bool_or(call(&d, "find_client", "{'email': 'c@d.example'}"), "is_found", true));
    /* nothing had happened, and what arrives after the undo is refused */
    undone = call(&d, "discard_lead", "{'key': 'k4', 'execution': 'e2'}");
    assert_int_equal(ctn_json_int_or(undone, "discarded_leads", -1),
                     0); /* not e2's lead: the key says which is meant */
    refused(&d, "save_lead", "{'client': {'email': 'e@f.example'}, 'key': 'k4'}", CTN_E_STATE, "undone");
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM leads"), 1);
    /* a client that was written to stays */
    call(&d, "save_lead", "{'client': {'email': 'g@h.example'}, 'execution': 'e5'}");
    call(&d, "record_reply", "{'client_id': 'C-000003', 'channel': 'email', 'text': 'hi'}");
    assert_int_equal(ctn_json_int_or(call(&d, "discard_lead", "{'execution': 'e5'}"), "discarded_clients", -1), 0);
    refused(&d, "discard_lead", "{}", CTN_E_INVALID, "say what to discard");
    desk_close(&d);
}

static void spam_is_counted_and_nothing_of_it_is_kept(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    const ctn_json *saved =
        call(&d, "save_lead",
             "{'status': 'spam', 'text': 'cheap pills', 'source': 'form', 'client': {'email': 's@t.example'}}");
    assert_text(saved, "/client_id", "");
    assert_text(call(&d, "get_lead", "{'lead_id': 'L-000001'}"), "/source", "form");
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM clients"), 0);
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM leads WHERE text = '' AND client = '{}'"), 1);
    assert_int_equal(ctn_json_int_or(call(&d, "discard_lead", "{'lead_id': 'L-000001'}"), "discarded_leads", -1), 1);
    refused(&d, "save_lead", "{'text': 'no client'}", CTN_E_INVALID, "client must be an object");
    desk_close(&d);
}

static void a_trip_is_cancelled_by_the_run_that_made_it(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    call(&d, "save_lead", "{'client': {'email': 'a@b.example'}}");
    call(&d, "save_trip", "{'client_id': 'C-000001', 'status': 'booked', 'total': '10.00', 'execution': 'e1'}");
    call(&d, "save_trip", "{'client_id': 'C-000001', 'status': 'booked', 'execution': 'e2'}");
    assert_text(call(&d, "save_trip", "{'client_id': 'C-000001', 'status': 'cancelled', 'execution': 'e1'}"),
                "/trip_id", "T-000001");
    assert_text(call(&d, "save_trip", "{'client_id': 'C-000001', 'status': 'cancelled', 'execution': 'e9'}"),
                "/trip_id", "");
    call(&d, "save_trip", "{'client_id': 'C-000001', 'trip_id': 'T-000002', 'destination': 'Rome'}");
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM trips WHERE status = 'booked' AND destination = 'Rome'"),
                     1);
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM trips WHERE status = 'cancelled' AND total = '10.00'"), 1);
    refused(&d, "save_trip", "{'client_id': 'C-000001', 'trip_id': 'T-9'}", CTN_E_NOT_FOUND, "T-9");
    refused(&d, "save_trip", "{'client_id': 'C-000009'}", CTN_E_NOT_FOUND, "C-000009");
    refused(&d, "save_trip", "{'client_id': 'C-000001', 'status': 'gone'}", CTN_E_INVALID, "status must be");
    desk_close(&d);
}

/* ---- messages ---- */

static void of_two_senders_one_has_the_message(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    travel_crm *mine = NULL, *other = NULL;
    travel_message row, plan = {.client_id = CTN_STR("C-1"),
                                .channel = CTN_STR("email"),
                                .subject = CTN_STR("s"),
                                .body = CTN_STR("b"),
                                .key = CTN_STR("k"),
                                .created_at_ms = 1};
    ctn_err err = {0};
    assert_int_equal(travel_crm_open(d.crm, false, &mine, &err), CTN_OK);
    assert_int_equal(travel_crm_open(d.crm, false, &other, &err), CTN_OK);
    assert_int_equal(travel_crm_message_plan(mine, d.arena, &plan, &row, &err), CTN_OK);
    assert_int_equal(travel_crm_message_plan(other, d.arena, &plan, &row, &err), CTN_OK);
    assert_true(ctn_str_is(row.message_id, "M-000001") && ctn_str_is(row.status, "planned"));
    assert_int_equal(travel_crm_message_sent(mine, row.message_id, CTN_STR("r"), 5, &err), CTN_E_STATE);
    assert_int_equal(travel_crm_message_sending(mine, row.message_id, CTN_STR("smtp"), &err), CTN_OK);
    assert_int_equal(travel_crm_message_sending(other, row.message_id, CTN_STR("smtp"), &err), CTN_E_STATE);
    assert_int_equal(travel_crm_message_failed(mine, row.message_id, &err), CTN_OK);
    assert_int_equal(travel_crm_message_sending(other, row.message_id, CTN_STR("outbox"), &err), CTN_OK);
    assert_int_equal(travel_crm_message_sent(other, row.message_id, CTN_STR("r"), 5, &err), CTN_OK);
    assert_int_equal(travel_crm_message_sent(other, row.message_id, CTN_STR("r"), 9, &err), CTN_OK);
    assert_int_equal(travel_crm_message_by_key(mine, d.arena, CTN_STR("k"), &row, &err), CTN_OK);
    assert_true(ctn_str_is(row.status, "sent") && row.sent_at_ms == 5 && ctn_str_is(row.driver, "outbox"));
    plan.body = CTN_STR("another");
    assert_int_equal(travel_crm_message_plan(mine, d.arena, &plan, &row, &err), CTN_E_EXISTS);
    assert_int_equal(travel_crm_message_by_key(mine, d.arena, CTN_STR("none"), &row, &err), CTN_E_NOT_FOUND);
    travel_crm_close(mine);
    travel_crm_close(other);
    desk_close(&d);
}

static void a_history_counts_what_went_out_and_what_came(void **state)
{
    (void) state;
    static const int64_t NOW = INT64_C(1773000000000), DAY = 86400000;
    desk d;
    desk_open(&d);
    call(&d, "save_lead", "{'client': {'email': 'a@b.example', 'name': 'A'}, 'received_at': '2026-01-01T00:00:00Z'}");
    const int64_t DAYS_AGO[] = {1, 6, 8, 29, 31};
    travel_crm *crm = NULL;
    travel_message row;
    assert_int_equal(travel_crm_open(d.crm, false, &crm, NULL), CTN_OK);
    for (size_t i = 0; i < 5; i++) {
        int64_t at_ms = NOW - DAYS_AGO[i] * DAY;
        travel_message m = {.client_id = CTN_STR("C-000001"), .channel = CTN_STR("email"), .created_at_ms = at_ms};
        assert_int_equal(travel_crm_message_plan(crm, d.arena, &m, &row, NULL), CTN_OK);
        assert_int_equal(travel_crm_message_sending(crm, row.message_id, CTN_STR("x"), NULL), CTN_OK);
        if (i > 0) /* the latest may be out or not: it counts */
            assert_int_equal(travel_crm_message_sent(crm, row.message_id, CTN_STR(""), at_ms, NULL), CTN_OK);
    }
    travel_message planned = {.client_id = CTN_STR("C-000001"), .channel = CTN_STR("email"), .created_at_ms = NOW};
    assert_int_equal(travel_crm_message_plan(crm, d.arena, &planned, &row, NULL), CTN_OK);
    travel_crm_close(crm);
    call(&d, "record_reply",
         "{'client_id': 'C-000001', 'channel': 'email', 'text': 'yes', 'received_at': '2026-03-01T00:00:00Z'}");
    const ctn_json *h = call(&d, "client_history", "{'client_id': 'C-000001'}");
    assert_int_equal(ctn_json_int_or(h, "sent_7d", -1), 2);
    assert_int_equal(ctn_json_int_or(h, "sent_30d", -1), 4);
    assert_int_equal(ctn_json_int_or(h, "days_since_contact", -1), 1);
    assert_text(h, "/last_incoming_at", "2026-03-01T00:00:00.000Z");
    refused(&d, "client_history", "{'client_id': 'C-9'}", CTN_E_NOT_FOUND, "C-9");
    desk_close(&d);
}

/* ---- files of other times ---- */

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    sqlite3_close(db);
}

/* The three tables as the first design's catena-travel made them. */
static const char OLD_FILE[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE clients(client_no INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT UNIQUE, key TEXT UNIQUE,"
    " execution_id TEXT, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, created_at TEXT NOT NULL) "
    "STRICT;"
    "CREATE INDEX clients_by_execution ON clients(execution_id) WHERE execution_id IS NOT NULL;"
    "CREATE TABLE sessions(session_no INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT UNIQUE,"
    " client_id TEXT NOT NULL REFERENCES clients(client_id) ON DELETE CASCADE, client TEXT NOT NULL,"
    " requirements TEXT NOT NULL, created_at TEXT NOT NULL) STRICT;"
    "CREATE INDEX sessions_by_client ON sessions(client_id);"
    "CREATE TABLE outbox(message_no INTEGER PRIMARY KEY AUTOINCREMENT, scheduled_id TEXT UNIQUE, channel TEXT NOT NULL,"
    " send_time TEXT NOT NULL, client_id TEXT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL,"
    " created_at TEXT NOT NULL) STRICT;"
    "INSERT INTO clients VALUES(1, 'C-000001', 'k1', 'e1', 'Zoë', 'Zoe@X.example', '+44 7700 900123', "
    "'2026-01-02T03:04:05.000Z'),"
    " (2, 'C-000002', NULL, NULL, 'Zoë again', 'zoe@x.example', '', '2026-01-03T03:04:05Z'),"
    " (7, 'C-000007', 'k7', 'e7', '', '', '', '2026-01-03T03:04:05Z');"
    "DELETE FROM clients WHERE client_no = 7;"
    "INSERT INTO sessions VALUES(1, 'S-000001', 'C-000001', '{\"name\":\"Zoë\"}', '{\"destinations\":[\"Málaga\"]}', "
    "'2026-01-02T03:04:05.000Z'),"
    " (2, 'S-000002', 'C-000002', '{}', '{}', '2026-01-03T03:04:05Z');"
    "INSERT INTO outbox VALUES(1, 'M-000001', 'email', '2026-01-05T09:30:00Z', '4711', 's', 'Dear Zoë', "
    "'2026-01-04T00:00:00Z');"
    "PRAGMA user_version = 1;";

static void an_old_file_comes_along_with_its_rows(void **state)
{
    (void) state;
    enum { PROCESSES = 4 };
    desk d;
    desk_open(&d);
    run_sql(d.crm, OLD_FILE);
    pid_t children[PROCESSES]; /* several programs come to it at once */
    for (int p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        if (children[p] == 0) {
            travel_crm *crm = NULL;
            _exit(travel_crm_open(d.crm, true, &crm, NULL) != CTN_OK);
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_int_equal(waitpid(children[p], &status, 0), children[p]);
        assert_int_equal(status, 0);
    }
    const ctn_json *zoe = call(&d, "export_clients", "{'client_id': 'C-000001'}");
    assert_text(zoe, "/clients/0/name", "Zoë");
    assert_text(zoe, "/clients/0/leads/0/lead_id", "S-000001");
    assert_text(zoe, "/clients/0/leads/0/requirements/destinations/0", "Málaga");
    assert_text(call(&d, "find_client", "{'email': 'ZOE@x.example'}"), "/client_id",
                "C-000001"); /* the first of both */
    assert_text(call(&d, "search_clients", "{'query': 'malaga'}"), "/clients/0/client_id", "C-000001");
    assert_text(call(&d, "search_clients", "{'query': 'again'}"), "/clients/0/email", "zoe@x.example");
    assert_int_equal(number_in(d.crm,
                               "SELECT count(*) FROM messages WHERE message_id = 'M-000001' AND status = 'planned'"
                               " AND send_at = '2026-01-05T09:30:00.000Z' AND body = 'Dear Zoë'"),
                     1);
    /* the key of then, the undo of then, and no number twice */
    assert_text(call(&d, "create_client_record", "{'client': {}, 'key': 'k1'}"), "/session_id", "S-000001");
    assert_int_equal(ctn_json_int_or(call(&d, "delete_client_record", "{'execution': 'e1'}"), "deleted", -1), 1);
    assert_text(call(&d, "create_client_record", "{'client': {}}"), "/client_id", "C-000008");
    assert_text(call(&d, "schedule_delivery", "{'channel': 'email', 'send_time': '2026-05-05', 'message': 'x'}"),
                "/scheduled_id", "M-000002");
    desk_close(&d);
}

static void a_newer_file_is_left_alone(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    run_sql(d.crm, "CREATE TABLE future(x); PRAGMA user_version = 99;");
    refused(&d, "save_lead", "{'client': {}}", CTN_E_NEWER, "newer catena-travel");
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM sqlite_master"), 1);
    desk_close(&d);
}

/* ---- documents ---- */

static void a_version_of_a_document_cannot_be_overwritten(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    call(&d, "save_lead", "{'client': {'email': 'a@b.example'}}");
#define DOCUMENT "'client_id': 'C-000001', 'lead_id': 'L-000001', 'kind': 'proposal', 'content_type': "
    assert_int_equal(
        ctn_json_int_or(call(&d, "save_document", "{" DOCUMENT "'text/html', 'body': 'one'}"), "version", 0), 1);
    assert_int_equal(
        ctn_json_int_or(call(&d, "save_document", "{" DOCUMENT "'text/html', 'body': 'two'}"), "version", 0), 2);
    call(&d, "save_document", "{" DOCUMENT "'text/html', 'body': 'one', 'version': 1}"); /* as it is */
    refused(&d, "save_document", "{" DOCUMENT "'text/html', 'body': 'new', 'version': 1}", CTN_E_EXISTS, "D-000001");
    call(&d, "save_document", "{" DOCUMENT "'application/pdf', 'body_base64': 'AP8AJVBERg==', 'key': 'pdf'}");
    const ctn_json *last = call(&d, "get_document", "{'lead_id': 'L-000001', 'kind': 'proposal'}");
    assert_text(last, "/body_base64", "AP8AJVBERg==");
    assert_int_equal(ctn_json_int_or(last, "version", 0), 3);
    assert_text(call(&d, "get_document", "{'lead_id': 'L-000001', 'kind': 'proposal', 'version': 2}"), "/body", "two");
    refused(&d, "get_document", "{'lead_id': 'L-000001', 'kind': 'voucher'}", CTN_E_NOT_FOUND, "no such document");
    refused(&d, "save_document", "{" DOCUMENT "'text/html'}", CTN_E_INVALID, "body");
    refused(&d, "save_document", "{" DOCUMENT "'text/html', 'body_base64': '!'}", CTN_E_INVALID, "base64");
#undef DOCUMENT
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contacts_that_mean_the_same_have_one_key),
        cmocka_unit_test(one_contact_is_one_client_and_a_name_joins_nobody),
        cmocka_unit_test(the_same_text_again_is_a_repeat_for_two_weeks),
        cmocka_unit_test(two_leads_at_once_make_one_client),
        cmocka_unit_test(a_key_has_one_outcome_for_ever),
        cmocka_unit_test(an_undo_takes_back_what_was_done_and_no_more),
        cmocka_unit_test(spam_is_counted_and_nothing_of_it_is_kept),
        cmocka_unit_test(a_trip_is_cancelled_by_the_run_that_made_it),
        cmocka_unit_test(of_two_senders_one_has_the_message),
        cmocka_unit_test(a_history_counts_what_went_out_and_what_came),
        cmocka_unit_test(an_old_file_comes_along_with_its_rows),
        cmocka_unit_test(a_newer_file_is_left_alone),
        cmocka_unit_test(a_version_of_a_document_cannot_be_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
