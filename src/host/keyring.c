/*
 * keyring.c -- see keyring.h.
 *
 * A process that holds keys leaves no core file behind: its soft limit of core files is one byte, at which the kernel
 * neither writes one nor hands it to a program. Programs that it starts were forked by the spawner before that.
 */
#include "host/keyring.h"
#include "base/memory.h"
#include "host/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct ctn_config_keyring {
    ctn_teller teller;
    ctn_keyring ring;
    ctn_arena *arena;
    const char *file;     /* NULL: it is a variable */
    const char *variable; /* NULL: it is a file */
    ctn_seal *seal;
};

static void forbid_core_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur > 1) {
        limit.rlim_cur = 1;
        (void) setrlimit(RLIMIT_CORE, &limit);
    }
}

/* ---- a variable ---- */

static int read_variable(void *ctx, ctn_buf *ret_text, ctn_err *err)
{
    const ctn_config_keyring *k = ctx;
    const char *text = getenv(k->variable);
    if (!text || !*text)
        return CTN_E_NOT_FOUND;
    for (const char *p = text; *p; p++) /* a variable has one line: a comma ends one here */
        ctn_buf_append_char(ret_text, *p == ',' ? '\n' : *p);
    forbid_core_files();
    return ret_text->overflowed ? ctn_fail(err, CTN_E_LIMIT, "%s is too long", k->ring.name) : CTN_OK;
}

/* ---- a file ---- */

static int check_mode(const ctn_config_keyring *k, int fd, ctn_err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return ctn_fail(err, CTN_E_IO, "%s cannot be read: %s", k->ring.name, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return ctn_fail(err, CTN_E_INVALID, "%s is no file", k->ring.name);
    if (st.st_mode & 077)
        return ctn_fail(err, CTN_E_DENIED, "%s can be read by others (mode %03o): chmod 600 %s", k->ring.name,
                        (unsigned) st.st_mode & 0777, k->file);
    return CTN_OK;
}

static int read_file(void *ctx, ctn_buf *ret_text, ctn_err *err)
{
    const ctn_config_keyring *k = ctx;
    int fd = open(k->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? CTN_E_NOT_FOUND
                               : ctn_fail(err, CTN_E_IO, "%s cannot be read: %s", k->ring.name, strerror(errno));
    int rc = check_mode(k, fd, err);
    while (rc == CTN_OK) {
        char *room = ctn_buf_reserve(ret_text, 1);
        size_t free_bytes = room ? ret_text->capacity - ret_text->len : 0;
        ssize_t n = room ? read(fd, room, free_bytes) : -1;
        if (n == 0)
            break;
        if (n > 0)
            ret_text->len += (size_t) n;
        else if (!room)
            rc = ctn_fail(err, CTN_E_LIMIT, "%s is too large for a keyring", k->ring.name);
        else if (errno != EINTR)
            rc = ctn_fail(err, CTN_E_IO, "%s cannot be read: %s", k->ring.name, strerror(errno));
    }
    close(fd);
    forbid_core_files();
    return rc;
}

/* Beside it and whole, then in its place: the first one by a link, which replaces nothing. */
static int write_file(void *ctx, ctn_str text, bool is_first, ctn_err *err)
{
    const ctn_config_keyring *k = ctx;
    ctn_arena *arena = ctn_arena_new(1024);
    char *name = (char *) ctn_arena_printf(arena, "%s.XXXXXX", k->file).ptr;
    int rc = CTN_OK, fd = mkostemp(name, O_CLOEXEC); /* 0600 */
    if (fd < 0) {
        rc = ctn_fail(err, CTN_E_IO, "%s cannot be made: %s", k->ring.name, strerror(errno));
        goto done;
    }
    bool is_whole = ctn_file_write_all(fd, text) == 0;
    is_whole = close(fd) == 0 && is_whole;
    if (is_whole && is_first && link(name, k->file) && errno == EEXIST)
        rc = CTN_E_EXISTS;
    else if (is_whole && !is_first)
        is_whole = rename(name, k->file) == 0;
    else if (is_whole)
        is_whole = access(k->file, F_OK) == 0;
    if (is_first || !is_whole)
        (void) unlink(name);
    if (!is_whole || (rc == CTN_OK && ctn_file_sync_folder(arena, ctn_str_from(k->file))))
        rc = ctn_fail(err, CTN_E_IO, "%s cannot be written: %s", k->ring.name, strerror(errno));
done:
    ctn_arena_free(arena);
    return rc;
}

static uint64_t stamp_file(void *ctx)
{
    const ctn_config_keyring *k = ctx;
    struct stat st;
    if (stat(k->file, &st))
        return 0;
    uint64_t stamp = (uint64_t) st.st_mtim.tv_sec * 1000000000u + (uint64_t) st.st_mtim.tv_nsec;
    return stamp ^ (uint64_t) st.st_ino << 1 ^ (uint64_t) st.st_size << 40;
}

static void on_made(void *ctx)
{
    const ctn_config_keyring *k = ctx;
    ctn_tell(k->teller, CTN_TELL_NEWS,
             "%s was made; sensitive values are sealed with it. Keep a copy of it elsewhere: without it they are lost",
             k->ring.name);
}

/* ---- both ---- */

ctn_config_keyring *ctn_config_keyring_new(const ctn_config *config, ctn_teller teller)
{
    if (!config->key_file.len && !config->key_env.len)
        return NULL;
    ctn_config_keyring *k = ctn_malloc(sizeof *k);
    *k = (ctn_config_keyring){.teller = teller, .arena = ctn_arena_new(512)};
    if (config->key_file.len) {
        k->file = ctn_arena_str(k->arena, config->key_file).ptr;
        k->ring = (ctn_keyring){.ctx = k,
                                .name = ctn_arena_printf(k->arena, "the key file %s", k->file).ptr,
                                .read = read_file,
                                .write = write_file,
                                .stamp = stamp_file,
                                .on_made = on_made};
    } else {
        k->variable = ctn_arena_str(k->arena, config->key_env).ptr;
        k->ring = (ctn_keyring){
            .ctx = k, .name = ctn_arena_printf(k->arena, "the variable %s", k->variable).ptr, .read = read_variable};
    }
    k->seal = ctn_seal_new(&k->ring);
    return k;
}

ctn_seal *ctn_config_keyring_seal(const ctn_config_keyring *keyring)
{
    return keyring ? keyring->seal : NULL;
}

const char *ctn_config_keyring_name(const ctn_config_keyring *keyring)
{
    return keyring->ring.name;
}

int64_t ctn_config_keyring_changed_at_ms(const ctn_config_keyring *keyring)
{
    struct stat st;
    return keyring->file && stat(keyring->file, &st) == 0 ? (int64_t) st.st_mtim.tv_sec * 1000 : 0;
}

void ctn_config_keyring_free(ctn_config_keyring *keyring)
{
    if (!keyring)
        return;
    ctn_seal_free(keyring->seal);
    ctn_arena_free(keyring->arena);
    free(keyring);
}
