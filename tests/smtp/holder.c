/*
 * Holds a listening socket, as systemd does, and restarts a program that
 * serves it.
 *
 *	holder PORT RESTARTS PROGRAM ARGUMENT...
 *
 * Runs `PROGRAM -p fd:3 ARGUMENT...`, ends it with TERM a moment later, waits
 * for it and runs it again, RESTARTS times; prints `restarted N`.  The last
 * one runs until TERM, which is passed on.  Exit: 0 if every run ended with 0.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LISTEN_FD = 3, MOMENT_NS = 400000000 };

static volatile sig_atomic_t stopped;

static void
on_term(int sig)
{
	(void)sig;
	stopped = 1;
}

static void
hold(const char *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(fd, SOMAXCONN) != 0 || dup2(fd, LISTEN_FD) < 0) {
		perror("holder");
		exit(2);
	}
	if (fd != LISTEN_FD)
		close(fd);
}

static pid_t
start(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	return pid;
}

static int
stop(pid_t pid)
{
	int status = 0;

	kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0)
		continue;
	return status;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_term };
	static char *args[64] = { NULL, (char *)"-p", (char *)"fd:3" };
	int status = 0;

	if (argc < 4 || argc > 60) {
		fputs("usage: holder PORT RESTARTS PROGRAM ARGUMENT...\n",
		    stderr);
		return 2;
	}
	hold(argv[1]);
	sigaction(SIGTERM, &sa, NULL);
	args[0] = argv[3];
	for (int i = 4; i < argc; i++)
		args[i - 1] = argv[i];
	pid_t pid = start(args);
	for (int i = 1; i <= atoi(argv[2]) && !stopped; i++) {
		nanosleep(&(struct timespec){ 0, MOMENT_NS }, NULL);
		status |= stop(pid);
		pid = start(args);
		printf("restarted %d\n", i);
		fflush(stdout);
	}
	while (!stopped)
		pause();
	status |= stop(pid);
	return status == 0 ? 0 : 1;
}
