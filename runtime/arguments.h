/*
 * The command line of milterd.
 */
#ifndef RUNTIME_ARGUMENTS_H
#define RUNTIME_ARGUMENTS_H

#include "runtime/log.h"
#include "runtime/process.h"
#include "runtime/socket.h"

enum { EXIT_OK, EXIT_POLICY, EXIT_USAGE, EXIT_SYSTEM };

struct arguments {
	const char *policy, *socket, *pidfile;
	const char *metrics, *control; /* sockets; NULL: none */
	struct listen_options listen;
	struct identity user;
	bool daemon, check, strict, verbose, log_given;
	bool js_failure; /* js rules give their on failure */
	enum log_target log;
	enum log_format format;
	unsigned long drain; /* seconds */
	size_t memory;       /* bytes, of all sessions; 0: no limit */
};

/* Ends with a message where the arguments are wrong, and for --help. */
struct arguments arguments_parse(int argc, char **argv);

/* A message on standard error, and the end. */
_Noreturn void milterd_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
