/*
 * link.c -- see link.h: one thread, one poll over all listeners and connections.
 */
#include "fleet/link.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINKS_MAX = 16, PIPES_MAX = 1024, PIECE = 65536 };

typedef struct flow { /* one direction: read, and not written yet */
    char bytes[PIECE];
    size_t from, to;
    bool has_ended;
} flow;

typedef struct pipe_pair {
    int link;
    int node_fd, server_fd;
    flow up, down;
} pipe_pair;

typedef struct link_entry {
    int listener, to_port;
    unsigned from;
    link_state state;
    uint64_t bytes;
} link_entry;

struct links {
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows it */
    pthread_cond_t has_seen;
    int wake_fd;
    bool is_over;
    unsigned asked, seen; /* changes of a state: made, and taken up by the thread */
    link_entry entries[LINKS_MAX];
    int count;
    pipe_pair *pipes[PIPES_MAX]; /* the thread's own */
    size_t pipe_count;
};

static struct sockaddr_in address_of(uint32_t host, int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(host), .sin_port = htons((uint16_t) port)};
}

static void must(bool is_well, const char *what)
{
    if (is_well)
        return;
    fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
    abort();
}

/* ---- connections ---- */

static void reset(int fd)
{
    (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(fd);
}

static void drop(links *all, size_t at)
{
    pipe_pair *p = all->pipes[at];
    reset(p->node_fd);
    reset(p->server_fd);
    free(p);
    all->pipes[at] = all->pipes[--all->pipe_count];
}

static void take_one(links *all, int link, const link_entry *entry)
{
    int node_fd = accept4(entry->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (node_fd < 0)
        return;
    if (entry->state == LINK_CUT || all->pipe_count == PIPES_MAX) {
        reset(node_fd);
        return;
    }
    struct sockaddr_in from = address_of(INADDR_LOOPBACK - 1 + entry->from, 0),
                       to = address_of(INADDR_LOOPBACK, entry->to_port);
    int server_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(server_fd >= 0 && bind(server_fd, (struct sockaddr *) &from, sizeof from) == 0, "a socket to the server");
    bool is_there = connect(server_fd, (struct sockaddr *) &to, sizeof to) == 0 || errno == EINPROGRESS;
    if (!is_there) {
        reset(server_fd);
        reset(node_fd);
        return;
    }
    (void) setsockopt(node_fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    (void) setsockopt(server_fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    pipe_pair *p = ctn_calloc(1, sizeof *p);
    p->link = link;
    p->node_fd = node_fd;
    p->server_fd = server_fd;
    all->pipes[all->pipe_count++] = p;
}

/* Moves what can be moved; false: this connection is over. */
static bool carry(flow *f, int from_fd, int to_fd, short from_events, uint64_t *bytes)
{
    if (f->to < PIECE && (from_events & (POLLIN | POLLHUP | POLLERR)) && !f->has_ended) {
        ssize_t n = recv(from_fd, f->bytes + f->to, PIECE - f->to, MSG_DONTWAIT);
        if (n > 0)
            f->to += (size_t) n, *bytes += (uint64_t) n;
        else if (n == 0)
            f->has_ended = true;
        else if (errno != EAGAIN && errno != EINTR)
            return false;
    }
    if (f->from < f->to) {
        ssize_t n = send(to_fd, f->bytes + f->from, f->to - f->from, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOTCONN)
            return false;
        f->from += n > 0 ? (size_t) n : 0;
        if (f->from == f->to)
            f->from = f->to = 0;
    }
    return !(f->has_ended && f->from == f->to); /* who closes one side closes both: so do libpq and PostgreSQL */
}

/* ---- the thread ---- */

static short wanted(const flow *in, const flow *out, bool reads, bool writes)
{
    short events = 0;
    if (reads && in->to < PIECE && !in->has_ended)
        events = POLLIN;
    if (writes && out->from < out->to)
        events = (short) (events | POLLOUT);
    return events;
}

static void poll_once(links *all, link_entry *now, int count)
{
    static const int SLOTS = 1 + LINKS_MAX;
    struct pollfd *fds = ctn_calloc((size_t) SLOTS + 2 * all->pipe_count, sizeof *fds);
    size_t pipes = all->pipe_count;
    fds[0] = (struct pollfd){.fd = all->wake_fd, .events = POLLIN};
    for (int i = 0; i < LINKS_MAX; i++)
        fds[1 + i] =
            (struct pollfd){.fd = i < count && now[i].state != LINK_FROZEN ? now[i].listener : -1, .events = POLLIN};
    for (size_t i = 0; i < pipes; i++) {
        const pipe_pair *p = all->pipes[i];
        link_state state = now[p->link].state;
        bool up = state == LINK_OPEN || state == LINK_MUTE, down = state == LINK_OPEN;
        short node = wanted(&p->up, &p->down, up, down), server = wanted(&p->down, &p->up, down, up);
        fds[SLOTS + 2 * (int) i] = (struct pollfd){.fd = node ? p->node_fd : -1, .events = node};
        fds[SLOTS + 2 * (int) i + 1] = (struct pollfd){.fd = server ? p->server_fd : -1, .events = server};
    }
    if (poll(fds, (nfds_t) SLOTS + 2 * pipes, 1000) > 0) {
        uint64_t ticks;
        if (fds[0].revents)
            (void) !read(all->wake_fd, &ticks, sizeof ticks);
        for (size_t i = pipes; i-- > 0;) { /* backwards: the last one takes a dropped one's place */
            pipe_pair *p = all->pipes[i];
            link_state state = now[p->link].state;
            short node = fds[SLOTS + 2 * (int) i].revents, server = fds[SLOTS + 2 * (int) i + 1].revents;
            bool lives = true;
            if (state == LINK_OPEN || state == LINK_MUTE)
                lives = carry(&p->up, p->node_fd, p->server_fd, node, &now[p->link].bytes);
            if (lives && state == LINK_OPEN)
                lives = carry(&p->down, p->server_fd, p->node_fd, server, &now[p->link].bytes);
            if (!lives || state == LINK_CUT)
                drop(all, i);
        }
        for (int i = 0; i < count; i++)
            if (fds[1 + i].revents)
                take_one(all, i, &now[i]);
    }
    free(fds);
}

static void *run(void *ctx)
{
    links *all = ctx;
    link_entry now[LINKS_MAX];
    for (bool is_over = false; !is_over;) {
        pthread_mutex_lock(&all->mutex);
        is_over = all->is_over;
        int count = all->count;
        memcpy(now, all->entries, sizeof now);
        all->seen = all->asked;
        pthread_cond_broadcast(&all->has_seen);
        pthread_mutex_unlock(&all->mutex);
        for (size_t i = all->pipe_count; i-- > 0;)
            if (now[all->pipes[i]->link].state == LINK_CUT)
                drop(all, i);
        poll_once(all, now, count);
        pthread_mutex_lock(&all->mutex);
        for (int i = 0; i < count; i++)
            all->entries[i].bytes = now[i].bytes;
        pthread_mutex_unlock(&all->mutex);
    }
    while (all->pipe_count)
        drop(all, all->pipe_count - 1);
    return NULL;
}

static void wake(links *all)
{
    must(write(all->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) == sizeof(uint64_t), "waking the links");
}

links *links_new(void)
{
    links *all = ctn_calloc(1, sizeof *all);
    pthread_mutex_init(&all->mutex, NULL);
    pthread_cond_init(&all->has_seen, NULL);
    all->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(all->wake_fd >= 0 && pthread_create(&all->thread, NULL, run, all) == 0, "starting the links");
    return all;
}

void links_free(links *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->mutex);
    all->is_over = true;
    pthread_mutex_unlock(&all->mutex);
    wake(all);
    pthread_join(all->thread, NULL);
    for (int i = 0; i < all->count; i++)
        close(all->entries[i].listener);
    close(all->wake_fd);
    pthread_cond_destroy(&all->has_seen);
    pthread_mutex_destroy(&all->mutex);
    free(all);
}

int link_add(links *all, int to_port, unsigned from, int *ret_port)
{
    struct sockaddr_in address = address_of(INADDR_LOOPBACK, 0);
    socklen_t len = sizeof address;
    link_entry entry = {.to_port = to_port, .from = from};
    entry.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    must(entry.listener >= 0 && bind(entry.listener, (struct sockaddr *) &address, sizeof address) == 0 &&
             listen(entry.listener, 64) == 0 && getsockname(entry.listener, (struct sockaddr *) &address, &len) == 0,
         "a link's port");
    *ret_port = ntohs(address.sin_port);
    pthread_mutex_lock(&all->mutex);
    if (all->count == LINKS_MAX)
        abort();
    int link = all->count++;
    all->entries[link] = entry;
    pthread_mutex_unlock(&all->mutex);
    wake(all);
    return link;
}

void link_set(links *all, int link, link_state state)
{
    pthread_mutex_lock(&all->mutex);
    all->entries[link].state = state;
    unsigned change = ++all->asked;
    wake(all);
    while ((int) (all->seen - change) < 0) /* else who calls next meets the link as it was */
        pthread_cond_wait(&all->has_seen, &all->mutex);
    pthread_mutex_unlock(&all->mutex);
}

uint64_t link_bytes(links *all, int link)
{
    pthread_mutex_lock(&all->mutex);
    uint64_t bytes = all->entries[link].bytes;
    pthread_mutex_unlock(&all->mutex);
    return bytes;
}
