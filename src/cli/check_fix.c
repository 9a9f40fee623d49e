/*
 * check_fix.c -- `check --fix`.
 *
 * Nothing is written before everything has been tried: mended texts stand in place of the files (an overlay), all is
 * read and judged again, and only what made it better stays. Better means: fewer faults of the worst kind that
 * differs, in the order of what hides what: a file that is no YAML or JSON, faults of the files themselves, other
 * errors, warnings. So a name that was misspelt may be mended although three warnings come to light behind it. All
 * findings of a file are tried together, and one by one when that is not better. A second run finds nothing to do.
 */
#include "base/names.h"
#include "check/fix.h"
#include "cli/check_run.h"
#include "host/files.h"

#define ROUNDS_MAX 20
#define TRIES_MAX  200

typedef struct mended {
    ctn_str path;        /* as findings name it */
    ctn_str before, now; /* the file's text, and what stands in its place */
} mended;

typedef struct fixing {
    ctn_cli *cli;
    const ctn_check_options *options;
    mended *files;
    size_t file_count, file_capacity;
    ctn_str *lines; /* what was done, to be said when it is written */
    size_t line_count, line_capacity;
    size_t tries;
} fixing;

/* ---- is it better? ---- */

enum { UNREADABLE, FILE_FAULT, LOST_NAME, OTHER_ERROR, WARNING, STAGE_COUNT };

static int stage_of(const ctn_finding *x)
{
    static const char *const FILE_FAULTS[] = {"duplicate-key", "unknown-key",    "type",
                                              "bad-template",  "bad-expression", "bad-schema",
                                              "bad-cron",      "reserved-name",  "duplicate-step"};
    static const char *const LOST_NAMES[] = {"unknown-set", "unknown-step", "unknown-template", "unknown-chain",
                                             "cycle"};
    if (x->severity == CTN_SEVERITY_WARNING)
        return WARNING;
    if (strcmp(x->rule, "syntax") == 0)
        return UNREADABLE;
    for (size_t i = 0; i < sizeof LOST_NAMES / sizeof *LOST_NAMES; i++)
        if (strcmp(x->rule, LOST_NAMES[i]) == 0)
            return LOST_NAME;
    for (size_t i = 0; i < sizeof FILE_FAULTS / sizeof *FILE_FAULTS; i++)
        if (strcmp(x->rule, FILE_FAULTS[i]) == 0)
            return FILE_FAULT;
    return OTHER_ERROR;
}

static bool is_better(const ctn_findings *now, const ctn_findings *before)
{
    size_t counts[2][STAGE_COUNT] = {0};
    for (size_t i = 0; i < now->count; i++)
        counts[0][stage_of(&now->items[i])]++;
    for (size_t i = 0; i < before->count; i++)
        counts[1][stage_of(&before->items[i])]++;
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        if (counts[0][stage] != counts[1][stage])
            return counts[0][stage] < counts[1][stage];
    return false;
}

/* ---- trying ---- */

static mended *file_of(fixing *f, ctn_str path)
{
    for (size_t i = 0; i < f->file_count; i++)
        if (ctn_str_equal(f->files[i].path, path))
            return &f->files[i];
    ctn_str text;
    if (ctn_file_read(f->cli->arena, path, &text, NULL))
        return NULL;
    f->files = ctn_arena_room(f->cli->arena, f->files, f->file_count, &f->file_capacity, sizeof *f->files);
    f->files[f->file_count] = (mended){.path = path, .before = text, .now = text};
    return &f->files[f->file_count++];
}

/* Everything, with the texts as they are now in place of the files. */
static int look_again(fixing *f, ctn_check_run *ret_run)
{
    ctn_arena *arena = f->cli->arena;
    ctn_str *paths = CTN_NEW_ARRAY(arena, ctn_str, f->file_count),
            *texts = CTN_NEW_ARRAY(arena, ctn_str, f->file_count);
    for (size_t i = 0; i < f->file_count; i++) {
        paths[i] = ctn_path_real(arena, f->files[i].path);
        texts[i] = f->files[i].now;
    }
    ctn_overlay overlay = {.paths = paths, .texts = texts, .count = f->file_count};
    f->cli->overlay = &overlay;
    int exit_code = ctn_check_run_read(f->cli, ret_run);
    f->cli->overlay = NULL;
    if (exit_code == CTN_EXIT_OK)
        ctn_check_run_judge(f->cli, ret_run, f->options);
    return exit_code;
}

static void note(fixing *f, ctn_str path, const ctn_fixes *fixes)
{
    for (size_t i = fixes->count; i-- > 0;) {
        const ctn_fix *x = &fixes->items[i];
        f->lines = ctn_arena_room(f->cli->arena, f->lines, f->line_count, &f->line_capacity, sizeof *f->lines);
        f->lines[f->line_count++] =
            ctn_str_is(x->wrong, "\t")
                ? ctn_arena_printf(f->cli->arena, "%.*s:%u: tabs became spaces in %zu line%s [%s]", CTN_STR_ARG(path),
                                   x->line, x->count, x->count == 1 ? "" : "s", x->rule)
                : ctn_arena_printf(f->cli->arena, "%.*s:%u:%u: '%.*s' became '%.*s' [%s]", CTN_STR_ARG(path), x->line,
                                   x->column, CTN_STR_ARG(x->wrong), CTN_STR_ARG(x->right), x->rule);
    }
}

/* number as in ctn_fix_text. True: it was better and stays, and *run is what was found then. */
static bool try_fix(fixing *f, ctn_check_run *run, ctn_str path, size_t number)
{
    mended *file = file_of(f, path);
    ctn_fixes fixes;
    if (!file || f->tries++ >= TRIES_MAX)
        return false;
    ctn_str before = file->now;
    ctn_str text = ctn_fix_text(f->cli->arena, path, before, &run->findings, number, &fixes);
    if (fixes.count == 0)
        return false;
    ctn_check_run next;
    file->now = text;
    if (look_again(f, &next) == CTN_EXIT_OK && is_better(&next.findings, &run->findings)) {
        note(f, path, &fixes);
        *run = next;
        return true;
    }
    file->now = before;
    return false;
}

static bool try_file(fixing *f, ctn_check_run *run, ctn_str path)
{
    size_t count = ctn_fix_count(&run->findings, path);
    if (try_fix(f, run, path, SIZE_MAX))
        return true;
    for (size_t i = 0; count > 1 && i < count; i++)
        if (try_fix(f, run, path, i))
            return true;
    return false;
}

int ctn_check_fix(ctn_cli *cli, ctn_check_run *run, const ctn_check_options *options)
{
    fixing f = {.cli = cli, .options = options};
    bool goes_on = true;
    for (int round = 0; goes_on && round < ROUNDS_MAX; round++) {
        ctn_names paths;
        ctn_names_init(&paths, cli->arena);
        for (size_t i = 0; i < run->findings.count; i++)
            if (run->findings.items[i].right.len)
                (void) ctn_names_add(&paths, run->findings.items[i].file);
        goes_on = false;
        for (uint32_t i = 0; i < paths.count; i++)
            goes_on |= try_file(&f, run, paths.items[i]);
    }
    for (size_t i = 0; i < f.file_count; i++) {
        ctn_err err = {0};
        if (!ctn_str_equal(f.files[i].before, f.files[i].now) &&
            ctn_file_replace(cli->arena, f.files[i].path, f.files[i].before, f.files[i].now, &err))
            return ctn_cli_fail_err(cli, &err);
    }
    for (size_t i = 0; i < f.line_count; i++)
        ctn_cli_say(cli, "%.*s", CTN_STR_ARG(f.lines[i]));
    if (f.line_count == 0)
        ctn_cli_say(cli, "nothing was mended");
    return CTN_EXIT_OK;
}
