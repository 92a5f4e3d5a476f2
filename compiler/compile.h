/*
 * From a .milt file to an image.  The passes, in order: read, parse, resolve,
 * check, lower, stage, (lint), index, emit, verify.
 */
#ifndef COMPILER_COMPILE_H
#define COMPILER_COMPILE_H

#include "compiler/ir.h"
#include "runtime/image.h"

struct compilation {
	struct arena arena; /* owns all but the image */
	jmp_buf no_memory;
	struct sources sources;
	struct diags diags;
	struct ast_file *file; /* the file named; NULL if it was not read */
	VEC(struct ast_file *) files; /* it and all included, each once */
	VEC(struct str) watched;      /* paths of lists, for reload */
	struct ir *ir;                /* NULL after errors */
	struct plan *plan;            /* compiler/plan.h */
	void *image;                  /* malloc'ed bytes; NULL after errors */
	size_t image_size;
};

struct compile_options {
	bool lint;     /* also run lint.c: warnings */
	bool all;      /* keep all diagnostics, not LIMIT_ERRORS */
	size_t memory; /* limit in bytes; 0: LIMIT_COMPILER_MEMORY */
	bool plain;    /* every rule is looked at at every stage: what the
			  index is compared with */
	bool cost;     /* the plan of a policy beyond its budget, too: that is
			  MILT_OK without an image, and an error in c->diags */
};

/*
 * Compiles.  MILT_OK: c->image is there (warnings may be, too).  MILT_INVALID:
 * c->diags has errors.  MILT_NO_MEMORY.  MILT_SYSTEM: the named file cannot be
 * read (errno; also a diagnostic).  In every case milt_compile_free(c) is due.
 */
enum milt_status milt_compile(
    struct compilation *c, const char *path, const struct compile_options *);

/* The same for a text in memory; `path` is its name in diagnostics. */
enum milt_status milt_compile_text(struct compilation *c, struct str path,
    struct str text, const struct compile_options *);

/*
 * Reads and parses one file, without what it includes ("-": standard input):
 * c->file, for the formatter and dumps.  Results as for milt_compile.
 */
enum milt_status milt_parse_file(struct compilation *c, const char *path);

void milt_compile_free(struct compilation *c);

/* ---- the passes; each reports to c->diags --------------------------- */

/* Parses `source` and what it includes, into c->files. */
void pass_read(struct compilation *c, uint32_t source);
/* Names to what they stand for; list files are read. */
void pass_resolve(struct compilation *c);
/* Types of comparisons, literals, texts, replies, tests. */
void pass_check(struct compilation *c);
/* To c->ir.  Only without errors. */
void pass_lower(struct compilation *c);
/* Stages, scopes, holds, pins: what SMTP cannot do is an error. */
void pass_stage(struct compilation *c);
/* Warnings. */
void pass_lint(struct compilation *c);
/*
 * How each rule is reached: c->plan.  `plain`: all rules are looked at at every
 * stage, from the beginning.
 */
void pass_index(struct compilation *c, bool plain);
/* To c->image.  Only without errors. */
enum milt_status pass_emit(struct compilation *c);

#endif
