/*
 * project_travel.c -- the travel pack as a project: what is installed in share/catena/travel, read whole.
 *
 * A program that runs from a build folder finds the pack in its source tree, where other files lie beside it: so what
 * belongs to a project is said here, by folder and by ending, and travel/CMakeLists.txt installs no more than that.
 */
#include "base/memory.h"
#include "cli/project.h"
#include "host/files.h"
#include <dirent.h>
#include <stdlib.h>

#define FILES_MAX 1000

static const char *const FILES[] = {"catena.yaml", "agency.yaml"};
/* Folders without folders in them; ending NULL: all of their files. */
static const struct {
    const char *name, *ending;
} FOLDERS[] = {{"chains", ".yaml"}, {"instruction-sets", ".yaml"}, {"leads", ".txt"},
               {"prompts", NULL},   {"templates", ".mustache"},    {"tests", ".test.yaml"}};
static const char IGNORED[] = "*.db\n*.db-*\n*.key\noutbox/\ndocuments/\n";

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- where it is ---- */

static int find_pack(ctn_arena *arena, ctn_str *ret_folder, ctn_err *err)
{
    static const char *const FROM_PROGRAM[] = {"../share/catena/travel", "../../travel"};
    const char *share = getenv("CATENA_SHARE");
    ctn_str places[COUNT(FROM_PROGRAM)];
    size_t count = 0;
    if (share && share[0])
        places[count++] = ctn_path_join(arena, ctn_str_from(share), CTN_STR("travel"));
    else
        for (; count < COUNT(FROM_PROGRAM); count++)
            places[count] = ctn_path_join(arena, ctn_path_of_program_folder(arena), ctn_str_from(FROM_PROGRAM[count]));
    for (size_t i = 0; i < count; i++)
        if (ctn_file_is_there(arena, ctn_path_join(arena, places[i], CTN_STR("agency.yaml")))) {
            *ret_folder = places[i];
            return CTN_OK;
        }
    return ctn_fail(err, CTN_E_NOT_FOUND,
                    "the travel pack is not installed beside this program: there is no %.*s%s%.*s; CATENA_SHARE may "
                    "name the folder share/catena of an installation",
                    CTN_STR_ARG(places[0]), count > 1 ? " and no " : "",
                    CTN_STR_ARG(count > 1 ? places[1] : CTN_STR("")));
}

/* ---- what is in it ---- */

typedef struct reading {
    ctn_arena *arena;
    ctn_str pack;
    ctn_project project;
} reading;

static int add_file(reading *r, ctn_str path, ctn_err *err)
{
    if (r->project.count == FILES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "%.*s has more than %d files", CTN_STR_ARG(r->pack), FILES_MAX);
    ctn_project_file *f = &r->project.files[r->project.count++];
    *f = (ctn_project_file){.path = path};
    return ctn_file_read(r->arena, ctn_path_join(r->arena, r->pack, path), &f->text, err);
}

static int by_name(const void *a, const void *b)
{
    return ctn_str_compare(*(const ctn_str *) a, *(const ctn_str *) b);
}

static void close_folder(void *dir)
{
    closedir(dir);
}

/* The names of its files, in order; a folder that is not there has none. */
static size_t list_folder(reading *r, ctn_str path, const char *ending, ctn_str names[FILES_MAX])
{
    size_t count = 0;
    DIR *dir = opendir(ctn_path_join(r->arena, r->pack, path).ptr);
    if (!dir)
        return 0;
    ctn_cleanup cleanup;
    ctn_cleanup_push(&cleanup, close_folder, dir);
    for (struct dirent *e; count < FILES_MAX && (e = readdir(dir));)
        if (e->d_name[0] != '.' && (!ending || ctn_str_ends_with(ctn_str_from(e->d_name), ctn_str_from(ending))))
            names[count++] = ctn_arena_str(r->arena, ctn_str_from(e->d_name));
    ctn_cleanup_pop(&cleanup);
    closedir(dir);
    qsort(names, count, sizeof *names, by_name);
    return count;
}

int ctn_project_travel(ctn_arena *arena, ctn_project *ret_project, ctn_err *err)
{
    reading r = {.arena = arena};
    r.project.files = ctn_arena_alloc(arena, (FILES_MAX + 1) * sizeof *r.project.files);
    int rc = find_pack(arena, &r.pack, err);
    for (size_t i = 0; rc == CTN_OK && i < COUNT(FILES); i++)
        rc = add_file(&r, ctn_str_from(FILES[i]), err);
    ctn_str *names = ctn_arena_alloc(arena, FILES_MAX * sizeof *names);
    for (size_t i = 0; rc == CTN_OK && i < COUNT(FOLDERS); i++) {
        ctn_str folder = ctn_str_from(FOLDERS[i].name);
        size_t count = list_folder(&r, folder, FOLDERS[i].ending, names);
        for (size_t k = 0; rc == CTN_OK && k < count; k++)
            rc = add_file(&r, ctn_path_join(arena, folder, names[k]), err);
    }
    if (rc)
        return rc;
    r.project.files[r.project.count++] =
        (ctn_project_file){.path = CTN_STR(".gitignore"), .text = ctn_str_from(IGNORED), .may_be_there = true};
    *ret_project = r.project;
    return CTN_OK;
}
