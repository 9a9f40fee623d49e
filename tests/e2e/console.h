/*
 * console.h -- a page of the documentation is true: its ```console blocks are run by sh in the world's folder. Behind
 * each command (`$ ...`) stand lines of what it prints: each is there, its parts around "..." in that order.
 *
 * All commands of a block run in one shell, so that what one sets the next can use.
 */
#pragma once
#include "e2e/cli_kit.h"

/* The page (docs/PAGE) from its first line to its last. Each block begins with the lines of `before`. A ```yaml block
 * whose first line is `# file: PATH` is written to `folder`/PATH as it is met. Gives the number of console blocks. */
size_t console_page(world *w, const char *page, const char *folder, const char *before);
