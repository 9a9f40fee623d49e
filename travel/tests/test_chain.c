/*
 * Both chains, run by catena itself against the tool server: every labelled lead runs to `completed` and gives a
 * proposal, and each stands in the CRM.
 */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

#ifndef CATENA_PROGRAM
#define CATENA_PROGRAM ""
#endif

typedef struct pack {
    char folder[64];
    char config[96];
} pack;

static void make_pack(pack *p)
{
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(p->folder, sizeof p->folder, "/tmp/catena-travel-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->config, sizeof p->config, "%s/catena.yaml", p->folder);
    FILE *file = fopen(p->config, "w");
    assert_non_null(file);
    fprintf(file,
            "store: sqlite:travel.db\nservers:\n  travel: {command: \"%s\", args: [serve], env: {CRM: crm.db}, "
            "trusted: true}\n"
            "include: [\"%s/travel/first-design/*.json\", \"%s/travel/instruction-sets/*.yaml\", \"%s/travel/templates/\"]\n",
            TRAVEL_PROGRAM, here, here, here);
    assert_int_equal(fclose(file), 0);
}

static void remove_pack(const pack *p)
{
    char path[512];
    DIR *folder = opendir(p->folder);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        snprintf(path, sizeof path, "%s/%s", p->folder, entry->d_name);
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            (void) unlink(path);
    }
    closedir(folder);
    assert_int_equal(rmdir(p->folder), 0);
}

/* Runs catena; gives its standard output and exit code. Its complaints go to the test's own standard error. */
static int run_catena(ctn_arena *arena, const pack *p, const char *const *arguments, ctn_str *ret_output)
{
    enum { ARGUMENTS_MAX = 16, OUTPUT_MAX = 1 << 20 };
    const char *argv[ARGUMENTS_MAX + 4] = {"catena"};
    size_t count = 1;
    for (size_t i = 0; arguments[i]; i++) {
        assert_true(count < ARGUMENTS_MAX);
        argv[count++] = arguments[i];
    }
    argv[count++] = "--config";
    argv[count++] = p->config;
    argv[count++] = "--quiet";
    int out[2], status;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(out[1], 1);
        execv(CATENA_PROGRAM, (char *const *) argv);
        _exit(127);
    }
    close(out[1]);
    char *bytes = ctn_arena_alloc(arena, OUTPUT_MAX);
    size_t len = 0;
    ssize_t got;
    while ((got = read(out[0], bytes + len, OUTPUT_MAX - len)) > 0)
        len += (size_t) got;
    close(out[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    *ret_output = (ctn_str){bytes, len};
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int64_t count_rows(const pack *p, const char *sql)
{
    char path[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    snprintf(path, sizeof path, "%s/crm.db", p->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(db);
    return count;
}

static void every_lead_runs_to_its_end(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1 << 20);
    ctn_str gold;
    pack p;
    int leads = 0;
    if (!CATENA_PROGRAM[0] || !read_whole_file(arena, data_path(arena, "leads/gold.jsonl").ptr, &gold)) {
        print_message("skipped: no catena in this build, or no labelled leads (CATENA_SHARED names their folder)\n");
        ctn_arena_free(arena);
        skip();
    }
    make_pack(&p);
    while (gold.ptr) {
        ctn_arena_mark mark = ctn_arena_save(arena);
        ctn_str line = ctn_str_trim(ctn_str_cut(&gold, '\n')), output;
        if (line.len == 0)
            continue;
        const ctn_json *label = json_from(arena, line);
        ctn_str file = ctn_json_text(ctn_json_member_of(label, "file")),
                at = ctn_json_text(ctn_json_member_of(label, "received_at"));
        ctn_str leads_folder = data_path(arena, "leads");
        const char *const arguments[] = {
            "run",
            "mobile-lead-processing",
            "-i",
            ctn_arena_printf(arena, "raw_lead=@%.*s/%.*s", CTN_STR_ARG(leads_folder), CTN_STR_ARG(file)).ptr,
            "-i",
            ctn_arena_printf(arena, "received_at=%.*s", CTN_STR_ARG(at)).ptr,
            "--output",
            "proposal_document",
            NULL};
        int code = run_catena(arena, &p, arguments, &output);
        if (code != 0 || ctn_str_find(output, CTN_STR("Sandbox inventory")) == SIZE_MAX)
            fail_msg("%.*s: exit code %d, %.*s", CTN_STR_ARG(file), code, CTN_STR_ARG(output));
        leads++;
        ctn_arena_restore(arena, mark);
    }
    assert_true(leads >= 40);
    assert_int_equal(count_rows(&p, "SELECT count(*) FROM leads"), leads);
    assert_int_equal(count_rows(&p, "SELECT count(DISTINCT execution) FROM leads"), leads);
    remove_pack(&p);
    ctn_arena_free(arena);
}

static void the_follow_up_is_written_and_scheduled(void **state)
{
    (void) state;
    ctn_arena *arena = ctn_arena_new(1 << 20);
    ctn_str output;
    pack p;
    if (!CATENA_PROGRAM[0]) {
        print_message("skipped: no catena in this build\n");
        ctn_arena_free(arena);
        skip();
    }
    make_pack(&p);
    const char *const arguments[] = {
        "run", "client-followup-sequence",        "-i", "client_id=C-000001",
        "-i",  "days_since_contact=60",           "-i", "client_name=Zoë {client_id} {{client_id}}",
        "-i",  "trip_status=thinking about Rome", NULL};
    assert_int_equal(run_catena(arena, &p, arguments, &output), 0);
    ctn_str message = ctn_json_text(ctn_json_pointer(json_from(arena, output), CTN_STR("/outputs/message_content")));
    assert_true(ctn_str_starts_with(message, CTN_STR("Dear Zoë {client_id} {{client_id}},")));
    assert_true(ctn_str_find(message, CTN_STR("Plans change, and that is fine.")) != SIZE_MAX);
    assert_int_equal(count_rows(&p, "SELECT count(*) FROM messages WHERE channel = 'email' AND body LIKE 'Dear Zoë%'"),
                     1);
    remove_pack(&p);
    ctn_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lead_runs_to_its_end),
        cmocka_unit_test(the_follow_up_is_written_and_scheduled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
