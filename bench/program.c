/*
 * program.c -- see program.h.
 */
#include "program.h"
#include "kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

bench_program bench_program_start(const char *const *argv, const char *cwd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        bench_die("pipe", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        bench_die("fork", strerror(errno));
    if (pid == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of the measuring */
        if ((!cwd || chdir(cwd) == 0) && dup2(ends[1], STDOUT_FILENO) >= 0)
            execv(argv[0], (char *const *) argv);
        _exit(127);
    }
    close(ends[1]);
    return (bench_program){.pid = pid, .out = ends[0]};
}

int bench_program_wait(bench_program *program)
{
    int status = 0;
    while (waitpid(program->pid, &status, 0) < 0)
        if (errno != EINTR)
            bench_die("wait", strerror(errno));
    close(program->out);
    program->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int bench_program_end(bench_program *program, int signal_number)
{
    kill(program->pid, signal_number);
    return bench_program_wait(program);
}

void bench_sleep(double span_s)
{
    struct timespec t = {.tv_sec = (time_t) span_s};
    t.tv_nsec = (long) ((span_s - (double) t.tv_sec) * 1e9);
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

void bench_file_write(const char *folder, const char *name, const char *text)
{
    char path[BENCH_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        bench_die(path, strerror(errno));
}

int bench_free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *) &at, sizeof at) || getsockname(fd, (struct sockaddr *) &at, &len))
        bench_die("a port", strerror(errno));
    close(fd);
    return ntohs(at.sin_port);
}

int bench_dial(int port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &to, sizeof to)) {
        close(fd);
        return -1;
    }
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}
