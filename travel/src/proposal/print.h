/*
 * print.h -- HTML to PDF by WeasyPrint, a program of Debian's that an agency may or may not have installed.
 *
 * The program gets a folder of its own under $TMPDIR that is gone when the call returns, no input, no output but its
 * file, an environment of four variables, and a minute. Nothing of the document is in its arguments.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

enum { TRAVEL_PDF_BYTES_MAX = 16 * 1024 * 1024, TRAVEL_PRINT_TIMEOUT_MS = 60000 };

/* CTN_E_NOT_FOUND: `program` is not installed; CTN_E_TIMEOUT, CTN_E_IO: it did not make a PDF; CTN_E_LIMIT: too large.
 */
int travel_print_pdf(ctn_arena *arena, const char *program, ctn_str html, ctn_str *ret_pdf, ctn_err *err);
