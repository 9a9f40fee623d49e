/*
 * relay.h -- the guest's side of control.h's `mcp`: lines of MCP from one pair of descriptors to an owner's socket and
 * back.
 */
#pragma once
#include "base/err.h"

/* Until the owner has nothing more to say; the end of fd_in is told to it. CTN_E_UNSUPPORTED, with its sentence: it
 * does not serve MCP; CTN_E_CLOSED: it went away before it was asked anything. The descriptors stay open. */
int ctn_relay(int socket_fd, int fd_in, int fd_out, ctn_err *err);
