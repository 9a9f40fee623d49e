/*
 * trip_pack.h -- a folder with trip-booking in it, and catena run on it: what the tests of booking share.
 */
#pragma once

#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#ifndef CATENA_PROGRAM
#define CATENA_PROGRAM ""
#endif
#ifndef TRAVEL_PROGRAM
#define TRAVEL_PROGRAM ""
#endif

enum { OUTPUT_MAX = 1 << 18 };

typedef struct pack {
    char folder[64], config[96];
    ctn_arena *arena;
} pack;

/* ---- files ---- */

static inline bool write_file(const char *folder, const char *name, ctn_str text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    bool ok = file && fwrite(text.ptr, 1, text.len, file) == text.len;
    return file && fclose(file) == 0 && ok;
}

static inline ctn_str replace(ctn_arena *arena, ctn_str text, ctn_str old, ctn_str new)
{
    ctn_buf out;
    ctn_buf_init(&out, 1 << 20);
    for (size_t at; (at = ctn_str_find(text, old)) != SIZE_MAX; text = ctn_str_from_offset(text, at + old.len)) {
        ctn_buf_append(&out, (ctn_str){text.ptr, at});
        ctn_buf_append(&out, new);
    }
    ctn_buf_append(&out, text);
    ctn_str result = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return result;
}

/* A file of the pack with short waits: back-offs of 10 ms, and this time limit for each call. */
static inline bool copy_in_haste(pack *p, const char *path, const char *name, const char *timeout_ms)
{
    ctn_str text;
    if (!read_whole_file(p->arena, path, &text))
        return false;
    text = replace(p->arena, text, CTN_STR("backoffMs: 500"), CTN_STR("backoffMs: 10"));
    text = replace(p->arena, text, CTN_STR("backoffMs: 1000"), CTN_STR("backoffMs: 10, multiplier: 1"));
    text = replace(p->arena, text, CTN_STR("backoffMs: 2000"), CTN_STR("backoffMs: 10, multiplier: 1"));
    ctn_str timeout = ctn_arena_printf(p->arena, "timeoutMs: %s", timeout_ms);
    text = replace(p->arena, text, CTN_STR("timeoutMs: 120000"), timeout);
    text = replace(p->arena, text, CTN_STR("timeoutMs: 60000"), timeout);
    return write_file(p->folder, name, text);
}

/* C-000001, whose trip it is. */
static inline bool save_client(pack *p)
{
    const ctn_json *result = NULL;
    travel_tools tools = {.crm_path = ctn_arena_printf(p->arena, "%s/crm.db", p->folder).ptr,
                          .clock = ctn_clock_system()};
    if (travel_agency_open(NULL, &tools.agency, NULL))
        return false;
    int rc = run_tool(&tools, "save_lead", p->arena,
                      json_from(p->arena, CTN_STR("{\"text\":\"Rome\",\"client\":{\"name\":\"Ana Ortiz\",\"email\":"
                                                  "\"ana@example.com\"},\"requirements\":{},\"budget\":{},\"language\":"
                                                  "\"en\",\"status\":\"accepted\",\"key\":\"k\",\"execution\":\"e\"}")),
                      &result, NULL);
    travel_tools_done(&tools);
    return rc == CTN_OK;
}

/* A new folder with everything that `catena run trip-booking --input input.json` needs. */
static inline bool lay_out(pack *p, ctn_str agency, ctn_str input, const char *timeout_ms)
{
    *p = (pack){.arena = ctn_arena_new(1 << 16)};
    snprintf(p->folder, sizeof p->folder, "/tmp/catena-trip-XXXXXX");
    if (!mkdtemp(p->folder))
        return false;
    snprintf(p->config, sizeof p->config, "%s/catena.yaml", p->folder);
    ctn_str config = ctn_arena_printf(p->arena,
                                      "store: sqlite:travel.db\nsealing: {key: {file: catena.key}}\nservers:\n  "
                                      "travel: {command: \"%s\", args: [serve], env: {CRM: crm.db, AGENCY: "
                                      "agency.yaml}, trusted: true}\ninclude: [trip-booking.yaml, booking.yaml]\n",
                                      TRAVEL_PROGRAM);
    return save_client(p) && write_file(p->folder, "catena.yaml", config) &&
           write_file(p->folder, "agency.yaml", agency) && write_file(p->folder, "input.json", input) &&
           copy_in_haste(p, "travel/chains/trip-booking.yaml", "trip-booking.yaml", timeout_ms) &&
           copy_in_haste(p, "travel/instruction-sets/booking.yaml", "booking.yaml", timeout_ms);
}

static inline void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
        char inner[512];
        struct stat about;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (lstat(inner, &about) == 0 && S_ISDIR(about.st_mode))
            remove_folder(inner);
        else
            (void) unlink(inner);
    }
    if (folder)
        closedir(folder);
    (void) rmdir(path);
}

static inline void remove_pack(pack *p)
{
    remove_folder(p->folder);
    ctn_arena_free(p->arena);
}

/* ---- catena ---- */

typedef struct running {
    pid_t pid;
    int out;
} running;

static inline running start_catena(const pack *p, const char *verb, const char *first, const char *second,
                                   const char *third)
{
    int out[2];
    running r = {-1, -1};
    if (pipe2(out, O_CLOEXEC))
        return r;
    const char *argv[] = {"catena", verb, "--config", p->config, "--json", NULL, NULL, NULL, NULL};
    const char *more[] = {first, second, third};
    for (size_t i = 0, at = 5; i < 3; i++)
        if (more[i])
            argv[at++] = more[i];
    r.out = out[0];
    r.pid = fork();
    if (r.pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, 0);
        dup2(out[1], 1);
        dup2(nowhere, 2);
        execv(CATENA_PROGRAM, (char *const *) argv);
        _exit(127);
    }
    close(out[1]);
    return r;
}

/* Its output; reaps it. */
static inline ctn_str finish(const pack *p, running r)
{
    char *bytes = ctn_arena_alloc(p->arena, OUTPUT_MAX);
    size_t len = 0;
    int status;
    for (ssize_t got; len < OUTPUT_MAX && (got = read(r.out, bytes + len, OUTPUT_MAX - len)) > 0;)
        len += (size_t) got;
    close(r.out);
    (void) waitpid(r.pid, &status, 0);
    return ctn_str_trim((ctn_str){bytes, len});
}

/* {executionId, status, error} of the one execution. */
static inline const ctn_json *only_execution(const pack *p)
{
    const ctn_json *v = NULL;
    ctn_str text = finish(p, start_catena(p, "list", NULL, NULL, NULL));
    if (ctn_json_parse(p->arena, text, NULL, &v, NULL))
        return NULL;
    const ctn_json *list = ctn_json_is(v, CTN_JSON_ARRAY) ? v : ctn_json_member_of(v, "executions");
    return list ? ctn_json_at(list, 0) : v;
}
