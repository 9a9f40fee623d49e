/*
 * notify.h -- tells systemd how far a service is (sd_notify(3)): NOTIFY_SOCKET of the environment, one datagram.
 */
#pragma once

/* "READY=1", "STOPPING=1". Without a socket, or when nobody listens, nothing happens. */
void ctn_notify(const char *state);
