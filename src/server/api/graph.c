/*
 * graph.c -- see graph.h.
 */
#include "server/api/graph.h"
#include "server/api/execution.h"

#define PICTURE_BYTES_MAX ((size_t) 16 << 20)

void ctn_api_answer_picture(ctn_api_call *call, const ctn_picture *picture)
{
    ctn_str format = ctn_api_text(call->given, "format");
    const char *type = "text/plain; charset=utf-8";
    ctn_buf out;
    ctn_buf_init(&out, PICTURE_BYTES_MAX);
    if (ctn_str_is(format, "mermaid")) {
        ctn_picture_mermaid(picture, &out);
    } else if (ctn_str_is(format, "dot")) {
        ctn_picture_dot(picture, &out);
    } else {
        type = "image/svg+xml";
        ctn_picture_svg(picture, call->arena, &out);
    }
    if (out.overflowed)
        ctn_api_problem(call, 413, (ctn_str){0}, "the picture would be larger than %zu MiB", PICTURE_BYTES_MAX >> 20);
    else
        ctn_api_answer_text(call, type, ctn_buf_str(&out));
    ctn_buf_done(&out);
}
