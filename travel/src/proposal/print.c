/*
 * print.c -- see print.h. The child is started by posix_spawn, watched by a pidfd, and ended by its own pid.
 */
#include "proposal/print.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A private folder with the two files. */
typedef struct folder {
    char path[200], html[220], pdf[220];
} folder;

static int folder_make(folder *ret_folder, ctn_err *err)
{
    const char *base = getenv("TMPDIR");
    int len =
        snprintf(ret_folder->path, sizeof ret_folder->path, "%s/travel-print-XXXXXX", base && *base ? base : "/tmp");
    if (len < 0 || (size_t) len >= sizeof ret_folder->path || !mkdtemp(ret_folder->path)) {
        ret_folder->path[0] = '\0';
        return ctn_fail(err, CTN_E_IO, "no folder for printing could be made: %s", strerror(errno));
    }
    (void) snprintf(ret_folder->html, sizeof ret_folder->html, "%s/in.html", ret_folder->path);
    (void) snprintf(ret_folder->pdf, sizeof ret_folder->pdf, "%s/out.pdf", ret_folder->path);
    return CTN_OK;
}

static void folder_remove(const folder *f)
{
    if (f->path[0] == '\0')
        return;
    (void) unlink(f->html);
    (void) unlink(f->pdf);
    (void) rmdir(f->path);
}

static int write_file(const char *path, ctn_str text, ctn_err *err)
{
    FILE *file = fopen(path, "wbex");
    bool is_written = file && fwrite(text.ptr, 1, text.len, file) == text.len;
    if (file && fclose(file) != 0)
        is_written = false;
    return is_written ? CTN_OK
                      : ctn_fail(err, CTN_E_IO, "what is to be printed cannot be written: %s", strerror(errno));
}

static int read_file(ctn_arena *arena, const char *path, ctn_str *ret_bytes, ctn_err *err)
{
    char chunk[16384];
    ctn_buf bytes;
    FILE *file = fopen(path, "rbe");
    ctn_buf_init(&bytes, TRAVEL_PDF_BYTES_MAX);
    for (size_t got; file && (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        ctn_buf_append(&bytes, (ctn_str){chunk, got});
    int rc = CTN_OK;
    if (bytes.overflowed)
        rc = ctn_fail(err, CTN_E_LIMIT, "the PDF has more than %d bytes", TRAVEL_PDF_BYTES_MAX);
    else if (!file || ferror(file) || !ctn_str_starts_with(ctn_buf_str(&bytes), CTN_STR("%PDF-")))
        rc = ctn_fail(err, CTN_E_IO, "no PDF came out of printing");
    else
        *ret_bytes = ctn_arena_str(arena, ctn_buf_str(&bytes));
    if (file)
        (void) fclose(file);
    ctn_buf_done(&bytes);
    return rc;
}

static int start(const char *program, folder *f, pid_t *ret_pid, ctn_err *err)
{
    char home[240], path[1024];
    const char *path_now = getenv("PATH");
    (void) snprintf(home, sizeof home, "HOME=%s", f->path);
    (void) snprintf(path, sizeof path, "PATH=%s", path_now ? path_now : "/usr/bin:/bin");
    char encoding[] = "--encoding", utf8[] = "utf-8", lang[] = "LANG=C.UTF-8", epoch[] = "SOURCE_DATE_EPOCH=0";
    char *name = (char[200]){0};
    (void) snprintf(name, 200, "%s", program);
    char *argv[] = {name, encoding, utf8, f->html, f->pdf, NULL};
    char *environment[] = {home, path, lang, epoch, NULL};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    int failed = posix_spawnp(ret_pid, program, &files, NULL, argv, environment);
    posix_spawn_file_actions_destroy(&files);
    if (failed == ENOENT)
        return ctn_fail(err, CTN_E_NOT_FOUND, "%s is not installed", program);
    return failed ? ctn_fail(err, CTN_E_IO, "%s does not start: %s", program, strerror(failed)) : CTN_OK;
}

static int finish(const char *program, pid_t pid, ctn_err *err)
{
    int status = 0, watched = (int) syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = watched, .events = POLLIN};
    bool is_late = watched >= 0 && poll(&p, 1, TRAVEL_PRINT_TIMEOUT_MS) == 0;
    if (is_late)
        (void) kill(pid, SIGKILL);
    if (watched >= 0)
        close(watched);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (is_late)
        return ctn_fail(err, CTN_E_TIMEOUT, "%s took more than %d s", program, TRAVEL_PRINT_TIMEOUT_MS / 1000);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return ctn_fail(err, CTN_E_NOT_FOUND, "%s is not installed", program);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return ctn_fail(err, CTN_E_IO, "%s failed", program);
    return CTN_OK;
}

int travel_print_pdf(ctn_arena *arena, const char *program, ctn_str html, ctn_str *ret_pdf, ctn_err *err)
{
    folder f = {0};
    pid_t pid;
    int rc = folder_make(&f, err);
    if (!rc)
        rc = write_file(f.html, html, err);
    if (!rc)
        rc = start(program, &f, &pid, err);
    if (!rc)
        rc = finish(program, pid, err);
    if (!rc)
        rc = read_file(arena, f.pdf, ret_pdf, err);
    folder_remove(&f);
    return rc;
}
