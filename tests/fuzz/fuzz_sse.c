/*
 * Any bytes as an event stream: no crash, and the same events however they are cut. The first byte says how.
 */
#include <stdlib.h>
#include "wire/sse.h"

static void read_all(ctn_buf *out, ctn_str stream, size_t piece)
{
    ctn_sse sse;
    ctn_sse_init(&sse, 1 << 16);
    for (size_t at = 0; at < stream.len; at += piece) {
        ctn_str bytes = {stream.ptr + at, stream.len - at < piece ? stream.len - at : piece};
        ctn_sse_event event;
        while (ctn_sse_next(&sse, &bytes, &event)) {
            ctn_buf_append(out, event.type);
            ctn_buf_append_char(out, '\0');
            ctn_buf_append(out, event.data);
            ctn_buf_append_char(out, '\0');
            ctn_buf_append(out, event.id);
            ctn_buf_append_char(out, '\0');
        }
        if (bytes.len > 0)
            abort();
    }
    ctn_buf_append_int64(out, sse.retry_ms);
    ctn_sse_done(&sse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1 << 14)
        return 0;
    ctn_buf whole, cut;
    ctn_buf_init(&whole, 1 << 22);
    ctn_buf_init(&cut, 1 << 22);
    ctn_str stream = {(const char *) data + 1, size - 1};
    read_all(&whole, stream, stream.len);
    read_all(&cut, stream, data[0] % 64u + 1);
    if (!ctn_str_equal(ctn_buf_str(&whole), ctn_buf_str(&cut)))
        abort();
    ctn_buf_done(&whole);
    ctn_buf_done(&cut);
    return 0;
}
