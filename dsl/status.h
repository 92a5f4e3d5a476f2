/* Results of calls that depend on the world.  0 is success. */
#ifndef DSL_STATUS_H
#define DSL_STATUS_H

enum milt_status {
	MILT_OK = 0,
	MILT_QUESTION,  /* evaluation is suspended: answer, then call again */
	MILT_INVALID,   /* the policy has errors, or the image is damaged */
	MILT_NO_MEMORY, /* malloc failed or an arena's limit is reached */
	MILT_SYSTEM,    /* a system call failed: errno says why */
	MILT_OTHER_TABLES, /* image of another build: compile it again */
};

#endif
