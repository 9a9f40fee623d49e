/* The desk finds clients by what it remembers, exports them so that no spreadsheet runs them, and forgets one for good:
 * no byte is left, and no sentence ever told what is personal. */
#include "crm_kit.h"

#include <sys/stat.h>
#include <sys/wait.h>

/* ---- search ---- */

static size_t found(desk *d, const char *query)
{
    ctn_json_builder b = ctn_json_object(d->arena);
    ctn_json_put_str(&b, "query", ctn_str_from(query));
    return ctn_json_count(
        ctn_json_member_of(result_of(&d->tools, "search_clients", d->arena, ctn_json_finish(&b)), "clients"));
}

static void a_client_is_found_by_what_one_remembers(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    call(&d, "save_lead",
         "{'client': {'name': 'Zoë O`Neil-Müller', 'email': 'zoe.m@example.com', 'phone': '+44 7700 900123'},"
         " 'requirements': {'destinations': ['Málaga', 'San Sebastián'], 'origin': 'London'}}");
    call(&d, "save_lead", "{'client': {'name': 'Bob 100%', 'email': 'bob_b@example.com', 'phone': '07700 900999'}}");
    static const struct {
        const char *query;
        size_t count;
    } ROWS[] = {
        {"zoe", 1},
        {"ZOË", 1},
        {"mull", 1},
        {"o'neil", 1},
        {"malaga", 1},
        {"san seb", 1},
        {"london zo", 1},
        {"zoe rome", 0},
        {"zoe.m@ex", 1},
        {"example.com", 2},
        {"900123", 1},
        {"07700 900 123", 1},
        {"+447700", 1},
        {"7700900", 2},
        {"c-000002", 1},
        {"C-9", 0},
        {"oe", 0},
        {"100%", 1},
        /* none of this is syntax */
        {"\"", 9},
        {"zoe\"", 1},
        {"zoe OR bob", 0},
        {"name:zoe", 0},
        {"zoe*", 1},
        {"NEAR(zoe)", 0},
        {"%", 9},
        {"9%9", 0},
        {"'; DROP TABLE clients; --", 0},
        {"(", 9},
        {"^zoe", 1},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (ROWS[i].count == 9) { /* no word in it */
            ctn_err err = {0};
            const ctn_json *result;
            ctn_json_builder b = ctn_json_object(d.arena);
            ctn_json_put_str(&b, "query", ctn_str_from(ROWS[i].query));
            assert_int_equal(run_tool(&d.tools, "search_clients", d.arena, ctn_json_finish(&b), &result, &err),
                             CTN_E_INVALID);
        } else if (found(&d, ROWS[i].query) != ROWS[i].count) {
            fail_msg("\"%s\" finds %zu", ROWS[i].query, found(&d, ROWS[i].query));
        }
    }
    /* what changes is found as it is now */
    call(&d, "update_client", "{'client_id': 'C-000002', 'name': 'Robert'}");
    call(&d, "save_trip", "{'client_id': 'C-000002', 'destination': 'Évora'}");
    assert_int_equal(found(&d, "bob"), 1); /* his address */
    assert_int_equal(found(&d, "robert evora"), 1);
    assert_int_equal(found(&d, "100%"), 0);
    desk_close(&d);
}

static void pages_follow_one_another_while_clients_come_and_go(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    for (int i = 1; i <= 7; i++)
        call(&d, "save_lead",
             ctn_arena_printf(d.arena, "{'client': {'name': 'Ann %d', 'email': 'a%d@x.example'}}", i, i).ptr);
    const ctn_json *page = call(&d, "search_clients", "{'query': 'ann', 'limit': 3}");
    assert_text(page, "/clients/0/client_id", "C-000007");
    assert_text(page, "/next", "C-000005");
    call(&d, "save_lead", "{'client': {'name': 'Ann 8', 'email': 'a8@x.example'}}");
    call(&d, "delete_client_record", "{'client_id': 'C-000005'}");
    page = call(&d, "search_clients", "{'query': 'ann', 'limit': 3, 'after': 'C-000005'}");
    assert_text(page, "/clients/0/client_id", "C-000004");
    assert_text(page, "/clients/2/client_id", "C-000002");
    page = call(&d, "search_clients", "{'query': 'ann', 'limit': 3, 'after': 'C-000002'}");
    assert_text(page, "/clients/0/client_id", "C-000001");
    assert_text(page, "/next", "");
    page = call(&d, "export_clients", "{'limit': 4}");
    assert_text(page, "/clients/3/client_id", "C-000004");
    page = call(&d, "export_clients", "{'limit': 4, 'after': 'C-000004'}");
    assert_text(page, "/clients/0/client_id", "C-000006");
    assert_text(page, "/next", "");
    refused(&d, "search_clients", "{'query': 'ann', 'limit': 0}", CTN_E_INVALID, "1 to 500");
    refused(&d, "export_clients", "{'format': 'xml'}", CTN_E_INVALID, "json or csv");
    refused(&d, "export_clients", "{'client_id': 'C-9'}", CTN_E_NOT_FOUND, "C-9");
    desk_close(&d);
}

/* ---- export ---- */

static void a_table_is_text_and_no_formula(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    call(&d, "save_lead",
         "{'client': {'name': '=HYPERLINK(\\'http://x\\')', 'email': '@sum.of@x.example', 'phone': '+44 7700 900123'},"
         " 'received_at': '2026-03-01T10:00:00Z'}");
    call(&d, "save_lead", "{'client': {'name': 'Says \\'hi\\', twice\\nand more', 'email': 'a@x.example'}}");
    call(&d, "update_client", "{'client_id': 'C-000002', 'email': 'b@x.example'}");
    ctn_str csv = text_of(call(&d, "export_clients", "{'format': 'csv'}"), "/csv");
    static const char *const PARTS[] = {
        "client_id,name,emails,phones,",
        "\r\n\"C-000001\",\"'=HYPERLINK(\"\"http://x\"\")\",\"'@sum.of@x.example\",\"'+44 7700 900123\",",
        "\"2026-03-01T10:00:00.000Z\",\"new\",0,0,0\r\n",
        "\"Says \"\"hi\"\", twice\nand more\",\"a@x.example; b@x.example\",",
    };
    for (size_t i = 0; i < 4; i++)
        if (ctn_str_find(csv, ctn_str_from(PARTS[i])) == SIZE_MAX)
            fail_msg("%s is not in %.*s", PARTS[i], CTN_STR_ARG(csv));
    csv = text_of(call(&d, "export_clients", "{'format': 'csv', 'after': 'C-000001'}"), "/csv");
    assert_true(ctn_str_starts_with(csv, CTN_STR("\"C-000002\""))); /* a second page has no head */
    desk_close(&d);
}

/* ---- erasure ---- */

static const char *const PLANTED[] = {"Quillfeather", "quillfeather", "QUILL@x.example", "quill@x.example",
                                      "7700900777",   "Reykjavik",    "reykjavik",       "PlantedText",
                                      "PlantedReply", "PlantedNote",  "PlantedLetter",   "PlantedTrip"};

/* Which of the planted words the files have; NULL: none. */
static const char *planted_in(const desk *d)
{
    static const char *const ENDS[] = {"", "-wal", "-shm"};
    ctn_arena *arena = ctn_arena_new(1 << 20);
    const char *seen = NULL;
    for (size_t i = 0; !seen && i < 3; i++) {
        ctn_str bytes = {NULL, 0};
        (void) read_whole_file(arena, ctn_arena_printf(arena, "%s%s", d->crm, ENDS[i]).ptr, &bytes);
        for (size_t k = 0; !seen && k < sizeof PLANTED / sizeof *PLANTED; k++)
            if (ctn_str_find(bytes, ctn_str_from(PLANTED[k])) != SIZE_MAX)
                seen = PLANTED[k];
    }
    ctn_arena_free(arena);
    return seen;
}

static void plant(desk *d)
{
    call(d, "save_lead",
         "{'client': {'name': 'Zoe Quillfeather', 'email': 'QUILL@x.example', 'phone': '+447700900777'},"
         " 'text': 'PlantedText', 'requirements': {'destinations': ['Reykjavik']}, 'key': 'k',"
         " 'execution': 'e-1'}");
    call(d, "save_lead", "{'client': {'name': 'Other', 'email': 'o@x.example'}, 'text': 'stays'}");
    call(d, "record_reply",
         "{'client_id': 'C-000001', 'channel': 'email', 'text': 'PlantedReply', 'execution': 'e-2',"
         " 'key': 'reply'}");
    call(d, "record_activity", "{'client_id': 'C-000001', 'kind': 'call', 'what': 'PlantedNote'}");
    call(d, "save_document",
         "{'client_id': 'C-000001', 'kind': 'p', 'content_type': 'text/plain', 'body': 'PlantedLetter'}");
    call(d, "save_trip", "{'client_id': 'C-000001', 'summary': 'PlantedTrip', 'total': '99.00', 'currency': 'GBP'}");
    call(d, "schedule_delivery",
         "{'client_id': 'C-000001', 'channel': 'email', 'send_time': '2026-05-05', 'message': 'PlantedLetter'}");
    call(d, "update_client", "{'client_id': 'C-000001', 'name': 'Zoe B. Quillfeather'}");
}

static void an_erased_client_is_in_no_byte(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    plant(&d);
    assert_non_null(planted_in(&d)); /* the search is not blind */
    const ctn_json *erased = call(&d, "erase_client", "{'client_id': 'C-000001'}");
    if (planted_in(&d))
        fail_msg("%s is still there", planted_in(&d));
    assert_false(ctn_json_bool_or(erased, "was_erased_before", true));
    assert_text(erased, "/executions/0", "e-1");
    assert_text(erased, "/executions/1", "e-2");
    erased = call(&d, "erase_client", "{'client_id': 'C-000001', 'reason': 'retention'}");
    assert_true(ctn_json_bool_or(erased, "was_erased_before", false));
    assert_int_equal(ctn_json_count(ctn_json_member_of(erased, "executions")), 2);
    /* what bookkeeping needs, and everybody else */
    assert_int_equal(number_in(d.crm, "SELECT total = '99.00' AND currency = 'GBP' FROM trips"), 1);
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM messages WHERE status = 'cancelled'"), 1);
    assert_int_equal(number_in(d.crm, "SELECT erased_for = 'request' FROM clients WHERE client_id = 'C-000001'"), 1);
    assert_text(call(&d, "find_client", "{'email': 'o@x.example'}"), "/name", "Other");
    assert_int_equal(number_in(d.crm, "SELECT text = 'stays' FROM leads WHERE client_id = 'C-000002'"), 1);
    /* nothing is ever written to it again; who writes to the agency again is somebody new */
    static const char *const WRITES[][2] = {
        {"record_reply", "{'client_id': 'C-000001', 'channel': 'email', 'text': 'x'}"},
        {"record_activity", "{'client_id': 'C-000001', 'kind': 'call'}"},
        {"save_trip", "{'client_id': 'C-000001'}"},
        {"save_document", "{'client_id': 'C-000001', 'kind': 'p', 'content_type': 'text/plain', 'body': 'x'}"},
        {"update_client", "{'client_id': 'C-000001', 'name': 'x'}"},
        {"update_lead", "{'lead_id': 'L-000001', 'status': 'lost'}"},
        {"schedule_delivery",
         "{'client_id': 'C-000001', 'channel': 'email', 'send_time': '2026-05-05', 'message': 'x'}"},
    };
    for (size_t i = 0; i < sizeof WRITES / sizeof *WRITES; i++)
        refused(&d, WRITES[i][0], WRITES[i][1], CTN_E_STATE, "was erased on request");
    assert_text(call(&d, "save_lead", "{'client': {'email': 'quill@x.example'}}"), "/client_id", "C-000003");
    /* a key of then still has its answer, and its arguments can be guessed by nobody */
    assert_text(call(&d, "record_reply", "{'client_id': 'C-000001', 'channel': 'sms', 'key': 'reply'}"), "/message_id",
                "M-000001");
    assert_int_equal(number_in(d.crm, "SELECT count(*) FROM answers WHERE client_id = 'C-000001' AND digest <> ''"), 0);
    refused(&d, "erase_client", "{'client_id': 'C-000009'}", CTN_E_NOT_FOUND, "C-000009");
    refused(&d, "erase_client", "{'client_id': 'C-000001', 'reason': 'she is called Zoe'}", CTN_E_INVALID,
            "request or retention");
    desk_close(&d);
}

/* A reader keeps the log: the client is forgotten, the bytes may not be gone, and that is said until they are. */
static void a_reader_in_between_is_waited_for(void **state)
{
    (void) state;
    desk d;
    desk_open(&d);
    plant(&d);
    int ready[2], go[2];
    assert_true(pipe(ready) == 0 && pipe(go) == 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sqlite3 *db = NULL;
        char byte = 'x';
        close(go[1]);
        if (sqlite3_open(d.crm, &db) || sqlite3_exec(db, "BEGIN; SELECT count(*) FROM leads", NULL, NULL, NULL))
            _exit(1);
        (void) !write(ready[1], &byte, 1);
        (void) !read(go[0], &byte, 1);
        sqlite3_close(db);
        _exit(0);
    }
    char byte;
    close(go[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    refused(&d, "erase_client", "{'client_id': 'C-000001'}", CTN_E_BUSY, "erase again");
    assert_int_equal(found(&d, "quillfeather"), 0);
    close(go[1]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(ctn_json_bool_or(call(&d, "erase_client", "{'client_id': 'C-000001'}"), "was_erased_before", false));
    if (planted_in(&d))
        fail_msg("%s is still there", planted_in(&d));
    close(ready[0]);
    close(ready[1]);
    desk_close(&d);
}

/* ---- what is told ---- */

static void no_sentence_tells_what_is_personal(void **state)
{
    (void) state;
    static const char *const CALLS[][2] = {
        {"save_lead",
         "{'client': {'name': 'Quillfeather', 'email': 'quill@x.example'}, 'text': 'PlantedText', 'key': 'k'}"},
        {"save_lead", "{'client': {'name': 'Quillfeather'}, 'status': 'PlantedText'}"},
        {"save_lead", "{'client': 'Quillfeather'}"},
        {"save_lead", "{'client': {'name': 'Quillfeather'}, 'received_at': 'PlantedText'}"},
        {"save_lead", "{'client': {'email': 'quill@x.example'}, 'requirements': 'Reykjavik'}"},
        {"find_client", "{'email': ['quill@x.example']}"},
        {"update_client", "{'client_id': 'C-9', 'name': 'Quillfeather', 'email': 'quill@x.example'}"},
        {"record_reply", "{'client_id': 'C-9', 'channel': 'email', 'text': 'PlantedReply'}"},
        {"record_reply",
         "{'client_id': 'C-000001', 'channel': 'email', 'text': 'PlantedReply', 'received_at': 'PlantedNote'}"},
        {"record_activity", "{'client_id': 'C-9', 'kind': 'call', 'what': 'PlantedNote'}"},
        {"save_document",
         "{'client_id': 'C-000001', 'kind': 'p', 'content_type': 'x', 'body_base64': 'PlantedLetter!'}"},
        {"search_clients", "{'query': 'quill@x.example', 'limit': 900}"},
        {"erase_client", "{'client_id': 'C-000001', 'reason': 'Quillfeather'}"},
    };
    desk d;
    desk_open(&d);
    call(&d, "save_lead", "{'client': {'email': 'other@x.example'}, 'key': 'k'}");
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
        ctn_err err = {0};
        const ctn_json *result;
        if (run_tool(&d.tools, CALLS[i][0], d.arena, quoted(d.arena, CALLS[i][1]), &result, &err) == CTN_OK)
            fail_msg("%s %s", CALLS[i][0], CALLS[i][1]);
        for (size_t k = 0; k < sizeof PLANTED / sizeof *PLANTED; k++)
            if (strstr(err.message, PLANTED[k]))
                fail_msg("told: %s", err.message);
    }
    struct stat st;
    assert_int_equal(stat(d.crm, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    desk_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_found_by_what_one_remembers),
        cmocka_unit_test(pages_follow_one_another_while_clients_come_and_go),
        cmocka_unit_test(a_table_is_text_and_no_formula),
        cmocka_unit_test(an_erased_client_is_in_no_byte),
        cmocka_unit_test(a_reader_in_between_is_waited_for),
        cmocka_unit_test(no_sentence_tells_what_is_personal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
