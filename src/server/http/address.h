/*
 * address.h -- where is listened: an address of ours as text, and the socket that listens there.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"

/* Errors as ctn_web_open. name: where it listens, with the port that the system has picked. */
int ctn_web_listen(ctn_str address, int *ret_fd, char *name, size_t name_bytes, ctn_err *err);
