/*
 * The process: descriptors, users, the background, the pid file, systemd.
 * All before there are threads, unless said.
 */
#ifndef RUNTIME_PROCESS_H
#define RUNTIME_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Descriptors 0 to 2 are open afterwards: no socket may become one of them. */
bool process_standard_files(void);

/* Raises the limit on open files as far as permitted, and returns it. */
unsigned long process_raise_files(void);

/* ---- users --------------------------------------------------------------- */

struct identity {
	uid_t uid; /* -1: not given */
	gid_t gid;
	char name[64]; /* of the user, if it has one */
};

/*
 * `user`, `user:group` or `:group`, names or numbers; a user without a group
 * has its own.  On failure false, with a sentence in `why`.
 */
bool identity_parse(
    const char *text, struct identity *out, char *why, size_t why_size);

/* For a moment, and back; as root only, otherwise nothing happens. */
bool identity_borrow(const struct identity *);
bool identity_return(void);

/* For good: user, group and supplementary groups.  errno on failure. */
bool identity_become(const struct identity *);

/* ---- background ---------------------------------------------------------- */

/*
 * Goes into the background.  The process that was started waits until
 * process_ready() and then exits 0; if we end before that, it exits with
 * `failure`.  False with errno if there can be no second process.
 */
bool process_detach(int failure);

/*
 * Serving begins: tells who waits for it.  `silence`: standard error becomes
 * /dev/null where we are in the background.
 */
void process_ready(bool silence);

/* A state for systemd, such as "READY=1"; nothing without it. Any thread. */
void process_notify(const char *state);

/* How many sockets systemd passed, from descriptor 3 on. */
int process_passed_sockets(void);

bool pidfile_write(const char *path);
void pidfile_remove(void); /* the one that was written */

#endif
