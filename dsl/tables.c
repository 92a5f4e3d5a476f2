#include "dsl/tables.h"

#include <libmilter/mfapi.h>
#include <xxhash.h>

const struct stage_row stage_rows[STAGE_COUNT] = {
#define STAGE(id, name, event, doc) { STR(name), STR(event), STR(doc) },
#include "dsl/stages.def"
#undef STAGE
};

const struct type_row type_rows[TYPE_COUNT] = {
	{ STR(""), STR("nothing"), STR("nothing"), STR(""), KEY_NONE },
#define TYPE(id, name, phrase, plural, key, doc) \
	{ STR(name), STR(phrase), STR(plural), STR(doc), KEY_##key },
#include "dsl/types.def"
#undef TYPE
};

const struct result_row result_rows[RESULT_COUNT] = {
#define RESULT(id, name, doc) { STR(name), STR(doc) },
#include "dsl/results.def"
#undef RESULT
};

#define NOKEY false
#define KEYED true
#define FROM(stage) STAGE_##stage
#define ONE false
#define MANY true
#define SOURCE_OF(source) SOURCE_COLUMN_##source
#define SOURCE_COLUMN_ARG SOURCE_ARG, STR("")
#define SOURCE_COLUMN_MACRO(name) SOURCE_MACRO, STR(name)
#define SOURCE_COLUMN_HEADER SOURCE_HEADER, STR("")
#define SOURCE_COLUMN_AUTHRES SOURCE_AUTHRES, STR("")
#define SOURCE_COLUMN_BODY SOURCE_BODY, STR("")
#define SOURCE_COLUMN_SIZES SOURCE_SIZES, STR("")
#define SOURCE_COLUMN_CLOCK SOURCE_CLOCK, STR("")
#define SOURCE_COLUMN_PARTS SOURCE_PARTS, STR("")
#define SOURCE_COLUMN_TEXTS SOURCE_TEXTS, STR("")
#define SOURCE_COLUMN_URLS SOURCE_URLS, STR("")
#define SOURCE_COLUMN_FILES SOURCE_FILES, STR("")
#define SOURCE_COLUMN_KINDS SOURCE_KINDS, STR("")
#define SOURCE_COLUMN_DIGESTS SOURCE_DIGESTS, STR("")
#define SOURCE_COLUMN_FILE_TEXTS SOURCE_FILE_TEXTS, STR("")

const struct attr_row attr_rows[ATTR_COUNT] = {
	{ .name = STR("") },
#define ATTR(id, name, type, key, from, scope, count, source, doc, example) \
	{ STR(name), TYPE_##type, key, from, SCOPE_##scope, count,          \
		SOURCE_OF(source), STR(doc), STR(example) },
#include "dsl/attributes.def"
#undef ATTR
};

const struct action_row action_rows[ACTION_COUNT] = {
	{ .name = STR("") },
#define ACTION(id, name, kind, smfif, doc, example) \
	{ STR(name), ACTION_##kind, smfif, STR(doc), STR(example) },
#include "dsl/actions.def"
#undef ACTION
};

bool
action_changes_body(unsigned action)
{
	return action_rows[action].smfif & SMFIF_CHGBODY;
}

bool
action_is_answer(unsigned action, bool body)
{
	const struct action_row *row = &action_rows[action];

	return row->kind == ACTION_CHANGE && row->smfif &&
	       (body || !action_changes_body(action));
}

#define ROW_NUMBER(name, def, min, max, doc, example)                 \
	{ STR(name), OPTION_NUMBER, def, min, max, STR(""), STR(doc), \
		STR(example) },
#define ROW_SIZE(name, def, min, max, doc, example)                 \
	{ STR(name), OPTION_SIZE, def, min, max, STR(""), STR(doc), \
		STR(example) },
#define ROW_CHOICE(name, def, min, max, doc, example)                 \
	{ STR(name), OPTION_CHOICE, def, min, max, STR(""), STR(doc), \
		STR(example) },
#define ROW_TEXT(name, def, min, max, doc, example)                \
	{ STR(name), OPTION_TEXT, 0, min, max, STR(def), STR(doc), \
		STR(example) },

const struct operator_row operator_rows[OP_COUNT] = {
#define OPERATOR(id, words, takes, doc) { STR(words), STR(takes), STR(doc) },
#include "dsl/operators.def"
#undef OPERATOR
};

const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(id, name, kind, def, min, max, doc, example) \
	ROW_##kind(name, def, min, max, doc, example)
#define CHOICE(option, id, word)
#include "dsl/options.def"
#undef OPTION
#undef CHOICE
};

const struct choice_row choice_rows[] = {
#define OPTION(id, name, kind, def, min, max, doc, example)
#define CHOICE(option, id, word) { OPTION_##option, id, STR(word) },
#include "dsl/options.def"
#undef OPTION
#undef CHOICE
};
const size_t choice_row_count = sizeof(choice_rows) / sizeof(*choice_rows);

const struct macro_row macro_rows[] = {
#define MACRO_ROW(name, stage, scope, doc) \
	{ STR(name), STAGE_##stage, SCOPE_##scope, STR(doc) },
#include "dsl/macros.def"
#undef MACRO_ROW
};
const size_t macro_row_count = sizeof(macro_rows) / sizeof(*macro_rows);

const struct collection_row collection_rows[] = {
#define COLLECTION(singular, plural, attr) \
	{ STR(singular), STR(plural), ATTR_##attr },
#include "dsl/collections.def"
#undef COLLECTION
};
const size_t collection_row_count =
    sizeof(collection_rows) / sizeof(*collection_rows);

const struct limit_row limit_rows[LIMIT_COUNT] = {
#define LIMIT(id, value, doc) { STR(#id), value, false, STR(doc) },
#define LIMIT_COUNTED(id, value, doc) { STR(#id), value, true, STR(doc) },
#include "dsl/limits.def"
#undef LIMIT
};

const enum milt_option counted_options[] = {
#define OPTION(id, name, kind, def, min, max, doc, example)
#define CHOICE(option, id, word)
#define OPTION_COUNTED(option) OPTION_##option,
#include "dsl/options.def"
#undef OPTION
#undef CHOICE
};
const size_t counted_option_count =
    sizeof(counted_options) / sizeof(*counted_options);

bool
attr_is_raw(enum milt_attr attr)
{
	return attr == ATTR_RAW_HEADER || attr == ATTR_BODY_RAW;
}

enum milt_attr
attr_by_name(struct str name)
{
	for (int i = 1; i < ATTR_COUNT; i++)
		if (str_eq(attr_rows[i].name, name))
			return (enum milt_attr)i;
	return ATTR_NONE;
}

enum milt_type
type_by_name(struct str name)
{
	for (int i = 1; i < TYPE_COUNT; i++)
		if (name.n && str_eq(type_rows[i].name, name))
			return (enum milt_type)i;
	return TYPE_NONE;
}

int
option_by_name(struct str name)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (str_eq(option_rows[i].name, name))
			return i;
	return -1;
}

int
result_by_name(struct str name)
{
	for (int i = 0; i < RESULT_COUNT; i++)
		if (str_eq_ascii(result_rows[i].name, name))
			return i;
	return -1;
}

const struct macro_row *
macro_by_name(struct str name)
{
	if (name.n > 2 && name.p[0] == '{' && name.p[name.n - 1] == '}')
		name = (struct str){ name.p + 1, name.n - 2 };
	for (size_t i = 0; i < macro_row_count; i++)
		if (str_eq(macro_rows[i].name, name))
			return &macro_rows[i];
	return NULL;
}

/* The rows as text, so that any change of a row changes the hash. */
static const char rows[] =
#define STAGE(...) #__VA_ARGS__ ";"
#include "dsl/stages.def"
#undef STAGE
#define TYPE(...) #__VA_ARGS__ ";"
#include "dsl/types.def"
#undef TYPE
#define RESULT(...) #__VA_ARGS__ ";"
#include "dsl/results.def"
#undef RESULT
#define ATTR(...) #__VA_ARGS__ ";"
#include "dsl/attributes.def"
#undef ATTR
#define ACTION(...) #__VA_ARGS__ ";"
#include "dsl/actions.def"
#undef ACTION
#define OPERATOR(...) #__VA_ARGS__ ";"
#include "dsl/operators.def"
#undef OPERATOR
#define OPTION(...) #__VA_ARGS__ ";"
#define CHOICE(...) #__VA_ARGS__ ";"
#include "dsl/options.def"
#undef OPTION
#undef CHOICE
#define LIMIT(...) #__VA_ARGS__ ";"
#include "dsl/limits.def"
#undef LIMIT
#define MACRO_ROW(...) #__VA_ARGS__ ";"
#include "dsl/macros.def"
#undef MACRO_ROW
#define OPCODE(...) #__VA_ARGS__ ";"
#include "dsl/opcodes.def"
#undef OPCODE
    ;

uint64_t
tables_hash(void)
{
	return XXH3_64bits(rows, sizeof(rows));
}
