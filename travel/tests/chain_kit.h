/*
 * chain_kit.h -- the product chains run by the real catena against the real tool server: a pack in a folder of its own,
 * catena as a child (to its end, or in the background), and the CRM looked into.
 */
#pragma once

#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#ifndef CATENA_PROGRAM
#define CATENA_PROGRAM ""
#endif
#ifndef TRAVEL_PROGRAM
#define TRAVEL_PROGRAM ""
#endif

typedef struct pack {
    char folder[64], config[96], crm[96];
    ctn_arena *arena;
} pack;

static inline void pack_write(const pack *p, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", p->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* includes: what stands in the configuration's `include`, in the repository's folder travel/. */
static inline void pack_make(pack *p, const char *const *includes)
{
    char here[4096];
    ctn_arena *arena = ctn_arena_new(1 << 20);
    *p = (pack){.arena = arena};
    assert_non_null(getcwd(here, sizeof here));
    snprintf(p->folder, sizeof p->folder, "/tmp/catena-travel-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->config, sizeof p->config, "%s/catena.yaml", p->folder);
    snprintf(p->crm, sizeof p->crm, "%s/crm.db", p->folder);
    ctn_buf out;
    ctn_buf_init(&out, 65536);
    ctn_buf_printf(&out,
                   "store: sqlite:travel.db\nsealing: {key: {file: catena.key}}\nservers:\n  travel: {command: \"%s\", "
                   "args: [serve], env: {CRM: crm.db}, trusted: true}\ninclude:\n",
                   TRAVEL_PROGRAM);
    for (size_t i = 0; includes[i]; i++)
        ctn_buf_printf(&out, "  - \"%s/travel/%s\"\n", here, includes[i]);
    pack_write(p, "catena.yaml", ctn_arena_str(arena, ctn_buf_str(&out)).ptr);
    ctn_buf_done(&out);
}

static inline void remove_folder_of(const char *path)
{
    char inner[512];
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (unlink(inner) != 0)
            remove_folder_of(inner);
    }
    closedir(folder);
    assert_int_equal(rmdir(path), 0);
}

static inline void pack_remove(pack *p)
{
    remove_folder_of(p->folder);
    ctn_arena_free(p->arena);
}

/* ---- catena ---- */

typedef struct child {
    pid_t pid;
    int out; /* its standard output */
} child;

/* In the pack's folder, with --config and --quiet; arguments end with NULL. Its complaints go to the test's own stderr.
 */
static inline child catena_start(const pack *p, const char *const *arguments)
{
    enum { ARGUMENTS_MAX = 16 };
    const char *argv[ARGUMENTS_MAX + 5] = {"catena"};
    size_t count = 1;
    int out[2];
    for (size_t i = 0; arguments[i]; i++) {
        assert_true(count < ARGUMENTS_MAX);
        argv[count++] = arguments[i];
    }
    argv[count++] = "--config";
    argv[count++] = p->config;
    if (strcmp(arguments[0], "list") != 0)
        argv[count++] = "--quiet";
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    child c = {.pid = fork(), .out = out[0]};
    assert_true(c.pid >= 0);
    if (c.pid == 0) {
        dup2(out[1], 1);
        (void) alarm(120); /* one that waits for what never comes ends, and the test says so */
        execv(CATENA_PROGRAM, (char *const *) argv);
        _exit(127);
    }
    close(out[1]);
    return c;
}

/* What it wrote, and its exit code; 128 where a signal ended it. */
static inline int child_end(const pack *p, child *c, ctn_str *ret_output)
{
    enum { OUTPUT_MAX = 1 << 20 };
    char *bytes = ctn_arena_alloc(p->arena, OUTPUT_MAX);
    size_t len = 0;
    ssize_t got;
    int status;
    while ((got = read(c->out, bytes + len, OUTPUT_MAX - len)) > 0)
        len += (size_t) got;
    close(c->out);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    if (ret_output)
        *ret_output = (ctn_str){bytes, len};
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define CATENA(p, ret_output, ...) catena_run(p, (const char *const[]){__VA_ARGS__, NULL}, ret_output)
static inline int catena_run(const pack *p, const char *const *arguments, ctn_str *ret_output)
{
    child c = catena_start(p, arguments);
    return child_end(p, &c, ret_output);
}

static inline void nap_ms(long ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* The newest execution of a chain in a status; empty: there is none. */
static inline ctn_str newest(const pack *p, const char *chain, const char *status)
{
    ctn_str list;
    if (CATENA(p, &list, "list", "--json", "--chain", chain, "--status", status, "--limit", "1") != 0)
        return CTN_STR("");
    ctn_str key = CTN_STR("\"executionId\"");
    size_t at = ctn_str_find(list, key);
    if (at == SIZE_MAX)
        return CTN_STR("");
    list = ctn_str_from_offset(list, at + key.len);
    (void) ctn_str_cut(&list, '"');
    return ctn_str_cut(&list, '"');
}

/* ---- the CRM ---- */

/* -1: there is no such table yet. */
static inline int64_t crm_count(const pack *p, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    int64_t count = -1;
    if (sqlite3_open_v2(p->crm, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(db, 5000);
        if (sqlite3_prepare_v2(db, sql, -1, &query, NULL) == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW)
            count = sqlite3_column_int64(query, 0);
    }
    sqlite3_finalize(query);
    sqlite3_close(db);
    return count;
}
