/*
 * outbox.c -- letters as files in a folder, for a person or a program to take from there: one file a message, whole.
 *
 *     FOLDER/20260308T114700Z-email-0f3a5c7788990011.eml    what is to be sent; may be taken away at any time
 *     FOLDER/.sending/NAME                                  being written
 *     FOLDER/.sending/NAME.taken                            empty: NAME was written whole, and moving it was begun
 *
 * In this order, each on the disk before the next: write .sending/NAME, make NAME.taken, move .sending/NAME to
 * FOLDER/NAME. The name is made from the key. Dying
 *     before NAME.taken       leaves nothing in FOLDER: the next try writes it again
 *     before the move         leaves both in .sending: the next try moves it
 *     after the move          leaves NAME.taken alone, which says that it is out, also when FOLDER/NAME was taken away
 * so the message comes into FOLDER once. NAME.taken stays: it holds nothing but the name (docs of the outbox say when
 * it may be deleted). Processes take turns by a lock on .sending, which goes with the process.
 */
#include "followup/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct paths {
    const char *folder, *sending, *part, *mark, *final;
    ctn_str name;
} paths;

static paths paths_of(const travel_outbox_settings *outbox, const travel_letter *letter, ctn_arena *arena)
{
    ctn_str name = travel_letter_file_name(arena, letter);
    ctn_str folder = ctn_arena_str(arena, outbox->folder);
    return (paths){
        .name = name,
        .folder = folder.ptr,
        .sending = ctn_arena_printf(arena, "%s/.sending", folder.ptr).ptr,
        .part = ctn_arena_printf(arena, "%s/.sending/%.*s", folder.ptr, CTN_STR_ARG(name)).ptr,
        .mark = ctn_arena_printf(arena, "%s/.sending/%.*s.taken", folder.ptr, CTN_STR_ARG(name)).ptr,
        .final = ctn_arena_printf(arena, "%s/%.*s", folder.ptr, CTN_STR_ARG(name)).ptr,
    };
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* It is out once it was moved: the mark is there, and nothing waits to be moved. */
static bool is_out(const paths *p)
{
    return is_there(p->mark) && !is_there(p->part);
}

bool travel_outbox_has(const travel_outbox_settings *outbox, const travel_letter *letter, ctn_arena *arena)
{
    paths p = paths_of(outbox, letter, arena);
    return is_out(&p);
}

static int fail(const paths *p, const char *doing, ctn_err *err)
{
    return ctn_fail(err, CTN_E_BUSY, "the outbox %s: %s: %s", p->folder, doing, strerror(errno));
}

static bool make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool write_all(int fd, ctn_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes = ctn_str_from_offset(bytes, n > 0 ? (size_t) n : 0);
    }
    return true;
}

/* A whole file on the disk; what was there is gone. */
static bool write_file(const char *path, ctn_str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool is_written = write_all(fd, bytes) && fsync(fd) == 0;
    return close(fd) == 0 && is_written;
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void) close(fd);
    return is_synced;
}

static int move_in(const paths *p, ctn_str text, ctn_err *err)
{
    if (!write_file(p->part, text) || !sync_folder(p->sending))
        return fail(p, "cannot be written", err);
    if (!write_file(p->mark, (ctn_str){NULL, 0}) || !sync_folder(p->sending))
        return fail(p, "cannot be written", err);
    if (rename(p->part, p->final) != 0 || !sync_folder(p->folder))
        return fail(p, "cannot be written", err);
    return CTN_OK;
}

travel_fate travel_outbox_send(const travel_outbox_settings *outbox, const travel_letter *letter, ctn_arena *arena,
                               ctn_str *ret_reference, ctn_err *err)
{
    paths p = paths_of(outbox, letter, arena);
    int lock = -1, rc = CTN_OK;
    ctn_buf text;
    ctn_buf_init(&text, TRAVEL_LETTER_BYTES_MAX);
    if (!make_folder(p.folder) || !make_folder(p.sending)) {
        rc = fail(&p, "cannot be made (does the folder above it exist, and may you write there?)", err);
        goto done;
    }
    lock = open(p.sending, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        rc = fail(&p, "cannot be locked", err);
        goto done;
    }
    travel_letter_write(letter, arena, &text);
    if (text.overflowed)
        rc = ctn_fail(err, CTN_E_STATE, "the message is longer than %zu bytes", TRAVEL_LETTER_BYTES_MAX);
    else if (!is_out(&p))
        rc = move_in(&p, ctn_buf_str(&text), err);
done:
    if (lock >= 0)
        (void) close(lock);
    ctn_buf_done(&text);
    if (!rc)
        *ret_reference = p.name;
    return rc ? TRAVEL_NOT_SENT : TRAVEL_SENT;
}

int travel_outbox_forget(const travel_outbox_settings *outbox, const travel_letter *letter, ctn_arena *arena,
                         ctn_err *err)
{
    paths p = paths_of(outbox, letter, arena);
    const char *const files[] = {p.part, p.final};
    for (size_t i = 0; i < 2; i++)
        if (unlink(files[i]) != 0 && errno != ENOENT)
            return fail(&p, "a letter cannot be removed", err);
    return CTN_OK;
}
