/*
 * world.h -- the real binary in a folder of its own: started, killed, and what it left.
 */
#pragma once
#include "engine/engine.h"
#include <sys/types.h>

#define CATENA CATENA_BUILD_DIR "/catena"

typedef struct world {
    char folder[256];
    ctn_arena *arena; /* for what is read out of stores */
} world;

void world_make(world *w);   /* an empty folder */
void world_remove(world *w); /* with everything in it */
/* Both with paths relative to the folder. */
void world_write(const world *w, const char *name, const char *text);
ctn_str world_read(world *w, const char *name); /* empty when there is no such file */

/* In the folder, stdout and stderr into files of those names. argv ends with NULL. */
pid_t world_start(const world *w, const char *const *argv);
int world_wait(pid_t pid); /* exit code, or -signal */
int world_run(const world *w, const char *const *argv);
void world_show(world *w, const char *name); /* a file's lines to our stderr, for a failing test */
void world_sleep_us(long us);

/* The newest execution of the store FILE in the folder, folded from its journal; NULL: none. In the arena, which is
 * reset. */
const ctn_execution *world_newest(world *w, const char *file, ctn_execution_row *ret_row);
