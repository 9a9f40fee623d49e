/*
 * Sealing: what a store holds of a sensitive value opens with its key, in its place, and in no other way; and the keys
 * change under whoever uses them, whoever dies meanwhile.
 */
#include "suite.h"
#include "base/memory.h"
#include "store/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a keyring in memory ---- */

typedef struct ring {
    ctn_keyring keyring;
    char text[4096];
    size_t reads, writes, made;
    uint64_t stamp;
    bool refuses; /* what is written is not kept */
} ring;

static int ring_read(void *ctx, ctn_buf *ret_text, ctn_err *err)
{
    ring *r = ctx;
    (void) err;
    r->reads++;
    if (!r->text[0])
        return CTN_E_NOT_FOUND;
    ctn_buf_append(ret_text, ctn_str_from(r->text));
    return CTN_OK;
}

static int ring_write(void *ctx, ctn_str text, bool is_first, ctn_err *err)
{
    ring *r = ctx;
    if (is_first && r->text[0])
        return CTN_E_EXISTS;
    if (r->refuses)
        return ctn_fail(err, CTN_E_IO, "the ring cannot be written");
    snprintf(r->text, sizeof r->text, "%.*s", CTN_STR_ARG(text));
    r->writes++;
    r->stamp++;
    return CTN_OK;
}

static uint64_t ring_stamp(void *ctx)
{
    return ((ring *) ctx)->stamp;
}
static void ring_made(void *ctx)
{
    ((ring *) ctx)->made++;
}

static ring *ring_new(void)
{
    ring *r = ctn_malloc(sizeof *r);
    memset(r, 0, sizeof *r);
    r->keyring = (ctn_keyring){.ctx = r,
                               .name = "the ring",
                               .read = ring_read,
                               .write = ring_write,
                               .stamp = ring_stamp,
                               .on_made = ring_made};
    return r;
}

/* ---- helpers ---- */

/* An execution with a data key, made by this seal. */
static ctn_seal_key make(suite_fixture *f, ctn_seal *seal, int64_t exec_no)
{
    ctn_seal_key key;
    ctn_data_key wrapped;
    ctn_execution_row row = suite_row(exec_no);
    assert_ok(ctn_seal_key_make(seal, f->st, row.id, f->arena, &key, &wrapped, &err_));
    ctn_append append = {.exec_no = exec_no,
                         .epoch = f->epoch,
                         .row = &row,
                         .records = suite_records(f->arena, exec_no, 0, NULL, 1),
                         .count = 1,
                         .data_key = &wrapped};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    return key;
}

static bool has_key(suite_fixture *f, ctn_seal *seal, int64_t exec_no, const ctn_seal_key *expected)
{
    ctn_seal_key key;
    int rc = ctn_seal_key_read(seal, f->second, exec_no, suite_id((uint32_t) exec_no), &key, NULL);
    return rc == CTN_OK && memcmp(key.bytes, expected->bytes, sizeof key.bytes) == 0;
}

static ctn_record seal_one(suite_fixture *f, const ctn_seal_key *key, uint64_t seq, const char *body,
                           const char *const *pointers, size_t count)
{
    ctn_entry e = {.kind = CTN_ENTRY_ATTEMPT_SUCCEEDED, .seq = seq, .at_ms = 5, .step = CTN_STR("s"), .item = -1};
    assert_int_equal(ctn_json_parse(f->arena, ctn_str_from(body), NULL, &e.body, NULL), CTN_OK);
    ctn_places places = {.items = CTN_NEW_ARRAY(f->arena, ctn_place, count), .count = count};
    for (size_t i = 0; i < count; i++)
        places.items[i] = (ctn_place){ctn_str_from(pointers[i]), ctn_json_pointer(e.body, ctn_str_from(pointers[i]))};
    return ctn_seal_record(key, suite_id(1), &e, &places, NULL, f->arena);
}

/* ---- boxes ---- */

static const char BODY[] = "{\"variables\":{\"a/b\":\"PLANTED\",\"city\":\"Oslo\",\"n\":[1,{\"x\":null}]}}";
static const char *const POINTERS[] = {"/variables/a~1b", "/variables/n"};

static void what_is_sealed_opens_to_the_same_bytes(void **state)
{
    suite_fixture *f = *state;
    ctn_seal_key key = {{1, 2, 3}};
    ctn_record sealed = seal_one(f, &key, 7, BODY, POINTERS, 2), opened;
    assert_true(ctn_str_find(sealed.body, CTN_STR("PLANTED")) == SIZE_MAX);
    assert_true(ctn_str_find(sealed.body, CTN_STR("Oslo")) != SIZE_MAX);
    assert_true(ctn_str_find(sealed.sealed, CTN_STR("PLANTED")) == SIZE_MAX);
    ctn_digest hash = ctn_record_hash(&sealed, NULL); /* the chain of hashes is over the commitments */
    assert_memory_equal(hash.bytes, sealed.hash.bytes, sizeof hash.bytes);
    assert_ok(ctn_seal_open(&key, suite_id(1), &sealed, f->arena, &opened, &err_));
    assert_int_equal(opened.body.len, strlen(BODY));
    assert_memory_equal(opened.body.ptr, BODY, strlen(BODY));
    assert_int_equal(opened.sealed.len, 0);
}

/* The same value twice is not to be seen: neither by its commitment nor by its box. */
static void equal_values_look_different(void **state)
{
    suite_fixture *f = *state;
    ctn_seal_key key = {{9}};
    static const char *const both[] = {"/variables/a", "/variables/b"};
    ctn_record r = seal_one(f, &key, 1, "{\"variables\":{\"a\":\"same\",\"b\":\"same\"}}", both, 2);
    ctn_record again = seal_one(f, &key, 1, "{\"variables\":{\"a\":\"same\",\"b\":\"same\"}}", both, 2);
    const ctn_json *body = NULL;
    assert_int_equal(ctn_json_parse(f->arena, r.body, NULL, &body, NULL), CTN_OK);
    assert_false(ctn_json_equal(ctn_json_pointer(body, CTN_STR("/variables/a")),
                                ctn_json_pointer(body, CTN_STR("/variables/b"))));
    assert_false(ctn_str_equal(r.body, again.body));
    assert_false(ctn_str_equal(r.sealed, again.sealed));
}

static int opens(suite_fixture *f, const ctn_seal_key *key, ctn_execution_id id, ctn_record r)
{
    ctn_record opened;
    ctn_err err = {0};
    int rc = ctn_seal_open(key, id, &r, f->arena, &opened, &err);
    if (rc)
        assert_true(strstr(err.message, "PLANTED") == NULL);
    return rc;
}

static void what_was_altered_or_moved_does_not_open(void **state)
{
    suite_fixture *f = *state;
    ctn_seal_key key = {{1, 2, 3}}, other = {{1, 2, 4}};
    ctn_record r = seal_one(f, &key, 7, BODY, POINTERS, 2), changed = r;
    assert_int_equal(opens(f, &key, suite_id(1), r), CTN_OK);
    assert_int_equal(opens(f, &other, suite_id(1), r), CTN_E_CORRUPT);
    assert_int_equal(opens(f, &key, suite_id(2), r), CTN_E_CORRUPT); /* of another execution */
    changed.seq = 8;                                                 /* of another entry */
    assert_int_equal(opens(f, &key, suite_id(1), changed), CTN_E_CORRUPT);
    ctn_record others = seal_one(f, &key, 7, BODY, POINTERS, 2);
    changed = r;
    changed.body = others.body; /* with another commitment */
    assert_int_equal(opens(f, &key, suite_id(1), changed), CTN_E_CORRUPT);
    size_t swaps = 0;
    for (size_t at = 0; at < r.sealed.len; at += 7) { /* any byte of the list */
        char *text = (char *) ctn_arena_str(f->arena, r.sealed).ptr;
        text[at] = text[at] == 'A' ? 'B' : 'A';
        changed = r;
        changed.sealed.ptr = text;
        swaps += opens(f, &key, suite_id(1), changed) == CTN_OK;
    }
    assert_true(swaps <= 3); /* the names "at" and "box" of an item, changed, take the box away: that is "shredded" */
}

static void a_shredded_value_reads_so(void **state)
{
    suite_fixture *f = *state;
    ctn_seal_key key = {{1, 2, 3}};
    ctn_record r = seal_one(f, &key, 7, BODY, POINTERS, 2), opened;
    r.sealed = ctn_sealed_without_boxes(f->arena, r.sealed);
    assert_ok(ctn_seal_open(&key, suite_id(1), &r, f->arena, &opened, &err_));
    assert_true(ctn_str_find(opened.body, CTN_STR("\"a/b\":\"(shredded)\"")) != SIZE_MAX);
    assert_true(ctn_str_find(opened.body, CTN_STR("Oslo")) != SIZE_MAX);
}

/* ---- keys ---- */

static void the_first_key_is_made_once_and_told(void **state)
{
    suite_fixture *f = *state;
    ring *r = ring_new();
    ctn_seal *seal = ctn_seal_new(&r->keyring), *other = ctn_seal_new(&r->keyring);
    ctn_seal_key one = make(f, seal, 1), two = make(f, other, 2);
    assert_int_equal(r->made, 1);
    assert_true(has_key(f, other, 1, &one));
    assert_true(has_key(f, seal, 2, &two));
    assert_true(memcmp(one.bytes, two.bytes, sizeof one.bytes) != 0);
    ctn_seal_free(seal);
    ctn_seal_free(other);
    free(r);
}

/* A ring that is gone is not made anew while something is sealed with it. */
static void a_lost_ring_is_an_error_that_says_so(void **state)
{
    suite_fixture *f = *state;
    ring *r = ring_new();
    ctn_seal *seal = ctn_seal_new(&r->keyring);
    ctn_seal_key key = make(f, seal, 1), again;
    ctn_data_key wrapped;
    ctn_err err = {0};
    ctn_seal_free(seal);
    char kept[sizeof r->text];
    memcpy(kept, r->text, sizeof kept);
    r->text[0] = '\0';
    r->stamp++;
    seal = ctn_seal_new(&r->keyring);
    assert_int_equal(ctn_seal_key_make(seal, f->st, suite_id(2), f->arena, &again, &wrapped, &err), CTN_E_DENIED);
    assert_non_null(strstr(err.message, "the ring is not there"));
    assert_int_equal(ctn_seal_key_read(seal, f->st, 1, suite_id(1), &again, &err), CTN_E_DENIED);
    assert_non_null(strstr(err.message, "put back the copy"));
    assert_int_equal(r->text[0], '\0');
    memcpy(r->text, kept, sizeof kept); /* put back under a running owner */
    assert_true(has_key(f, seal, 1, &key));
    snprintf(r->text, sizeof r->text, "k1 nonsense\n");
    r->stamp++;
    assert_int_equal(ctn_seal_key_make(seal, f->st, suite_id(2), f->arena, &again, &wrapped, &err), CTN_E_INVALID);
    assert_non_null(strstr(err.message, "line 1 of the ring is no key"));
    ctn_seal_free(seal);
    free(r);
}

static void a_key_of_another_execution_opens_nothing(void **state)
{
    suite_fixture *f = *state;
    ring *r = ring_new();
    ctn_seal *seal = ctn_seal_new(&r->keyring);
    (void) make(f, seal, 1);
    ctn_data_key one;
    ctn_seal_key key;
    assert_ok(ctn_store_data_key_get(f->st, f->arena, 1, &one, &err_));
    ctn_execution_row row = suite_row(2);
    ctn_append append = {.exec_no = 2,
                         .epoch = f->epoch,
                         .row = &row,
                         .records = suite_records(f->arena, 2, 0, NULL, 1),
                         .count = 1,
                         .data_key = &one};
    assert_int_equal(suite_append(f->st, &append), CTN_OUTCOME_ACCEPTED);
    assert_int_equal(ctn_seal_key_read(seal, f->st, 2, suite_id(2), &key, NULL), CTN_E_CORRUPT);
    assert_int_equal(ctn_seal_key_read(seal, f->st, 3, suite_id(3), &key, NULL), CTN_E_NOT_FOUND);
    ctn_seal_free(seal);
    free(r);
}

/* ---- rekey ---- */

enum { MANY = 300 };

static void a_rekey_wraps_everything_under_a_running_owner(void **state)
{
    suite_fixture *f = *state;
    ring *r = ring_new();
    ctn_seal *owner = ctn_seal_new(&r->keyring), *keeper = ctn_seal_new(&r->keyring);
    ctn_seal_key *keys = ctn_malloc((MANY + 3) * sizeof *keys);
    ctn_str digest, after, box, text;
    ctn_rekey done;
    ctn_err err = {0};
    for (int64_t i = 1; i <= MANY; i++)
        keys[i] = make(f, owner, i);
    assert_ok(ctn_seal_digest(owner, f->st, CTN_STR("Ann"), f->arena, &digest, &err_));
    assert_ok(ctn_seal_own_text(owner, f->st, CTN_STR("a webhook"), CTN_STR("hush"), f->arena, &box, &err_));
    assert_int_equal(ctn_seal_drop_old(keeper, f->second, &done, &err), CTN_OK); /* there is only one */
    assert_ok(ctn_seal_rekey(keeper, f->second, true, f->arena, &done, &err_));
    assert_int_equal(done.rewrapped, MANY + 1); /* and the store's own */
    /* the owner sees the new key without being told */
    keys[MANY + 1] = make(f, owner, MANY + 1);
    ctn_data_key wrapped;
    assert_ok(ctn_store_data_key_get(f->st, f->arena, MANY + 1, &wrapped, &err_));
    assert_true(ctn_str_equal(wrapped.master_id, done.id));
    assert_ok(ctn_seal_rekey(keeper, f->second, false, f->arena, &done, &err_));
    assert_int_equal(done.rewrapped, 0);
    assert_ok(ctn_seal_drop_old(keeper, f->second, &done, &err_));
    assert_int_equal(done.dropped, 1);
    ctn_seal *fresh = ctn_seal_new(&r->keyring);
    for (int64_t i = 1; i <= MANY + 1; i++)
        assert_true(has_key(f, i % 2 ? owner : fresh, i, &keys[i]));
    assert_ok(ctn_seal_digest(fresh, f->st, CTN_STR("Ann"), f->arena, &after, &err_));
    assert_true(ctn_str_equal(digest, after));
    assert_ok(ctn_seal_own_text_open(fresh, f->st, CTN_STR("a webhook"), box, f->arena, &text, &err_));
    assert_true(ctn_str_is(text, "hush"));
    assert_int_equal(ctn_seal_own_text_open(fresh, f->st, CTN_STR("another"), box, f->arena, &text, &err),
                     CTN_E_CORRUPT);
    ctn_seal_free(owner);
    ctn_seal_free(keeper);
    ctn_seal_free(fresh);
    free(keys);
    free(r);
}

/* A process of its own, ended at any moment. The parent has no store open meanwhile: SQLite does not live across fork.
 */
static void rekey_and_be_killed(suite_fixture *f, ring *r, useconds_t after_us)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ctn_store *st = NULL;
        ctn_rekey done;
        ctn_seal *seal = ctn_seal_new(&r->keyring);
        bool went_well = ctn_store_open(f->url, CTN_STORE_WRITE, &st, NULL) == CTN_OK &&
                         ctn_seal_rekey(seal, st, true, ctn_arena_new(1024), &done, NULL) == CTN_OK;
        _exit(went_well ? 0 : 1);
    }
    usleep(after_us);
    kill(pid, SIGKILL);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

/* Every key opens with the ring as it is then, and nothing is dropped that is still used. */
static void a_rekey_that_is_killed_leaves_everything_readable(void **state)
{
    suite_fixture *f = *state;
    ring *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(r != MAP_FAILED);
    ring *made = ring_new();
    *r = *made;
    r->keyring.ctx = r;
    free(made);
    ctn_seal *owner = ctn_seal_new(&r->keyring);
    ctn_seal_key *keys = ctn_malloc((MANY + 1) * sizeof *keys);
    ctn_rekey done;
    size_t halfway = 0;
    for (int64_t i = 1; i <= MANY; i++)
        keys[i] = make(f, owner, i);
    for (useconds_t round = 0; round < 20; round++) {
        ctn_store_close(f->st);
        ctn_store_close(f->second);
        f->st = f->second = NULL;
        rekey_and_be_killed(f, r, 500 * round);
        assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &f->st, &err_));
        assert_ok(ctn_store_open(f->url, CTN_STORE_WRITE, &f->second, &err_));
        ctn_seal *fresh = ctn_seal_new(&r->keyring);
        for (int64_t i = 1; i <= MANY; i++)
            assert_true(has_key(f, fresh, i, &keys[i]));
        halfway += r->text[0] && ctn_seal_drop_old(fresh, f->st, &done, NULL) == CTN_E_STATE;
        ctn_seal_free(fresh);
    }
    print_message("20 kills, %zu while data keys were wrapped by more than one key\n", halfway);
    assert_ok(ctn_seal_rekey(owner, f->st, false, f->arena, &done, &err_));
    assert_ok(ctn_seal_drop_old(owner, f->st, &done, &err_));
    for (int64_t i = 1; i <= MANY; i++)
        assert_true(has_key(f, owner, i, &keys[i]));
    ctn_seal_free(owner);
    free(keys);
    munmap(r, sizeof *r);
}

static void a_ring_that_cannot_be_written_changes_nothing(void **state)
{
    suite_fixture *f = *state;
    ring *r = ring_new();
    ctn_seal *seal = ctn_seal_new(&r->keyring);
    ctn_seal_key key = make(f, seal, 1);
    ctn_rekey done;
    ctn_data_key before, after;
    assert_ok(ctn_store_data_key_get(f->st, f->arena, 1, &before, &err_));
    r->refuses = true;
    assert_int_equal(ctn_seal_rekey(seal, f->st, true, f->arena, &done, NULL), CTN_E_IO);
    assert_ok(ctn_store_data_key_get(f->st, f->arena, 1, &after, &err_));
    assert_true(
        ctn_str_equal(before.wrapped, after.wrapped)); /* the key is in the ring before anything is wrapped by it */
    assert_true(has_key(f, seal, 1, &key));
    ctn_seal_free(seal);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUITE_TEST_SQLITE(what_is_sealed_opens_to_the_same_bytes),
        SUITE_TEST_SQLITE(equal_values_look_different),
        SUITE_TEST_SQLITE(what_was_altered_or_moved_does_not_open),
        SUITE_TEST_SQLITE(a_shredded_value_reads_so),
        SUITE_TEST_SQLITE(the_first_key_is_made_once_and_told),
        SUITE_TEST_SQLITE(a_lost_ring_is_an_error_that_says_so),
        SUITE_TEST_SQLITE(a_key_of_another_execution_opens_nothing),
        SUITE_TEST_SQLITE(a_rekey_wraps_everything_under_a_running_owner),
        SUITE_TEST_SQLITE(a_rekey_that_is_killed_leaves_everything_readable),
        SUITE_TEST_SQLITE(a_ring_that_cannot_be_written_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
