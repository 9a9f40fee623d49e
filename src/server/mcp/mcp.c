/*
 * mcp.c -- see mcp.h.
 */
#include "server/mcp/mcp.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/box.h"
#include "base/memory.h"
#include "host/files.h"
#include "server/mcp/engine_backend.h"
#include "server/mcp/post.h"
#include "server/mcp/stdio.h"

struct ctn_mcp_service {
    ctn_host *host;
    unsigned char state_key[CTN_BOX_KEY_BYTES];
    ctn_engine_backend *backend;
    ctn_mcp_endpoint *endpoint;
    ctn_web_mcp *web;
    ctn_mcp_stdio *pipe;
    bool has_pipe_ended;
    struct guest {
        ctn_mcp_service *service;
        ctn_mcp_stdio *pipe;
        struct guest *next;
    } * guests;
};

/* ---- the key of requestState ---- */

static void make_key(unsigned char key[CTN_BOX_KEY_BYTES])
{
    ctn_rng rng = ctn_rng_system();
    for (size_t i = 0; i < CTN_BOX_KEY_BYTES; i += sizeof(uint64_t)) {
        uint64_t bits = ctn_rng_next(&rng);
        memcpy(key + i, &bits, sizeof bits);
    }
}

/* Whoever lost it has lost questions that were open, no more: so it is not synced. */
static int key_of_file(const char *path, unsigned char key[CTN_BOX_KEY_BYTES], ctn_err *err)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = CTN_OK;
    if (fd < 0 || fstat(fd, &st))
        rc = ctn_fail(err, CTN_E_IO, "%s cannot be opened: %s", path, strerror(errno));
    else if (st.st_mode & 077)
        rc = ctn_fail(err, CTN_E_DENIED, "%s can be read by others: chmod 600 %s", path, path);
    else if (read(fd, key, CTN_BOX_KEY_BYTES) != CTN_BOX_KEY_BYTES) {
        make_key(key);
        if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET) ||
            ctn_file_write_all(fd, (ctn_str){(const char *) key, CTN_BOX_KEY_BYTES}))
            rc = ctn_fail(err, CTN_E_IO, "%s cannot be written: %s", path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

/* A store without a file has nothing that survives us, so its key need not. */
static int get_key(const ctn_workspace *ws, unsigned char key[CTN_BOX_KEY_BYTES], ctn_err *err)
{
    if (!ws->store_file.len) {
        make_key(key);
        return CTN_OK;
    }
    ctn_arena *arena = ctn_arena_new(512);
    int rc = key_of_file(ctn_arena_printf(arena, "%.*s-mcp-key", CTN_STR_ARG(ws->store_file)).ptr, key, err);
    ctn_arena_free(arena);
    return rc;
}

/* ---- guests ---- */

static void free_guest(struct guest *g)
{
    for (struct guest **at = &g->service->guests; *at; at = &(*at)->next)
        if (*at == g) {
            *at = g->next;
            break;
        }
    ctn_mcp_stdio_close(g->pipe);
    free(g);
}

static void on_guest_ended(void *ctx)
{
    free_guest(ctx);
}

static void on_guest(void *ctx, int fd)
{
    ctn_mcp_service *s = ctx;
    struct guest *g = ctn_malloc(sizeof *g);
    *g = (struct guest){.service = s, .next = s->guests};
    s->guests = g;
    g->pipe =
        ctn_mcp_stdio_open(ctn_host_loop(s->host), s->endpoint, fd, -1, CTN_RPC_LINE_BYTES_MAX, on_guest_ended, g);
}

/* ---- life ---- */

int ctn_mcp_service_open(ctn_host *host, ctn_mcp_service **ret_service, ctn_err *err)
{
    ctn_mcp_service *s = ctn_malloc(sizeof *s);
    *s = (ctn_mcp_service){.host = host};
    int rc = get_key(ctn_host_workspace(host), s->state_key, err);
    if (rc) {
        free(s);
        return rc;
    }
    s->backend = ctn_engine_backend_new(host);
    ctn_mcp_endpoint_options options = {
        .loop = ctn_host_loop(host),
        .backend = ctn_engine_backend_offers(s->backend),
        .name = "catena",
        .version = CATENA_VERSION,
        .state_key = {(const char *) s->state_key, sizeof s->state_key},
    };
    s->endpoint = ctn_mcp_endpoint_new(&options);
    ctn_engine_backend_tell(s->backend, s->endpoint);
    ctn_host_on_guest(host, on_guest, s);
    *ret_service = s;
    return CTN_OK;
}

/* The engine is gone: nothing that was filed with it will be acknowledged any more. */
static void free_service(void *ctx)
{
    ctn_mcp_service *s = ctx;
    ctn_engine_backend_free(s->backend);
    ctn_mcp_endpoint_free(s->endpoint);
    explicit_bzero(s->state_key, sizeof s->state_key);
    free(s);
}

void ctn_mcp_service_drain(ctn_mcp_service *s)
{
    ctn_engine_backend_drain(s->backend);
}

void ctn_mcp_service_close(ctn_mcp_service *s)
{
    if (!s)
        return;
    ctn_host_on_guest(s->host, NULL, NULL);
    ctn_mcp_endpoint_stop(s->endpoint);
    while (s->guests)
        free_guest(s->guests);
    ctn_web_mcp_close(s->web);
    ctn_mcp_stdio_close(s->pipe);
    ctn_host_at_end(s->host, free_service, s);
}

/* ---- the ways in ---- */

void ctn_mcp_service_serve(ctn_mcp_service *s, ctn_front *front)
{
    ctn_web_mcp_options options = {.loop = ctn_host_loop(s->host),
                                   .front = front,
                                   .config = &ctn_host_workspace(s->host)->config->http,
                                   .endpoint = s->endpoint};
    s->web = ctn_web_mcp_open(&options);
}

static void on_pipe_ended(void *ctx)
{
    ((ctn_mcp_service *) ctx)->has_pipe_ended = true;
}

void ctn_mcp_service_pipe(ctn_mcp_service *s, int fd_in, int fd_out)
{
    s->pipe = ctn_mcp_stdio_open(ctn_host_loop(s->host), s->endpoint, fd_in, fd_out, CTN_RPC_LINE_BYTES_MAX,
                                 on_pipe_ended, s);
}

bool ctn_mcp_service_pipe_has_ended(const ctn_mcp_service *s)
{
    return s->has_pipe_ended;
}
