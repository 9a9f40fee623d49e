/*
 * Any bytes as WWW-Authenticate, as a form and as a redirect's query: no crash, and what a form gives stands in it
 * again when it is written.
 */
#include "wire/challenge.h"
#include "wire/form.h"
#include "wire/oauth.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str text = {(const char *) data, size}, value, again;
    ctn_challenge c;
    ctn_err err;
    if (ctn_challenge_read(arena, text, &c) && c.error.len + c.scope.len + c.resource_metadata.len > size)
        abort();
    if (ctn_form_get(arena, text, "code", &value) == CTN_OK) {
        ctn_buf form;
        ctn_buf_init(&form, 3 * size + 16);
        ctn_form_put(&form, true, "code", value);
        if (ctn_form_get(arena, ctn_buf_str(&form), "code", &again) || !ctn_str_equal(value, again))
            abort();
        ctn_buf_done(&form);
    }
    ctn_oauth_issuer issuer = {.issuer = CTN_STR("i")};
    ctn_oauth_proof proof = {.state = CTN_STR("s")};
    if (ctn_oauth_redirect_read(arena, text, &issuer, &proof, &value, &err) == CTN_OK && value.len == 0)
        abort();
    ctn_str all = ctn_scopes_union(arena, text, text);
    if (!ctn_str_equal(ctn_scopes_union(arena, all, text), all))
        abort();
    ctn_arena_free(arena);
    return 0;
}
