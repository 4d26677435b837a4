/* The least that a burst can be: bare_loop PORT CLIENTS
 *
 * All sockets are made first, then one loop of non-blocking connects. Prints the seconds between
 * the first and the last call, and ends with its standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int clients = atoi(argv[2]);
    int *sockets = malloc(clients * sizeof *sockets);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < clients; i++) {
        sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (sockets[i] < 0) {
            perror("socket");
            return 1;
        }
    }
    double first = now(), last = first;
    for (int i = 0; i < clients; i++) {
        last = now();
        if (connect(sockets[i], (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
            perror("connect");
            return 1;
        }
    }
    printf("%.9f\n", last - first);
    fflush(stdout);
    char end[64];
    while (read(STDIN_FILENO, end, sizeof end) > 0) {
    }
    return 0;
}
