/* A repeated call finds what the first one made; what is deleted stays deleted; a bad file is a sentence. */
#include "support.h"

#include <sys/wait.h>

typedef struct folder {
    char path[64], crm[96];
} folder;

static void make_folder(folder *f)
{
    snprintf(f->path, sizeof f->path, "/tmp/catena-travel-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(f->crm, sizeof f->crm, "%s/crm.db", f->path);
}

static void remove_folder(const folder *f)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[128];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", f->crm, ends[i]);
        (void) unlink(path);
    }
    assert_int_equal(rmdir(f->path), 0);
}

static ctn_str text_at(const ctn_json *v, const char *key)
{
    return ctn_json_text(ctn_json_member_of(v, key));
}

static void the_same_key_makes_one_record(void **state)
{
    (void) state;
    folder f;
    make_folder(&f);
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(f.crm);
    const ctn_json *arguments = json_from(
        arena, CTN_STR("{\"client\":{\"name\":\"Zoë O'Neil\",\"email\":null},\"key\":\"k-1\",\"execution\":\"e-1\"}"));
    const ctn_json *first = result_of(&tools, "create_client_record", arena, arguments);
    assert_true(ctn_json_bool_or(first, "created", false));
    travel_tools_done(&tools); /* another process would do the same */
    tools = tools_for_test(f.crm);
    const ctn_json *second = result_of(&tools, "create_client_record", arena, arguments);
    assert_false(ctn_json_bool_or(second, "created", true));
    assert_true(ctn_str_equal(text_at(first, "client_id"), text_at(second, "client_id")));
    assert_true(ctn_str_equal(text_at(first, "session_id"), text_at(second, "session_id")));
    const ctn_json *other =
        result_of(&tools, "create_client_record", arena, json_from(arena, CTN_STR("{\"client\":{},\"key\":\"k-2\"}")));
    assert_false(ctn_str_equal(text_at(first, "client_id"), text_at(other, "client_id")));
    travel_tools_done(&tools);
    ctn_arena_free(arena);
    remove_folder(&f);
}

static void the_calls_own_key_counts_when_no_argument_does(void **state)
{
    (void) state;
    folder f;
    make_folder(&f);
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(f.crm);
    const ctn_json *arguments = json_from(arena, CTN_STR("{\"client\":{}}")), *results[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(travel_tools_run(&tools, CTN_STR("create_client_record"), arena, arguments,
                                          CTN_STR("meta-key"), &results[i], NULL),
                         CTN_OK);
    assert_true(ctn_str_equal(text_at(results[0], "client_id"), text_at(results[1], "client_id")));
    travel_tools_done(&tools);
    ctn_arena_free(arena);
    remove_folder(&f);
}

static void what_is_deleted_stays_deleted_and_ids_are_not_used_again(void **state)
{
    (void) state;
    folder f;
    make_folder(&f);
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(f.crm);
    const ctn_json *made = result_of(&tools, "create_client_record", arena,
                                     json_from(arena, CTN_STR("{\"client\":{},\"key\":\"a\",\"execution\":\"e\"}")));
    ctn_json_builder arguments = ctn_json_object(arena);
    ctn_json_put_str(&arguments, "client_id", text_at(made, "client_id"));
    const ctn_json *delete = ctn_json_finish(&arguments);
    assert_int_equal(ctn_json_int_or(result_of(&tools, "delete_client_record", arena, delete), "deleted", -1), 1);
    assert_int_equal(ctn_json_int_or(result_of(&tools, "delete_client_record", arena, delete), "deleted", -1), 0);
    const ctn_json *next = result_of(&tools, "create_client_record", arena,
                                     json_from(arena, CTN_STR("{\"client\":{},\"key\":\"b\",\"execution\":\"e\"}")));
    assert_false(ctn_str_equal(text_at(made, "client_id"), text_at(next, "client_id")));
    /* the outcome of a creation is unknown: the undo knows only the execution */
    const ctn_json *by_execution = json_from(arena, CTN_STR("{\"client_id\":null,\"execution\":\"e\"}"));
    assert_int_equal(ctn_json_int_or(result_of(&tools, "delete_client_record", arena, by_execution), "deleted", -1), 1);
    travel_tools_done(&tools);
    ctn_arena_free(arena);
    remove_folder(&f);
}

static void every_call_schedules_one_more_message(void **state)
{
    (void) state;
    folder f;
    make_folder(&f);
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(f.crm);
    const ctn_json *arguments = json_from(arena, CTN_STR("{\"channel\":\"email\",\"send_time\":\"2026-01-02T09:30:"
                                                         "00Z\",\"message\":\"Robert'); DROP TABLE outbox;--\"}"));
    const ctn_json *first = result_of(&tools, "schedule_delivery", arena, arguments),
                   *second = result_of(&tools, "schedule_delivery", arena, arguments);
    assert_false(ctn_str_equal(text_at(first, "scheduled_id"), text_at(second, "scheduled_id")));
    travel_tools_done(&tools);
    ctn_arena_free(arena);
    remove_folder(&f);
}

static void many_processes_share_one_file(void **state)
{
    (void) state;
    enum { PROCESSES = 6, RECORDS = 25 };
    folder f;
    make_folder(&f);
    pid_t children[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        assert_true(children[p] >= 0);
        if (children[p] == 0) {
            ctn_arena *arena = ctn_arena_new(65536);
            travel_tools tools = tools_for_test(f.crm);
            int failures = 0;
            for (int i = 0; i < RECORDS; i++) { /* all of them with the same keys */
                const ctn_json *result;
                ctn_str arguments = ctn_arena_printf(arena, "{\"client\":{},\"key\":\"k%d\"}", i);
                failures += run_tool(&tools, "create_client_record", arena, json_from(arena, arguments), &result,
                                     NULL) != CTN_OK;
            }
            _exit(failures > 0);
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_int_equal(waitpid(children[p], &status, 0), children[p]);
        assert_int_equal(status, 0);
    }
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(f.crm);
    const ctn_json *next =
        result_of(&tools, "create_client_record", arena, json_from(arena, CTN_STR("{\"client\":{},\"key\":\"new\"}")));
    assert_true(ctn_str_is(text_at(next, "client_id"), "C-000026")); /* 25 keys made 25 records */
    travel_tools_done(&tools);
    ctn_arena_free(arena);
    remove_folder(&f);
}

static void a_file_that_is_no_crm_is_told_and_left_alone(void **state)
{
    (void) state;
    folder f;
    make_folder(&f);
    FILE *file = fopen(f.crm, "w");
    assert_non_null(file);
    for (int i = 0; i < 200; i++)
        fputs("this is a letter, not a database\n", file);
    fclose(file);
    ctn_arena *arena = ctn_arena_new(65536);
    const char *paths[] = {f.crm, "/nonexistent-folder/crm.db", f.path};
    for (size_t i = 0; i < 3; i++) {
        travel_tools tools = tools_for_test(paths[i]);
        const ctn_json *result;
        ctn_err err = {0};
        assert_int_equal(run_tool(&tools, "create_client_record", arena, json_from(arena, CTN_STR("{\"client\":{}}")),
                                  &result, &err),
                         CTN_E_IO);
        assert_non_null(strstr(err.message, paths[i]));
        /* a client that nobody can look up is no reason to fail the analysis */
        assert_int_equal(run_tool(&tools, "analyze_client", arena,
                                  json_from(arena, CTN_STR("{\"client_id\":\"C-1\",\"days_since_contact\":3}")),
                                  &result, &err),
                         CTN_OK);
        travel_tools_done(&tools);
    }
    ctn_str text;
    assert_true(read_whole_file(arena, f.crm, &text) && ctn_str_starts_with(text, CTN_STR("this is a letter")));
    ctn_arena_free(arena);
    remove_folder(&f);
}

/* A connector delivers a chat twice, and nobody left a number: one client. Another name, or other words: another one.
 */
static void a_lead_without_contacts_is_its_own_repeat_and_joins_nobody_else(void **state)
{
    (void) state;
    static const struct {
        const char *arguments;
        bool is_repeat;
    } LEADS[] = {
        {"{\"client\":{\"name\":\"Ana\"},\"text\":\"Two to Lisbon\",\"key\":\"1\",\"execution\":\"e-1\"}", false},
        {"{\"client\":{\"name\":\"Ana\"},\"text\":\"Two to\\n Lisbon\",\"key\":\"2\"}", true},
        {"{\"client\":{\"name\":\"Bea\"},\"text\":\"Two to Lisbon\",\"key\":\"3\"}", false},
        {"{\"client\":{\"name\":\"Ana\"},\"text\":\"Two to Porto\",\"key\":\"4\"}", false},
        {"{\"client\":{\"name\":\"Ana\",\"phone\":\"+447700900001\"},\"text\":\"Two to Lisbon\",\"key\":\"5\"}", false},
        {"{\"client\":{},\"text\":\"\",\"key\":\"6\"}", false},
        {"{\"client\":{},\"text\":\"\",\"key\":\"7\"}", false},
    };
    folder f;
    make_folder(&f);
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(f.crm);
    for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++) {
        const ctn_json *saved =
            result_of(&tools, "save_lead", arena, json_from(arena, ctn_str_from(LEADS[i].arguments)));
        if (ctn_json_bool_or(saved, "is_repeat", !LEADS[i].is_repeat) != LEADS[i].is_repeat)
            fail_msg("%s", LEADS[i].arguments);
    }
    travel_tools_done(&tools);
    ctn_arena_free(arena);
    remove_folder(&f);
}

/* Who tidies up after a run knows the run alone, and perhaps it made no lead. */
static void a_lead_is_found_by_the_run_that_made_it(void **state)
{
    (void) state;
    folder f;
    make_folder(&f);
    ctn_arena *arena = ctn_arena_new(65536);
    travel_tools tools = tools_for_test(f.crm);
    const ctn_json *saved = result_of(
        &tools, "save_lead", arena,
        json_from(arena, CTN_STR("{\"client\":{\"name\":\"Ana\"},\"status\":\"asked\",\"execution\":\"e-1\"}")));
    const ctn_json *changed = result_of(
        &tools, "update_lead", arena,
        json_from(arena, CTN_STR("{\"execution\":\"e-1\",\"status\":\"new\",\"reason\":\"the search is down\"}")));
    assert_true(ctn_str_equal(text_at(saved, "lead_id"), text_at(changed, "lead_id")));
    assert_true(ctn_str_is(text_at(changed, "status"), "new"));
    changed = result_of(&tools, "update_lead", arena,
                        json_from(arena, CTN_STR("{\"execution\":\"e-2\",\"status\":\"new\"}")));
    assert_int_equal(text_at(changed, "lead_id").len, 0);
    travel_tools_done(&tools);
    ctn_arena_free(arena);
    remove_folder(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_key_makes_one_record),
        cmocka_unit_test(the_calls_own_key_counts_when_no_argument_does),
        cmocka_unit_test(what_is_deleted_stays_deleted_and_ids_are_not_used_again),
        cmocka_unit_test(every_call_schedules_one_more_message),
        cmocka_unit_test(a_lead_without_contacts_is_its_own_repeat_and_joins_nobody_else),
        cmocka_unit_test(a_lead_is_found_by_the_run_that_made_it),
        cmocka_unit_test(many_processes_share_one_file),
        cmocka_unit_test(a_file_that_is_no_crm_is_told_and_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
