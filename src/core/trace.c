/*
 * trace.c -- see trace.h.
 */
#include "core/trace.h"

#define MILLION 1000000u

/* ---- texts ---- */

static bool read_hex(ctn_str text, uint8_t *out, size_t bytes)
{
    bool is_zero = true;
    for (size_t i = 0; i < bytes; i++) {
        char high = text.ptr[2 * i], low = text.ptr[2 * i + 1];
        if (ctn_hex_value(high) < 0 || ctn_hex_value(low) < 0 || (high >= 'A' && high <= 'F') ||
            (low >= 'A' && low <= 'F'))
            return false;
        out[i] = (uint8_t) (ctn_hex_value(high) << 4 | ctn_hex_value(low));
        is_zero = is_zero && out[i] == 0;
    }
    return bytes == 1 || !is_zero;
}

static char *write_hex(char *out, const uint8_t *bytes, size_t count)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *out++ = DIGITS[bytes[i] >> 4];
        *out++ = DIGITS[bytes[i] & 15];
    }
    return out;
}

bool ctn_trace_parse(ctn_str t, ctn_trace_context *ret)
{
    ctn_trace_context c;
    uint8_t version, flags;
    if (t.len < CTN_TRACEPARENT_BYTES || t.ptr[2] != '-' || t.ptr[35] != '-' || t.ptr[52] != '-')
        return false;
    if (!read_hex(t, &version, 1) || !read_hex(ctn_str_from_offset(t, 3), c.trace.bytes, sizeof c.trace.bytes) ||
        !read_hex(ctn_str_from_offset(t, 36), c.span.bytes, sizeof c.span.bytes) ||
        !read_hex(ctn_str_from_offset(t, 53), &flags, 1))
        return false;
    if (version == 0xFF || (version == 0 && t.len != CTN_TRACEPARENT_BYTES) ||
        (t.len > CTN_TRACEPARENT_BYTES && t.ptr[CTN_TRACEPARENT_BYTES] != '-'))
        return false;
    c.is_sampled = flags & 1;
    *ret = c;
    return true;
}

ctn_trace_text ctn_trace_to_text(const ctn_trace_context *c)
{
    ctn_trace_text t = {.text = "00-"};
    char *end = write_hex(t.text + 3, c->trace.bytes, sizeof c->trace.bytes);
    *end++ = '-';
    end = write_hex(end, c->span.bytes, sizeof c->span.bytes);
    *end++ = '-';
    *end++ = '0';
    *end++ = c->is_sampled ? '1' : '0';
    return t;
}

ctn_trace_text ctn_trace_id_to_text(ctn_trace_id trace)
{
    ctn_trace_text t = {0};
    (void) write_hex(t.text, trace.bytes, sizeof trace.bytes);
    return t;
}

ctn_trace_text ctn_span_id_to_text(ctn_span_id span)
{
    ctn_trace_text t = {0};
    (void) write_hex(t.text, span.bytes, sizeof span.bytes);
    return t;
}

/* ---- ids of spans ---- */

/* SplitMix64's last steps: every bit of the result depends on every bit of x. Within one trace, where alone ids of
 * spans must differ, 64 such bits are enough; a cryptographic hash would cost every call more than its whole dispatch.
 */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static ctn_span_id span_of(uint64_t bits)
{
    ctn_span_id span;
    bits = bits ? bits : 1; /* all zero is the id of none */
    for (size_t i = 0; i < sizeof span.bytes; i++)
        span.bytes[i] = (uint8_t) (bits >> (8 * (sizeof span.bytes - 1 - i)));
    return span;
}

static uint64_t bits_of(ctn_execution_id id)
{
    uint64_t half[2];
    _Static_assert(sizeof half == sizeof id.bytes, "an id is two halves");
    for (size_t i = 0; i < 2; i++) {
        half[i] = 0;
        for (size_t k = 0; k < 8; k++)
            half[i] = half[i] << 8 | id.bytes[8 * i + k];
    }
    return mix(mix(half[0]) + half[1]);
}

ctn_span_id ctn_span_of_execution(ctn_execution_id id)
{
    return span_of(bits_of(id));
}

ctn_span_id ctn_span_of_attempt(const ctn_traced_attempt *a)
{
    uint64_t bits = bits_of(a->id) ^ ctn_str_hash(a->step);
    bits = mix(bits + (uint64_t) a->item + 2);
    return span_of(mix(bits + (uint64_t) a->attempt * 2 + a->is_undo));
}

/* ---- executions ---- */

/* By the last seven bytes, the ones that are chance in every kind of id (W3C Trace Context, 3.2.2.3). */
static bool is_in_share(ctn_trace_id trace, uint32_t share)
{
    uint64_t bits = 0;
    for (size_t i = 9; i < 16; i++)
        bits = bits << 8 | trace.bytes[i];
    return bits / ((UINT64_C(1) << 56) / MILLION + 1) < share;
}

ctn_trace_context ctn_trace_of_execution(const ctn_tracing *tracing, ctn_execution_id id, ctn_str traceparent)
{
    ctn_trace_context c;
    if (!traceparent.len || !ctn_trace_parse(traceparent, &c)) {
        memcpy(c.trace.bytes, id.bytes, sizeof id.bytes);
        c.is_sampled = is_in_share(c.trace, tracing->share);
    }
    c.is_sampled = c.is_sampled && tracing->is_on;
    c.span = ctn_span_of_execution(id);
    return c;
}

ctn_str ctn_trace_for_call(const ctn_tracing *tracing, const ctn_traced_attempt *a, ctn_str traceparent,
                           ctn_trace_text *room)
{
    if (!tracing->is_on)
        return traceparent;
    ctn_trace_context c = ctn_trace_of_execution(tracing, a->id, traceparent);
    c.span = ctn_span_of_attempt(a);
    *room = ctn_trace_to_text(&c);
    return (ctn_str){room->text, CTN_TRACEPARENT_BYTES};
}
