/*
 * Any bytes as the headers and body of a webhook, and as a traceparent: no crash; nothing passes that was not signed
 * with the secret; a trace that is taken is written as it was read.
 */
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "core/trace.h"
#include "wire/signature.h"

#define NOW_S INT64_C(1800000000)

static void try_trace(ctn_str text)
{
    ctn_trace_context context, again;
    if (!ctn_trace_parse(text, &context))
        return;
    ctn_trace_text written = ctn_trace_to_text(&context);
    if (!ctn_trace_parse(ctn_str_from(written.text), &again) || again.is_sampled != context.is_sampled ||
        memcmp(&again.trace, &context.trace, sizeof again.trace) != 0 ||
        memcmp(&again.span, &context.span, sizeof again.span) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ctn_str secrets[] = {{"whsec_c2VjcmV0", 14}, {"plain", 5}};
    ctn_arena *arena = ctn_arena_new(4096);
    ctn_str rest = {(const char *) data, size};
    try_trace(rest);
    ctn_signed what = {.id = ctn_str_cut(&rest, '\n'), .timestamp = ctn_str_cut(&rest, '\n')};
    what.signature = ctn_str_cut(&rest, '\n');
    what.body = rest;
    for (int scheme = CTN_SIGNATURE_STANDARD; scheme <= CTN_SIGNATURE_HMAC; scheme++)
        for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
            if (!ctn_signature_fault((ctn_signature_scheme) scheme, secrets[i], &what, NOW_S * 1000))
                abort(); /* who does not know the secret has not found it in a corpus */
    what.id = CTN_STR("msg_1");
    what.timestamp = CTN_STR("1800000000");
    what.signature = ctn_signature_make(arena, secrets[0], what.id, NOW_S, what.body);
    if (ctn_signature_fault(CTN_SIGNATURE_STANDARD, secrets[0], &what, NOW_S * 1000))
        abort();
    ctn_arena_free(arena);
    return 0;
}
