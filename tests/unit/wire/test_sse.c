/* Event streams: every way to end a line and to cut one, what is no event, and what is too much. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "wire/sse.h"

/* All events as "type|data|id;", the stream given in pieces of so many bytes. */
static char *read_in_pieces(const char *stream, size_t length, size_t piece, size_t bytes_max)
{
    ctn_sse sse;
    ctn_buf told;
    ctn_sse_init(&sse, bytes_max);
    ctn_buf_init(&told, 1 << 20);
    for (size_t at = 0; at < length; at += piece) {
        ctn_str bytes = {stream + at, length - at < piece ? length - at : piece};
        ctn_sse_event event;
        while (ctn_sse_next(&sse, &bytes, &event))
            ctn_buf_printf(&told, "%.*s|%.*s|%.*s;", CTN_STR_ARG(event.type), CTN_STR_ARG(event.data),
                           CTN_STR_ARG(event.id));
        assert_int_equal(bytes.len, 0);
    }
    if (sse.is_too_large)
        ctn_buf_append_literal(&told, "too large");
    if (sse.retry_ms >= 0)
        ctn_buf_printf(&told, "retry %lld", (long long) sse.retry_ms);
    char *text = strndup(told.len ? told.data : "", told.len);
    ctn_buf_done(&told);
    ctn_sse_done(&sse);
    return text;
}

static void assert_bytes_told(const char *stream, size_t length, const char *expected)
{
    for (size_t piece = 1; piece <= length; piece++) {
        char *told = read_in_pieces(stream, length, piece, 4096);
        if (strcmp(told, expected) != 0)
            fail_msg("in pieces of %zu: \"%s\", not \"%s\"", piece, told, expected);
        free(told);
    }
}

static void assert_told(const char *stream, const char *expected)
{
    assert_bytes_told(stream, strlen(stream), expected);
}

static void each_way_to_end_a_line_ends_it_once(void **state)
{
    (void) state;
    assert_told("data: a\n\ndata: b\n\n", "message|a|;message|b|;");
    assert_told("data: a\r\n\r\ndata: b\r\n\r\n", "message|a|;message|b|;");
    assert_told("data: a\r\rdata: b\r\r", "message|a|;message|b|;");
    assert_told("data: a\r\n\ndata: b\n\r\n", "message|a|;message|b|;");
    assert_told("data: a\r\n\rdata: b\r\n\r", "message|a|;message|b|;");
}

static void several_data_lines_are_one_text(void **state)
{
    (void) state;
    assert_told("data: {\r\ndata: \"a\":1\r\ndata:}\r\n\r\n", "message|{\n\"a\":1\n}|;");
    assert_told("data\ndata\n\n", "message|\n|;");
    assert_told("data:  two blanks\n\n", "message| two blanks|;");
}

static void what_has_no_data_line_is_no_event_but_its_id_counts(void **state)
{
    (void) state;
    assert_told("event: ping\n\n", "");
    assert_told("event: ping\n\ndata: a\n\n", "message|a|;");
    assert_told("id: 7\n\ndata: a\n\n", "message|a|7;");
    assert_told("id: 7\ndata:\n\n", "message||7;");
    assert_told("id: 7\ndata:a\n\nid\ndata:b\n\n", "message|a|7;message|b|;");
    assert_told(": nothing but this\n\n: and this\n\n", "");
    assert_told("", "");
    assert_told("\n\n\n", "");
}

static void what_is_cut_at_the_end_is_no_event(void **state)
{
    (void) state;
    assert_told("data: a\n\ndata: b", "message|a|;");
    assert_told("data: a\n\ndata: b\n", "message|a|;");
}

static void a_bom_stands_before_the_first_line_alone(void **state)
{
    (void) state;
    assert_told("\xef\xbb\xbf"
                "data: a\n\n",
                "message|a|;");
    assert_told("\xef\xbb\xbf\n\xef\xbb\xbf"
                "data: a\n\n",
                "");
    assert_told("\xef\xbb\xbf: x\ndata: \xef\xbb\xbf\n\n", "message|\xef\xbb\xbf|;");
}

static void fields_are_known_by_their_whole_name(void **state)
{
    (void) state;
    assert_told("datax: a\n data: b\nDATA: c\ndat: d\n\n", "");
    assert_told("event: a\nevent: b\ndata: x:y: z\nunknown: 1\n\n", "b|x:y: z|;");
    assert_told("retry: 1500\n\n", "retry 1500");
    assert_told("retry: 1s\nretry: -4\nretry:\nretry: 99999999999999999999\n\n", "");
}

static void an_id_with_nul_in_it_is_no_id(void **state)
{
    static const char stream[] = "id: 1\ndata: a\n\nid: 2\0x\ndata: b\n\n";
    (void) state;
    assert_bytes_told(stream, sizeof stream - 1, "message|a|1;message|b|1;");
}

static void what_is_too_large_ends_the_stream_and_takes_no_more_memory(void **state)
{
    (void) state;
    static const struct {
        const char *begin, *again;
    } rows[] = {
        {"data: ", "xxxxxxxxxxxxxxxx"}, {"", "data: xxxxxxxx\n"}, {": ", "xxxxxxxxxxxxxxxx"}, {"id: ", "xxxxxxxx"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ctn_buf stream;
        ctn_buf_init(&stream, 1 << 20);
        ctn_buf_append(&stream, ctn_str_from("data: first\n\n"));
        ctn_buf_append(&stream, ctn_str_from(rows[i].begin));
        while (stream.len < 10000)
            ctn_buf_append(&stream, ctn_str_from(rows[i].again));
        ctn_buf_append(&stream, ctn_str_from("\n\ndata: never\n\n"));
        for (size_t piece = 1; piece < 20000; piece = piece * 3 + 1) {
            char *told = read_in_pieces(stream.data, stream.len, piece, 1000);
            /* A comment that lies whole in what came is skipped where it lies. */
            if (i == 2 && piece > 10100)
                assert_string_equal(told, "message|first|;message|never|;");
            else
                assert_string_equal(told, "message|first|;too large");
            free(told);
        }
        ctn_buf_done(&stream);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_to_end_a_line_ends_it_once),
        cmocka_unit_test(several_data_lines_are_one_text),
        cmocka_unit_test(what_has_no_data_line_is_no_event_but_its_id_counts),
        cmocka_unit_test(what_is_cut_at_the_end_is_no_event),
        cmocka_unit_test(a_bom_stands_before_the_first_line_alone),
        cmocka_unit_test(fields_are_known_by_their_whole_name),
        cmocka_unit_test(an_id_with_nul_in_it_is_no_id),
        cmocka_unit_test(what_is_too_large_ends_the_stream_and_takes_no_more_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
