/*
 * banned.h -- functions nobody here calls. Given to the compiler before every source of src/ and travel/.
 *
 * After this header the names below do not compile, in gcc and in clang. What to use instead:
 *   strcpy strcat strncpy strncat sprintf vsprintf gets   snprintf, ctn_buf, ctn_arena_printf: they know the size
 *   strtok localtime gmtime ctime asctime                 ctn_str_cut, gmtime_r: no hidden shared state
 *   atoi atol atoll atof                                  ctn_str_to_int64: it says when the text is no number
 *   system popen                                          loop/spawn.h: no shell reads our arguments
 *   rand srand srandom                                    ctn_rng: handed in, so that a simulator can
 *   alloca                                                an arena: the stack has no limit to ask
 *   mktemp tmpnam                                         mkstemp, mkdtemp: nobody gets in between
 */
#pragma once

/* The system's headers declare these names, so they come first. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef alloca
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison strtok localtime gmtime ctime asctime
#pragma GCC poison atoi atol atoll atof
#pragma GCC poison system popen
#ifndef CTN_OPENSSL_SAYS_RAND /* src/oauth/sign.c: a name of its parameters */
#pragma GCC poison rand srand srandom
#endif
#pragma GCC poison alloca mktemp tmpnam
