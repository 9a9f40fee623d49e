/* Killed in the middle of each tool that writes, and done again with the same key: one record, one answer. */
#include "crm_kit.h"

#include "crm/crm.h"

#include "crm/crm_db.h"

#include <signal.h>
#include <sys/wait.h>

/* What is called, after what, and what there must be one of. */
static const struct {
    const char *tool, *before, *before_arguments, *arguments, *one;
} WRITES[] = {
    {"save_lead", NULL, NULL,
     "{'client': {'name': 'A', 'email': 'a@b.example', 'phone': '+447700900123'}, 'text': 'x', 'key': 'k', "
     "'execution': 'e'}",
     "SELECT count(*) = 1 AND (SELECT count(*) FROM clients) = 1 AND (SELECT count(*) FROM contacts) = 2 FROM leads"},
    {"create_client_record", NULL, NULL, "{'client': {'name': 'A', 'email': 'a@b.example'}, 'key': 'k'}",
     "SELECT count(*) = 1 AND (SELECT count(*) FROM clients) = 1 FROM leads"},
    {"discard_lead", "save_lead", "{'client': {'email': 'a@b.example'}, 'execution': 'e'}", "{'execution': 'e'}",
     "SELECT count(*) = 0 AND (SELECT count(*) FROM clients) = 0 FROM leads"},
    {"delete_client_record", "save_lead", "{'client': {'email': 'a@b.example'}}", "{'client_id': 'C-000001'}",
     "SELECT count(*) = 0 AND (SELECT count(*) FROM leads) = 0 FROM clients"},
    {"update_lead", "save_lead", "{'client': {'email': 'a@b.example'}}",
     "{'lead_id': 'L-000001', 'status': 'lost', 'reason': 'too dear', 'key': 'k'}",
     "SELECT count(*) = 1 AND (SELECT status = 'lost' FROM leads) FROM activities"},
    {"update_client", "save_lead", "{'client': {'email': 'a@b.example'}}",
     "{'client_id': 'C-000001', 'email': 'c@d.example', 'name': 'New', 'key': 'k'}",
     "SELECT count(*) = 2 AND (SELECT name = 'New' FROM clients) FROM contacts"},
    {"record_reply", "save_lead", "{'client': {'email': 'a@b.example'}}",
     "{'client_id': 'C-000001', 'channel': 'email', 'text': 'yes', 'key': 'k', 'execution': 'e'}",
     "SELECT count(*) = 1 FROM messages"},
    {"record_activity", "save_lead", "{'client': {'email': 'a@b.example'}}",
     "{'client_id': 'C-000001', 'kind': 'call', 'what': 'x', 'key': 'k', 'execution': 'e'}",
     "SELECT count(*) = 1 FROM activities"},
    {"save_trip", "save_lead", "{'client': {'email': 'a@b.example'}}",
     "{'client_id': 'C-000001', 'destination': 'Rome', 'key': 'k', 'execution': 'e'}",
     "SELECT count(*) = 1 FROM trips"},
    {"save_document", "save_lead", "{'client': {'email': 'a@b.example'}}",
     "{'client_id': 'C-000001', 'kind': 'p', 'content_type': 'text/plain', 'body': 'x', 'key': 'k'}",
     "SELECT count(*) = 1 AND max(version) = 1 FROM documents"},
    {"note_execution", "save_lead", "{'client': {'email': 'a@b.example'}}",
     "{'client_id': 'C-000001', 'execution': 'e', 'key': 'k'}", "SELECT count(*) = 1 FROM executions"},
    {"erase_client", "save_lead", "{'client': {'name': 'A', 'email': 'a@b.example'}, 'text': 'x'}",
     "{'client_id': 'C-000001'}",
     "SELECT count(*) = 0 AND (SELECT text = '' FROM leads) AND (SELECT erased_at > '' FROM clients) FROM contacts"},
};

/* Where the child dies: at the n-th changed row; before the commit; after it, before the answer. */
enum { BEFORE_COMMIT = -1, AFTER_COMMIT = -2 };

static void die_at_row(void *ctx, int what, const char *database, const char *table, sqlite3_int64 row)
{
    int *left = ctx;
    (void) what;
    (void) database;
    (void) table;
    (void) row;
    if (--*left == 0)
        raise(SIGKILL);
}

static int die_before_commit(void *ctx)
{
    (void) ctx;
    raise(SIGKILL);
    return 0;
}

static int die_after_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
    (void) ctx;
    (void) db;
    (void) name;
    (void) pages;
    raise(SIGKILL);
    return SQLITE_OK;
}

/* Does the call in a process that dies there; false: it came to its end. */
static bool dies_at(desk *d, size_t i, int where)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        travel_tools tools = tools_for_test(d->crm);
        const ctn_json *result;
        if (travel_crm_open(d->crm, false, &tools.crm, NULL))
            _exit(2);
        if (where == BEFORE_COMMIT)
            sqlite3_commit_hook(tools.crm->db, die_before_commit, NULL);
        else if (where == AFTER_COMMIT)
            sqlite3_wal_hook(tools.crm->db, die_after_commit, NULL);
        else
            sqlite3_update_hook(tools.crm->db, die_at_row, &where);
        _exit(run_tool(&tools, WRITES[i].tool, d->arena, quoted(d->arena, WRITES[i].arguments), &result, NULL) !=
              CTN_OK);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status))
        assert_int_equal(status, 0);
    return WIFSIGNALED(status);
}

static void write_file(const char *path, ctn_str bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

/* The file as it is before the call; made once, for making tables takes longer than all the rest. */
static ctn_str file_before(ctn_arena *arena, size_t i)
{
    desk d;
    ctn_str bytes;
    desk_open(&d);
    if (WRITES[i].before)
        call(&d, WRITES[i].before, WRITES[i].before_arguments);
    else
        assert_int_equal(travel_crm_open(d.crm, false, &d.tools.crm, NULL), CTN_OK);
    travel_tools_done(&d.tools); /* the last one to close empties the log into the file */
    assert_true(read_whole_file(arena, d.crm, &bytes));
    d.tools = tools_for_test(d.crm);
    desk_close(&d);
    return bytes;
}

static bool try_death(size_t i, int where, ctn_str before)
{
    desk d;
    desk_open(&d);
    write_file(d.crm, before);
    travel_tools_done(&d.tools); /* the file is nobody's while the child has it */
    bool died = dies_at(&d, i, where);
    d.tools = tools_for_test(d.crm);
    const ctn_json *first = call(&d, WRITES[i].tool, WRITES[i].arguments);
    if (!number_in(d.crm, WRITES[i].one))
        fail_msg("%s, dead at %d and done again: not %s", WRITES[i].tool, where, WRITES[i].one);
    const ctn_json *second = call(&d, WRITES[i].tool, WRITES[i].arguments);
    bool has_key = strstr(WRITES[i].arguments, "'key'") && strcmp(WRITES[i].tool, "create_client_record") != 0;
    if (has_key && !ctn_json_equal(first, second))
        fail_msg("%s gave two answers", WRITES[i].tool);
    desk_close(&d);
    return died;
}

static void a_tool_that_died_anywhere_is_done_once(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof WRITES / sizeof *WRITES; i++) {
        ctn_arena_mark mark = ctn_arena_save(arena);
        ctn_str before = file_before(arena, i);
        for (int row = 1; try_death(i, row, before);)
            row++;
        assert_true(try_death(i, BEFORE_COMMIT, before));
        assert_true(try_death(i, AFTER_COMMIT, before));
        ctn_arena_restore(arena, mark);
    }
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tool_that_died_anywhere_is_done_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
