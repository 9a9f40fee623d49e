/*
 * link.h -- the network between a node and a server, on loopback, which a test cuts, freezes and mends.
 *
 * A link listens on a port of its own and carries what comes to the server and back. The server sees who is calling by
 * the address (127.0.0.FROM): so it can be said of each transaction which node made it, whatever that node believes.
 */
#pragma once
#include <stdint.h>

typedef enum link_state {
    LINK_OPEN,
    LINK_CUT,    /* what is there is reset, what is new is refused */
    LINK_FROZEN, /* nothing goes either way, nothing closes; what was on its way arrives when it is open again */
    LINK_MUTE    /* what the node says arrives, what the server answers does not: a commit whose answer is lost */
} link_state;

typedef struct links links; /* all of a test, carried by one thread */

links *links_new(void);
void links_free(links *all); /* resets everything; NULL is fine */
/* A link to 127.0.0.1:to_port; its own port. At most 16. */
int link_add(links *all, int to_port, unsigned from, int *ret_port);
void link_set(links *all, int link, link_state state); /* holds when it returns */
uint64_t link_bytes(links *all, int link); /* that went through, both ways */
