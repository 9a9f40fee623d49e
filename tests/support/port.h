/*
 * port.h -- a port on loopback for a server that is started later, and perhaps several times.
 */
#pragma once

/* One that nobody had a moment ago. Linux takes such ones from the odd half, and those of outgoing connections from the
 * even one, so it stays free while its server is down. Aborts when there is none. */
int free_port(void);
