/*
 * program.h -- a program that a benchmark starts, watches and ends: the real catena, mostly.
 */
#pragma once
#include <sys/types.h>

typedef struct bench_program {
    pid_t pid;
    int out; /* its stdout, to be read; its stderr is ours */
} bench_program;

/* argv[0] is a path; cwd NULL: ours. */
bench_program bench_program_start(const char *const *argv, const char *cwd);
/* Its exit status, or -signal. Closes `out`. */
int bench_program_wait(bench_program *program);
int bench_program_end(bench_program *program, int signal_number); /* kill and wait */

void bench_sleep(double span_s);
/* Makes FOLDER/NAME of the text. */
void bench_file_write(const char *folder, const char *name, const char *text);

/* A port of 127.0.0.1 that nobody has now. */
int bench_free_port(void);
/* A connection to a port of 127.0.0.1 that sends what it is given at once; -1: nobody listens there. */
int bench_dial(int port);
