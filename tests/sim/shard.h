/*
 * shard.h -- a half of the random worlds of a test run, so that both cores have one. How many there are in all is the
 * build's affair (SIM_WORLDS, tests/CMakeLists.txt): 20,000, and fewer where sanitizers make them slow.
 */
#pragma once

/* A cmocka program's main: worlds of the nth half, 0 or 1. */
int shard_main(int nth);
