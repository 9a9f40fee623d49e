/*
 * peer_family.c -- a child that does what children do, and worse. First argument:
 *
 *   family FILE   makes descendants of every kind that could slip away, appends the pid of each to FILE (the word
 *                 "complete" last), and then all of them sleep for ever, deaf to SIGTERM and SIGHUP
 *   env           prints its environment, one variable a line
 *   state         prints what it has inherited: signals, group, descriptors
 *   exit N        exits with N;   die N: raises signal N;   sleep: for ever
 *   shout         one line on each of stdout and stderr, then copies stdin to stdout
 *   cwd           prints its folder
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static void note(int file, const char *what)
{
    char line[64];
    int len = snprintf(line, sizeof line, "%ld %s\n", (long) getpid(), what);
    (void) !write(file, line, (size_t) len);
}

/* Notes itself, then sleeps. */
static void make(int file, const char *what, int in_session, int generations)
{
    if (fork() != 0)
        return;
    if (in_session)
        setsid();
    if (generations > 1) {
        make(file, what, in_session, generations - 1);
        usleep(50000);
        _exit(0); /* an orphan is left */
    }
    note(file, what);
    sleep_for_ever();
}

static _Noreturn void family(const char *path)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    note(file, "child");
    make(file, "grandchild", 0, 1);
    make(file, "grandchild-in-a-session", 1, 1);
    make(file, "daemon", 0, 2);
    make(file, "daemon-in-a-session", 1, 3);
    if (fork() == 0) { /* whole and apart, with children of its own */
        setsid();
        note(file, "leader");
        make(file, "great-grandchild", 0, 1);
        make(file, "great-grandchild-in-a-session", 1, 1);
        sleep_for_ever();
    }
    usleep(300000);
    note(file, "complete");
    sleep_for_ever();
}

static void print_state(void)
{
    int ignored = 0, blocked = 0, open_count = 0;
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    for (int number = 1; number < 32; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            ignored++;
        blocked += sigismember(&mask, number) == 1;
    }
    DIR *fds = opendir("/proc/self/fd");
    struct dirent *entry;
    while ((entry = readdir(fds)))
        open_count += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(fds);
    closedir(fds);
    printf("ignored=%d blocked=%d open=%d own_group=%d tty=%d\n", ignored, blocked, open_count, getpgrp() == getpid(),
           open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    const char *argument = argc > 2 ? argv[2] : "";
    if (strcmp(verb, "family") == 0)
        family(argument);
    if (strcmp(verb, "env") == 0)
        for (char **variable = environ; *variable; variable++)
            puts(*variable);
    if (strcmp(verb, "state") == 0)
        print_state();
    if (strcmp(verb, "exit") == 0)
        return atoi(argument);
    if (strcmp(verb, "die") == 0)
        raise(atoi(argument));
    if (strcmp(verb, "sleep") == 0)
        sleep_for_ever();
    if (strcmp(verb, "cwd") == 0) {
        char folder[4096];
        puts(getcwd(folder, sizeof folder) ? folder : "?");
    }
    if (strcmp(verb, "shout") == 0) {
        fputs("to stderr\n", stderr);
        puts("to stdout");
        fflush(stdout);
        char line[256];
        while (fgets(line, sizeof line, stdin))
            fputs(line, stdout);
    }
    return 0;
}
