/* Questions of js rules on their way to JavaScript: libmilter's threads. */
#ifndef ADDON_ASK_H
#define ADDON_ASK_H

#include <stddef.h>

#include "addon/queue.h"

struct js_host;

/* Before there are sessions. */
void ask_open(struct queue *);
extern const struct js_host ask_host;

/* Threads that have asked and have not taken their answer to the session. */
unsigned long ask_running(void);

/* A policy is no more: see host_next_freed. */
void ask_freed(unsigned long generation);
unsigned long ask_next_freed(void);

#endif
