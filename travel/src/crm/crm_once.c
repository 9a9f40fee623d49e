/*
 * crm_once.c -- a call with an idempotency key: its answer is kept with what it changed, see travel_crm_once.
 *
 * The digest of the arguments is keyed by nothing, so it would let somebody who guesses a short text prove the guess:
 * erasing a client removes the digests of its calls and leaves the answers.
 */
#include "crm/crm_db.h"

#include "base/hash.h"

enum { KEY_BYTES_MAX = 200 };

static ctn_digest_text digest_of(const ctn_json *arguments)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_buf text;
    for (size_t i = 0; ctn_json_is(arguments, CTN_JSON_OBJECT) && i < arguments->count; i++)
        if (!ctn_str_is(ctn_json_text(&arguments->members[i].key), "key"))
            ctn_json_put(&b, ctn_json_text(&arguments->members[i].key), &arguments->members[i].value);
    ctn_buf_init(&text, SIZE_MAX / 2);
    ctn_json_write_canonical(&text, ctn_json_finish(&b));
    ctn_digest_text digest = ctn_digest_to_text(ctn_hash(ctn_buf_str(&text)));
    ctn_buf_done(&text);
    ctn_arena_free(arena);
    return digest;
}

/* CTN_E_NOT_FOUND: the key is new. */
static int kept_answer(travel_crm *crm, ctn_arena *arena, const travel_once *once, ctn_str digest,
                       const ctn_json **ret_answer, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err, "SELECT digest, answer FROM answers WHERE tool = ?1 AND key = ?2", "tt",
                       ctn_str_from(once->tool), once->key);
    if (!rc) {
        ctn_str kept = crm_text(arena, &q, 0);
        if (ctn_str_is(kept, "undone"))
            rc = ctn_fail(err, CTN_E_STATE, "the call with this idempotency key was undone before it arrived");
        else if (kept.len > 0 && !ctn_str_equal(kept, digest))
            rc =
                ctn_fail(err, CTN_E_EXISTS,
                         "this idempotency key was used with other arguments before: nothing was changed; use a new key"
                         " for a new call");
        else
            *ret_answer = crm_json(arena, &q, 1);
    }
    crm_done(&q);
    return rc;
}

static ctn_str client_of(const travel_once *once, const ctn_json *answer)
{
    return ctn_json_str_or(answer, "client_id", ctn_json_str_or(once->arguments, "client_id", CTN_STR("")));
}

static int keep_answer(travel_crm *crm, ctn_arena *arena, const travel_once *once, ctn_str digest,
                       const ctn_json *answer, ctn_err *err)
{
    return crm_run(crm, err,
                   "INSERT INTO answers(tool, key, digest, client_id, answer, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                   "tttntm", ctn_str_from(once->tool), once->key, digest, client_of(once, answer),
                   ctn_json_to_str(arena, answer), once->now_ms);
}

static int work_and_note(travel_crm *crm, ctn_arena *arena, const travel_once *once, const ctn_json **ret_answer,
                         ctn_err *err)
{
    int rc = once->work(once->ctx, arena, ret_answer, err);
    if (!rc)
        rc = crm_note_key(crm, client_of(once, *ret_answer), once->key, err);
    if (!rc)
        rc = crm_note_key(crm, client_of(once, *ret_answer), once->call_key, err);
    return rc;
}

int crm_answer_undo(travel_crm *crm, ctn_arena *arena, const char *tool, ctn_str key, int64_t now_ms,
                    const ctn_json **ret_answer, ctn_err *err)
{
    crm_query q;
    int rc = crm_first(crm, &q, err, "SELECT answer FROM answers WHERE tool = ?1 AND key = ?2", "tt",
                       ctn_str_from(tool), key);
    if (!rc)
        *ret_answer = crm_json(arena, &q, 0);
    crm_done(&q);
    if (rc != CTN_E_NOT_FOUND)
        return rc;
    *ret_answer = NULL;
    return crm_run(crm, err, "INSERT INTO answers(tool, key, digest, answer, at) VALUES(?1, ?2, 'undone', '{}', ?3)",
                   "ttm", ctn_str_from(tool), key, now_ms);
}

int travel_crm_once(travel_crm *crm, ctn_arena *arena, const travel_once *once, const ctn_json **ret_answer,
                    bool *ret_is_repeated, ctn_err *err)
{
    *ret_is_repeated = false;
    if (once->key.len > KEY_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "the idempotency key has %zu bytes, at most %d", once->key.len,
                        KEY_BYTES_MAX);
    int rc = travel_crm_begin(crm, err);
    if (rc)
        return rc;
    if (once->key.len == 0) {
        rc = work_and_note(crm, arena, once, ret_answer, err);
    } else {
        ctn_digest_text digest = digest_of(once->arguments);
        rc = kept_answer(crm, arena, once, ctn_str_from(digest.text), ret_answer, err);
        *ret_is_repeated = rc == CTN_OK;
        if (rc == CTN_E_NOT_FOUND) {
            rc = work_and_note(crm, arena, once, ret_answer, err);
            if (!rc)
                rc = keep_answer(crm, arena, once, ctn_str_from(digest.text), *ret_answer, err);
        }
    }
    return travel_crm_end(crm, rc, err);
}
