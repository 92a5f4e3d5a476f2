/*
 * libmilter serves one milter in a process, once: its state is global, and
 * what was stopped cannot be started again.
 */
#ifndef ADDON_CLAIM_H
#define ADDON_CLAIM_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The process becomes that of `who`, a static text such as "serve()", for
 * good.  NULL, or who came first: another part of the addon, another instance
 * or another thread's.  Any thread.
 */
const char *claim_process(const char *who);

/* It was not to be: nothing was started.  Only by the one who has it. */
void claim_return(void);

#ifdef __cplusplus
}
#endif

#endif
