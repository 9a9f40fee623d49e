/* Line streams: what a peer may send, cut, refuse to read or leave unfinished. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "patience.h"
#include "support/cmocka.h"

#define LINE_MAX_BYTES 1000

typedef struct fixture {
    ctn_loop *loop;
    ctn_stream *stream;
    int ours, peer;
    ctn_buf head, tail; /* of the line that was too long; '!' behind an endless one */
    ctn_buf text;       /* lines, each with a '|' after it; "<long>" for one that was too long */
    size_t line_count, closed_count, lines_wanted;
    bool has_lines, is_closed;
    int closed_code;
    char closed_why[100];
    bool free_at_line, free_at_closed, free_at_too_long;
} fixture;

static void free_stream(fixture *f)
{
    ctn_stream_free(f->stream);
    f->stream = NULL;
}

static void on_line(void *ctx, ctn_str line)
{
    fixture *f = ctx;
    f->line_count++;
    f->has_lines = f->line_count >= f->lines_wanted;
    if (f->free_at_line)
        free_stream(f);
    ctn_buf_append(&f->text, line); /* valid to the end of the call, whatever we do in it */
    ctn_buf_append_char(&f->text, '|');
}

static void on_line_too_long(void *ctx, ctn_str head)
{
    fixture *f = ctx;
    ctn_buf_append_literal(&f->text, "<long>");
    ctn_buf_clear(&f->head);
    ctn_buf_append(&f->head, head);
    if (f->free_at_too_long)
        free_stream(f);
}

static void on_line_skipped(void *ctx, ctn_str tail, bool is_endless)
{
    fixture *f = ctx;
    ctn_buf_clear(&f->tail);
    ctn_buf_append(&f->tail, tail);
    if (is_endless)
        ctn_buf_append_char(&f->tail, '!');
}

static void on_closed(void *ctx, int code, const char *why)
{
    fixture *f = ctx;
    f->closed_count++;
    f->is_closed = true;
    f->closed_code = code;
    snprintf(f->closed_why, sizeof f->closed_why, "%s", why);
    if (f->free_at_closed)
        free_stream(f);
}

static void open_on(fixture *f, int fd)
{
    f->stream = ctn_stream_open(f->loop, fd,
                                &(ctn_stream_events){.line = on_line,
                                                     .line_too_long = on_line_too_long,
                                                     .line_skipped = on_line_skipped,
                                                     .closed = on_closed,
                                                     .ctx = f,
                                                     .line_bytes_max = LINE_MAX_BYTES});
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->loop = ctn_loop_new();
    f->lines_wanted = 1;
    f->ours = f->peer = -1;
    ctn_buf_init(&f->text, 1 << 20);
    ctn_buf_init(&f->head, 1 << 10);
    ctn_buf_init(&f->tail, 1 << 10);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    if (f->peer >= 0)
        close(f->peer);
    ctn_loop_free(f->loop);
    ctn_buf_done(&f->text);
    ctn_buf_done(&f->head);
    ctn_buf_done(&f->tail);
    free(f);
    return 0;
}

static void over_socket(fixture *f)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    f->ours = pair[0];
    f->peer = pair[1];
    open_on(f, f->ours);
}

/* We read, the peer writes; or the other way round. */
static void over_pipe(fixture *f, bool we_read)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    f->ours = we_read ? ends[0] : ends[1];
    f->peer = we_read ? ends[1] : ends[0];
    open_on(f, f->ours);
}

static void peer_says(const fixture *f, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(write(f->peer, text, len), (ssize_t) len);
}

static void peer_closes(fixture *f)
{
    close(f->peer);
    f->peer = -1;
}

static void assert_text(const fixture *f, const char *expected)
{
    assert_int_equal(f->text.len, strlen(expected));
    assert_memory_equal(f->text.data, expected, f->text.len);
}

/* ---- reading ---- */

static void lines_come_whole_however_they_are_cut(void **state)
{
    fixture *f = *state;
    over_pipe(f, true);
    const char *pieces[] = {"one\ntw", "o\n\n", "th", "re", "e\r", "\nfo\rur\n"};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        peer_says(f, pieces[i]);
        patience_for(f->loop, 5);
    }
    assert_text(f, "one|two||three|fo\rur|");
}

static void a_last_line_without_newline_is_told_before_closed(void **state)
{
    fixture *f = *state;
    over_pipe(f, true);
    peer_says(f, "a\nfatal: out of luck");
    peer_closes(f);
    assert_true(patience_until(f->loop, &f->is_closed));
    assert_text(f, "a|fatal: out of luck|");
    assert_int_equal(f->closed_code, CTN_OK);
    patience_for(f->loop, 10);
    assert_int_equal(f->closed_count, 1);
}

static void a_line_of_exactly_the_limit_passes_and_one_byte_more_does_not(void **state)
{
    fixture *f = *state;
    over_socket(f);
    char line[LINE_MAX_BYTES + 3];
    memset(line, 'x', sizeof line);
    const struct {
        size_t len;
        const char *end;
        const char *expected;
    } cases[] = {{LINE_MAX_BYTES, "\n", NULL},
                 {LINE_MAX_BYTES, "\r\n", NULL},
                 {LINE_MAX_BYTES + 1, "\n", "<long>"},
                 {LINE_MAX_BYTES + 1, "\r\n", "<long>"},
                 {LINE_MAX_BYTES + 2, "\n", "<long>"}};
    for (size_t cut = 0; cut < 2; cut++) /* in one piece, and with its end coming later */
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            ctn_buf_clear(&f->text);
            assert_int_equal(write(f->peer, line, cases[i].len), (ssize_t) cases[i].len);
            if (cut)
                patience_for(f->loop, 2);
            peer_says(f, cases[i].end);
            peer_says(f, "next\n");
            f->has_lines = false;
            f->line_count = 0;
            f->lines_wanted = cases[i].expected ? 1 : 2;
            assert_true(patience_until(f->loop, &f->has_lines));
            if (cases[i].expected)
                assert_text(f, "<long>next|");
            else
                assert_int_equal(f->text.len, LINE_MAX_BYTES + 1 + 5);
        }
}

static void *write_ten_megabytes_and_a_line(void *ctx)
{
    const fixture *f = ctx;
    char chunk[10000];
    memset(chunk, 'y', sizeof chunk);
    for (int i = 0; i < 1000; i++)
        for (size_t sent = 0; sent < sizeof chunk;) {
            ssize_t n = write(f->peer, chunk + sent, sizeof chunk - sent);
            if (n < 0)
                return NULL;
            sent += (size_t) n;
        }
    (void) !write(f->peer, "\nshort\n", 7);
    return NULL;
}

static void an_endless_line_is_skipped_told_once_and_kept_nowhere(void **state)
{
    fixture *f = *state;
    over_pipe(f, true);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_ten_megabytes_and_a_line, f), 0);
    assert_true(patience_until(f->loop, &f->has_lines));
    pthread_join(thread, NULL);
    assert_text(f, "<long>short|");
}

/* Whole in one piece, or put together from several: the edges are those of the line. */
static void how_a_line_that_was_too_long_begins_and_ends_is_told(void **state)
{
    fixture *f = *state;
    char line[3 * LINE_MAX_BYTES], head[CTN_LINE_EDGE_BYTES + 1], tail[CTN_LINE_EDGE_BYTES + 1];
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = (char) ('a' + i % 26);
    snprintf(head, sizeof head, "%.*s", CTN_LINE_EDGE_BYTES, line);
    snprintf(tail, sizeof tail, "%.*s", CTN_LINE_EDGE_BYTES, line + sizeof line - CTN_LINE_EDGE_BYTES);
    static const size_t PIECES[] = {sizeof line, 7, 300, LINE_MAX_BYTES, LINE_MAX_BYTES + 1, 2999};
    for (size_t p = 0; p < sizeof PIECES / sizeof *PIECES; p++) {
        over_socket(f);
        ctn_buf_clear(&f->text);
        ctn_buf_clear(&f->tail);
        for (size_t at = 0; at < sizeof line; at += PIECES[p]) {
            size_t len = sizeof line - at < PIECES[p] ? sizeof line - at : PIECES[p];
            assert_int_equal(write(f->peer, line + at, len), (ssize_t) len);
            patience_for(f->loop, 1);
        }
        peer_says(f, "\n");
        patience_for(f->loop, 5);
        assert_text(f, "<long>");
        assert_true(ctn_str_is(ctn_buf_str(&f->head), head));
        assert_true(ctn_str_is(ctn_buf_str(&f->tail), tail));
        peer_closes(f);
        free_stream(f);
    }
}

static void a_stream_may_be_freed_in_any_of_its_callbacks(void **state)
{
    fixture *f = *state;
    over_socket(f);
    f->free_at_line = true;
    peer_says(f, "one\ntwo\nthree\n");
    assert_true(patience_until(f->loop, &f->has_lines));
    assert_text(f, "one|");
    peer_closes(f);

    over_socket(f); /* a line that was put together from pieces */
    f->has_lines = false;
    peer_says(f, "first ");
    patience_for(f->loop, 2);
    peer_says(f, "half\nrest\n");
    assert_true(patience_until(f->loop, &f->has_lines));
    assert_text(f, "one|first half|");
    peer_closes(f);

    over_socket(f); /* the last one, without newline: closed must not come any more */
    f->has_lines = false;
    peer_says(f, "end");
    peer_closes(f);
    assert_true(patience_until(f->loop, &f->has_lines));
    patience_for(f->loop, 5);
    assert_int_equal(f->closed_count, 0);

    f->free_at_line = false;
    f->free_at_too_long = true;
    over_socket(f);
    char line[LINE_MAX_BYTES + 100];
    memset(line, 'x', sizeof line);
    ctn_buf_clear(&f->text);
    assert_int_equal(write(f->peer, line, sizeof line), (ssize_t) sizeof line);
    peer_says(f, "\nnext\n");
    patience_for(f->loop, 10);
    assert_text(f, "<long>");
    peer_closes(f);

    f->free_at_too_long = false;
    f->free_at_closed = true;
    over_socket(f);
    peer_closes(f);
    assert_true(patience_until(f->loop, &f->is_closed));
    patience_for(f->loop, 5);
    assert_int_equal(f->closed_count, 1);
}

static void a_file_is_read_like_a_pipe(void **state)
{
    fixture *f = *state;
    FILE *file = tmpfile();
    assert_non_null(file);
    for (int i = 0; i < 50000; i++)
        fprintf(file, "%d\n", i);
    fflush(file);
    int fd = dup(fileno(file));
    fclose(file);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    open_on(f, fd);
    assert_true(patience_until(f->loop, &f->is_closed));
    assert_int_equal(f->line_count, 50000);
    assert_int_equal(f->closed_code, CTN_OK);
    free_stream(f);

    f->is_closed = false;
    open_on(f, open("/dev/null", O_RDONLY | O_CLOEXEC));
    assert_true(patience_until(f->loop, &f->is_closed));
}

/* ---- writing ---- */

static void *read_slowly(void *ctx)
{
    fixture *f = ctx;
    char chunk[30011];
    uint64_t expected = 0;
    for (;;) {
        ssize_t n = read(f->peer, chunk, sizeof chunk);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++, expected++)
            if (chunk[i] != (char) ('a' + expected % 23))
                return NULL;
        if (expected % 7 == 0)
            usleep(100);
    }
    ctn_buf_printf(&f->text, "%llu", (unsigned long long) expected);
    return NULL;
}

static void huge_writes_reach_a_slow_reader_whole_and_in_order(void **state)
{
    fixture *f = *state;
    for (int over = 0; over < 2; over++) {
        ctn_buf_clear(&f->text);
        if (over == 0)
            over_socket(f);
        else
            over_pipe(f, false);
        size_t total = 0, next = 0;
        char *bytes = malloc(3000000);
        assert_non_null(bytes);
        for (size_t size = 1; size < 3000000; size = size * 3 + 1) {
            for (size_t i = 0; i < size; i++)
                bytes[i] = (char) ('a' + next++ % 23);
            assert_true(ctn_stream_write(f->stream, (ctn_str){bytes, size}));
            total += size;
        }
        free(bytes);
        assert_int_equal(ctn_stream_queued_bytes(f->stream), total);
        ctn_stream_shutdown(f->stream);
        assert_false(ctn_stream_write(f->stream, CTN_STR("too late")));
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, read_slowly, f), 0);
        f->is_closed = false;
        if (over == 1)
            assert_true(patience_until(f->loop, &f->is_closed)); /* a pipe: nothing more to come */
        else
            while (ctn_stream_queued_bytes(f->stream) > 0)
                patience_for(f->loop, 5);
        pthread_join(thread, NULL); /* ends at the end of file that shutdown made */
        assert_int_equal(ctn_stream_queued_bytes(f->stream), 0);
        char expected[32];
        snprintf(expected, sizeof expected, "%zu", total);
        assert_text(f, expected);
        free_stream(f);
        peer_closes(f);
    }
}

static void the_queue_is_bounded(void **state)
{
    fixture *f = *state;
    over_socket(f);
    size_t chunk_bytes = 8 << 20;
    char *chunk = calloc(1, chunk_bytes);
    size_t accepted = 0;
    while (accepted < 100 && ctn_stream_write(f->stream, (ctn_str){chunk, chunk_bytes}))
        accepted++;
    assert_int_equal(accepted, 9); /* the last one when exactly 64 MiB wait */
    patience_for(f->loop, 5);
    assert_false(ctn_stream_write(f->stream, CTN_STR("x")));
    free(chunk);
}

static void a_half_closed_socket_reads_on(void **state)
{
    fixture *f = *state;
    over_socket(f);
    assert_true(ctn_stream_write(f->stream, CTN_STR("question\n")));
    ctn_stream_shutdown(f->stream);
    patience_for(f->loop, 5);
    char text[32];
    assert_int_equal(read(f->peer, text, sizeof text), 9);
    assert_int_equal(read(f->peer, text, sizeof text), 0);
    peer_says(f, "answer\n");
    assert_true(patience_until(f->loop, &f->has_lines));
    assert_text(f, "answer|");
    assert_int_equal(f->closed_count, 0);
}

static void a_peer_that_has_ended_its_side_still_gets_its_answer(void **state)
{
    fixture *f = *state;
    over_socket(f);
    peer_says(f, "question\n");
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
    assert_true(patience_until(f->loop, &f->is_closed));
    assert_int_equal(f->closed_code, CTN_OK);
    assert_true(ctn_stream_write(f->stream, CTN_STR("answer\n")));
    patience_for(f->loop, 5);
    char text[32];
    assert_int_equal(read(f->peer, text, sizeof text), 7);
}

static void bytes_written_in_the_turn_that_frees_the_stream_are_tried(void **state)
{
    fixture *f = *state;
    over_socket(f);
    assert_true(ctn_stream_write(f->stream, CTN_STR("goodbye\n")));
    free_stream(f);
    char text[32];
    assert_int_equal(read(f->peer, text, sizeof text), 8);
    assert_int_equal(read(f->peer, text, sizeof text), 0);
}

static void writing_to_a_pipe_without_reader_is_told_and_kills_nobody(void **state)
{
    fixture *f = *state;
    struct sigaction standard = {.sa_handler = SIG_DFL};
    assert_int_equal(sigaction(SIGPIPE, &standard, NULL), 0);
    over_pipe(f, false);
    peer_closes(f);
    assert_true(ctn_stream_write(f->stream, CTN_STR("hello\n")));
    assert_int_equal(f->closed_count, 0); /* not from inside write */
    assert_true(patience_until(f->loop, &f->is_closed));
    assert_int_equal(f->closed_code, CTN_E_CLOSED);
    assert_string_equal(f->closed_why, "the other side is gone");
    assert_false(ctn_stream_write(f->stream, CTN_STR("hello\n")));
    patience_for(f->loop, 5);
    assert_int_equal(f->closed_count, 1);
    sigset_t pending;
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
}

static void a_reader_that_goes_is_noticed_without_a_write(void **state)
{
    fixture *f = *state;
    over_pipe(f, false);
    patience_for(f->loop, 5);
    peer_closes(f);
    assert_true(patience_until(f->loop, &f->is_closed));
    assert_int_equal(f->closed_code, CTN_E_CLOSED);
}

static void the_last_words_of_a_peer_are_heard_though_our_write_failed(void **state)
{
    fixture *f = *state;
    over_socket(f);
    peer_says(f, "one\ntwo\n");
    peer_closes(f);
    f->lines_wanted = 2;
    assert_true(ctn_stream_write(f->stream, CTN_STR("hello\n")));
    assert_true(patience_until(f->loop, &f->is_closed));
    assert_text(f, "one|two|");
    assert_int_equal(f->closed_count, 1);
}

static void a_peer_that_goes_with_our_bytes_unread_is_told_as_closed(void **state)
{
    fixture *f = *state;
    over_socket(f);
    assert_true(ctn_stream_write(f->stream, CTN_STR("hello\n")));
    patience_for(f->loop, 5);
    peer_says(f, "last\n");
    peer_closes(f); /* the kernel makes it ECONNRESET */
    assert_true(patience_until(f->loop, &f->is_closed));
    assert_text(f, "last|");
    assert_int_equal(f->closed_code, CTN_E_CLOSED);
    size_t rounds = f->closed_count;
    patience_for(f->loop, 10);
    assert_int_equal(f->closed_count, rounds);
}

static void fds_are_not_leaked(void **state)
{
    fixture *f = *state;
    over_socket(f);
    free_stream(f);
    peer_closes(f);
    patience_for(f->loop, 2);
    size_t before = patience_open_fd_count();
    for (int i = 0; i < 20; i++) {
        over_pipe(f, i % 2);
        if (!(i % 2))
            ctn_stream_shutdown(f->stream);
        if (i % 3)
            patience_for(f->loop, 1);
        free_stream(f);
        peer_closes(f);
    }
    assert_int_equal(patience_open_fd_count(), before);
}

/* Two streams on one standard descriptor's pipe, as in 2>&1: what we do to ours must not reach the other. */
static void a_standard_descriptor_keeps_its_blocking_mode_for_those_who_share_it(void **state)
{
    fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int saved_stdin = dup(STDIN_FILENO);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    f->peer = ends[1];
    open_on(f, STDIN_FILENO);
    peer_says(f, "from stdin\n");
    assert_true(patience_until(f->loop, &f->has_lines));
    assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    free_stream(f);
    char byte;
    assert_int_equal(read(STDIN_FILENO, &byte, 1), 0); /* /dev/null, not a free number */
    close(ends[0]);
    if (saved_stdin >= 0) {
        assert_int_equal(dup2(saved_stdin, STDIN_FILENO), STDIN_FILENO);
        close(saved_stdin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(lines_come_whole_however_they_are_cut),
        TEST(a_last_line_without_newline_is_told_before_closed),
        TEST(a_line_of_exactly_the_limit_passes_and_one_byte_more_does_not),
        TEST(an_endless_line_is_skipped_told_once_and_kept_nowhere),
        TEST(how_a_line_that_was_too_long_begins_and_ends_is_told),
        TEST(a_stream_may_be_freed_in_any_of_its_callbacks),
        TEST(a_file_is_read_like_a_pipe),
        TEST(huge_writes_reach_a_slow_reader_whole_and_in_order),
        TEST(the_queue_is_bounded),
        TEST(a_half_closed_socket_reads_on),
        TEST(a_peer_that_has_ended_its_side_still_gets_its_answer),
        TEST(bytes_written_in_the_turn_that_frees_the_stream_are_tried),
        TEST(writing_to_a_pipe_without_reader_is_told_and_kills_nobody),
        TEST(a_reader_that_goes_is_noticed_without_a_write),
        TEST(the_last_words_of_a_peer_are_heard_though_our_write_failed),
        TEST(a_peer_that_goes_with_our_bytes_unread_is_told_as_closed),
        TEST(fds_are_not_leaked),
        TEST(a_standard_descriptor_keeps_its_blocking_mode_for_those_who_share_it),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
