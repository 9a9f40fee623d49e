/*
 * credentials.c -- see credentials.h. The file is one line, "ID BOX" (ctn_seal_text), of a JSON object of texts by
 * name; it is small, so it is read and written whole, under the lock of byte 0.
 */
#include "host/credentials.h"
#include "base/memory.h"
#include "host/files.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 8 << 20 };
#define WHAT "catena credentials"

struct ctn_credentials {
    ctn_arena *arena;
    ctn_config_keyring *keyring;
    const char *file, *lock_file, *lack;
    int lock_fd; /* -1: not open yet */
    ctn_auth_vault vault;
};

/* ---- locks ---- */

static int lock_byte(ctn_credentials *c, off_t byte, short type, bool waits, ctn_err *err)
{
    if (c->lock_fd < 0)
        c->lock_fd = open(c->lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int rc = c->lock_fd < 0 ? -1 : 0;
    while (rc == 0 && (rc = fcntl(c->lock_fd, waits ? F_OFD_SETLKW : F_OFD_SETLK, &lock)) && errno == EINTR)
        rc = 0;
    if (rc && (errno == EAGAIN || errno == EACCES) && c->lock_fd >= 0)
        return CTN_E_BUSY;
    return rc ? ctn_fail(err, CTN_E_IO, "%s cannot be locked: %s", c->lock_file, strerror(errno)) : CTN_OK;
}

/* Two names may meet in one byte: then they wait for each other, no more. */
static off_t byte_of(ctn_str name)
{
    return 1 + (off_t) (ctn_str_hash(name) % (1u << 30));
}

static int vault_lock(void *ctx, ctn_str name, ctn_err *err)
{
    return lock_byte(ctx, byte_of(name), F_WRLCK, false, err);
}

static void vault_unlock(void *ctx, ctn_str name)
{
    (void) lock_byte(ctx, byte_of(name), F_UNLCK, false, NULL);
}

/* ---- the file ---- */

/* CTN_E_NOT_FOUND, without a sentence: there is none. */
static int read_sealed(const ctn_credentials *c, ctn_arena *arena, ctn_str *ret_text, ctn_err *err)
{
    struct stat st;
    int rc = CTN_OK, fd = open(c->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? CTN_E_NOT_FOUND
                               : ctn_fail(err, CTN_E_IO, "%s cannot be read: %s", c->file, strerror(errno));
    ctn_buf text;
    ctn_buf_init(&text, FILE_BYTES_MAX);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
        rc = ctn_fail(err, CTN_E_INVALID, "%s is no file of credentials", c->file);
    while (rc == CTN_OK) {
        char *to = ctn_buf_reserve(&text, 4096);
        ssize_t got = to ? read(fd, to, 4096) : -1;
        if (got == 0)
            break;
        if (got > 0)
            text.len += (size_t) got;
        else if (!to || errno != EINTR)
            rc = ctn_fail(err, CTN_E_IO, "%s cannot be read", c->file);
    }
    if (rc == CTN_OK)
        *ret_text = ctn_arena_str(arena, ctn_str_trim(ctn_buf_str(&text)));
    ctn_buf_done(&text);
    close(fd);
    return rc;
}

static int read_all(const ctn_credentials *c, ctn_arena *arena, const ctn_json **ret_all, ctn_err *err)
{
    ctn_str sealed, text;
    int rc = read_sealed(c, arena, &sealed, err);
    if (rc == CTN_OK)
        rc = ctn_seal_text_open(ctn_config_keyring_seal(c->keyring), CTN_STR(WHAT), sealed, arena, &text, err);
    if (rc == CTN_OK && (ctn_json_parse(arena, text, NULL, ret_all, NULL) || !ctn_json_is(*ret_all, CTN_JSON_OBJECT)))
        rc = ctn_fail(err, CTN_E_CORRUPT, "what is sealed does not read");
    return rc && rc != CTN_E_NOT_FOUND ? ctn_wrap(err, rc, "the credentials in %s", c->file) : rc;
}

static int replace(const ctn_credentials *c, ctn_arena *arena, ctn_str text, ctn_err *err)
{
    ctn_str file = ctn_str_from(c->file);
    const char *name = ctn_file_write_beside(arena, file, 0600, text);
    if (name && rename(name, c->file) == 0 && ctn_file_sync_folder(arena, file) == 0)
        return CTN_OK;
    int rc = ctn_fail(err, CTN_E_IO, "%s cannot be written: %s", c->file, strerror(errno));
    if (name)
        (void) unlink(name); /* not there any more if only the folder could not be synced */
    return rc;
}

static int write_all(const ctn_credentials *c, ctn_arena *arena, const ctn_json *all, ctn_err *err)
{
    ctn_str sealed;
    if (ctn_json_count(all) == 0)
        return unlink(c->file) && errno != ENOENT ? ctn_fail(err, CTN_E_IO, "%s: %s", c->file, strerror(errno))
                                                  : CTN_OK;
    int rc = ctn_seal_text(ctn_config_keyring_seal(c->keyring), CTN_STR(WHAT), ctn_json_to_str(arena, all), arena,
                           &sealed, err);
    return rc ? rc : replace(c, arena, ctn_arena_printf(arena, "%.*s\n", CTN_STR_ARG(sealed)), err);
}

/* ---- the vault ---- */

static int vault_read(void *ctx, ctn_str name, ctn_arena *arena, ctn_str *ret_text, ctn_err *err)
{
    const ctn_json *all = NULL;
    int rc = read_all(ctx, arena, &all, err);
    if (rc)
        return rc;
    const ctn_json *one = ctn_json_get(all, name);
    if (!one)
        return CTN_E_NOT_FOUND;
    *ret_text = ctn_json_text(one);
    return CTN_OK;
}

static bool is_of(ctn_str name, ctn_str server)
{
    return ctn_str_equal(ctn_str_cut(&name, ' '), server);
}

/* All but `name` (or those of `server`), with `text` for the name if it is not empty. */
static int change(ctn_credentials *c, ctn_str name, ctn_str server, ctn_str text, bool *ret_was_there, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *all = NULL;
    int rc = lock_byte(c, 0, F_WRLCK, true, err);
    if (rc)
        goto done;
    rc = read_all(c, arena, &all, err);
    if (rc && rc != CTN_E_NOT_FOUND)
        goto unlock;
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(all); i++) {
        ctn_str key = ctn_json_text(&all->members[i].key);
        bool is_it = server.len ? is_of(key, server) : ctn_str_equal(key, name);
        *ret_was_there = *ret_was_there || is_it;
        if (!is_it)
            ctn_json_put(&b, key, &all->members[i].value);
    }
    if (text.len)
        ctn_json_put(&b, name, ctn_json_string(arena, text));
    rc = text.len || *ret_was_there ? write_all(c, arena, ctn_json_finish(&b), err) : CTN_OK;
unlock:
    (void) lock_byte(c, 0, F_UNLCK, false, NULL);
done:
    ctn_arena_free(arena);
    return rc;
}

static int vault_write(void *ctx, ctn_str name, ctn_str text, ctn_err *err)
{
    bool was_there = false;
    return change(ctx, name, (ctn_str){0}, text, &was_there, err);
}

int ctn_credentials_forget(ctn_credentials *c, ctn_str server, ctn_err *err)
{
    bool was_there = false;
    int rc = c->lack ? CTN_OK : change(c, (ctn_str){0}, server, (ctn_str){0}, &was_there, err);
    return rc || was_there ? rc : CTN_E_NOT_FOUND;
}

int ctn_credentials_reseal(ctn_credentials *c, ctn_err *err)
{
    ctn_arena *arena = ctn_arena_new(4096);
    const ctn_json *all = NULL;
    int rc = c->lack ? CTN_E_NOT_FOUND : CTN_OK;
    if (rc == CTN_OK && (rc = lock_byte(c, 0, F_WRLCK, true, err)) == CTN_OK) {
        rc = read_all(c, arena, &all, err);
        if (rc == CTN_OK)
            rc = write_all(c, arena, all, err);
        (void) lock_byte(c, 0, F_UNLCK, false, NULL);
    }
    ctn_arena_free(arena);
    return rc == CTN_E_NOT_FOUND ? CTN_OK : rc;
}

/* ---- life ---- */

ctn_credentials *ctn_credentials_new(ctn_str store_file, const ctn_config *config, ctn_teller teller)
{
    ctn_credentials *c = ctn_malloc(sizeof *c);
    *c = (ctn_credentials){.arena = ctn_arena_new(1024), .lock_fd = -1};
    c->keyring = ctn_config_keyring_new(config, teller);
    c->file = ctn_arena_printf(c->arena, "%.*s-credentials", CTN_STR_ARG(store_file)).ptr;
    c->lock_file = ctn_arena_printf(c->arena, "%.*s-credentials-lock", CTN_STR_ARG(store_file)).ptr;
    if (!c->keyring)
        c->lack =
            "tokens are kept sealed only: write `sealing: {key: {file: catena.key}}` into catena.yaml; the key is made "
            "when it is first needed";
    else if (!store_file.len)
        c->lack = "tokens are kept beside the store's file, and this store has none";
    c->vault = (ctn_auth_vault){
        .ctx = c, .read = vault_read, .write = vault_write, .lock = vault_lock, .unlock = vault_unlock};
    return c;
}

const ctn_auth_vault *ctn_credentials_vault(const ctn_credentials *c)
{
    return c->lack ? NULL : &c->vault;
}

const char *ctn_credentials_lack(const ctn_credentials *c)
{
    return c->lack;
}

void ctn_credentials_free(ctn_credentials *c)
{
    if (!c)
        return;
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    ctn_config_keyring_free(c->keyring);
    ctn_arena_free(c->arena);
    free(c);
}
