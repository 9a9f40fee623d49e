/* peer_socket.c -- a program that makes a socket of the family that it is told, and a pair; and says why it could not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    int pair[2], family = AF_UNIX;
    if (argc > 1 && strcmp(argv[1], "inet") == 0)
        family = AF_INET;
    else if (argc > 1 && strcmp(argv[1], "inet6") == 0)
        family = AF_INET6;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) {
        fprintf(stderr, "no pair: %s\n", strerror(errno));
        return 2;
    }
    if (socket(family, SOCK_STREAM, 0) < 0) {
        fprintf(stderr, "no socket: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
