/* Types of operands: what a test may be asked of. */
#include "runtime/verify.h"

/* What can be done with a value of a type. */
enum kind { KIND_NAME, KIND_ADDRESS, KIND_IP, KIND_NUMBER, KIND_RECORD };

static enum kind
ref_kind(const struct image_ref *ref)
{
	if (ref->from == REF_COUNT)
		return KIND_NUMBER;
	switch (attr_rows[ref->attr].type) {
	case TYPE_TEXT:
	case TYPE_DOMAIN:
		return KIND_NAME;
	case TYPE_ADDRESS:
		return KIND_ADDRESS;
	case TYPE_IP:
	case TYPE_NETWORK:
		return KIND_IP;
	case TYPE_NUMBER:
	case TYPE_SIZE:
	case TYPE_DURATION:
	case TYPE_TIME:
	case TYPE_DATE:
	case TYPE_WEEKDAY:
	case TYPE_RESULT:
	case TYPE_BOOLEAN:
		return KIND_NUMBER;
	case TYPE_NONE:
	case TYPE_RECORD:
	case TYPE_COUNT:
		return KIND_RECORD;
	}
	return KIND_RECORD;
}

static bool
has_text(const struct image_ref *ref)
{
	return ref->from != REF_COUNT && ref_kind(ref) != KIND_RECORD;
}

static bool
list_fits(const struct image_ref *ref, const struct image_list *list)
{
	switch (list->type) {
	case TYPE_TEXT:
		return has_text(ref);
	case TYPE_DOMAIN:
		return ref_kind(ref) == KIND_NAME;
	case TYPE_ADDRESS:
		return ref_kind(ref) == KIND_NAME ||
		       ref_kind(ref) == KIND_ADDRESS;
	case TYPE_NETWORK:
		return ref_kind(ref) == KIND_IP;
	case TYPE_NUMBER:
		return ref_kind(ref) == KIND_NUMBER;
	}
	return false;
}

/* As keys of a's type. */
static bool
keys_agree(const struct image_ref *a, const struct image_ref *b)
{
	switch (ref_kind(a)) {
	case KIND_NAME:
	case KIND_ADDRESS:
		return ref_kind(b) == KIND_NAME || ref_kind(b) == KIND_ADDRESS;
	case KIND_IP:
		return ref_kind(b) == KIND_IP;
	case KIND_NUMBER:
		return ref_kind(b) == KIND_NUMBER;
	case KIND_RECORD:
		return false;
	}
	return false;
}

static bool
operands_fit(const struct milt_image *im, const struct image_insn *in)
{
	const struct image_ref *a = &im->refs[in->a];

	switch ((enum opcode)in->op) {
	case OPC_EXISTS:
		return a->from != REF_COUNT;
	case OPC_MALFORMED:
		return a->from == REF_VALUE && !attr_rows[a->attr].keyed &&
		       attr_rows[a->attr].source == SOURCE_HEADER;
	case OPC_YES:
		return attr_rows[a->attr].type == TYPE_BOOLEAN;
	case OPC_IS:
		if (ref_kind(a) == KIND_IP)
			return im->texts[in->b].length == 16 ||
			       im->texts[in->b].length == 32;
		return ref_kind(a) == KIND_NAME || ref_kind(a) == KIND_ADDRESS;
	case OPC_IS_EXACT:
	case OPC_CONTAINS:
	case OPC_CONTAINS_EXACT:
	case OPC_STARTS:
	case OPC_STARTS_EXACT:
	case OPC_ENDS:
	case OPC_ENDS_EXACT:
	case OPC_LIKE:
	case OPC_LIKE_EXACT:
	case OPC_MATCH:
		return has_text(a);
	case OPC_IN:
		return list_fits(a, &im->lists[in->b]);
	case OPC_UNDER:
		return ref_kind(a) == KIND_NAME &&
		       im->lists[in->b].type == TYPE_DOMAIN;
	case OPC_EQ:
	case OPC_LT:
	case OPC_LE:
	case OPC_GT:
	case OPC_GE:
		return ref_kind(a) == KIND_NUMBER;
	case OPC_IS_REF:
		return keys_agree(a, &im->refs[in->b]);
	case OPC_IS_EXACT_REF:
	case OPC_CONTAINS_REF:
	case OPC_STARTS_REF:
	case OPC_ENDS_REF:
		return has_text(a) && has_text(&im->refs[in->b]);
	case OPC_UNDER_REF:
		return ref_kind(a) == KIND_NAME &&
		       ref_kind(&im->refs[in->b]) == KIND_NAME;
	case OPC_LT_REF:
	case OPC_LE_REF:
	case OPC_GT_REF:
	case OPC_GE_REF:
		return ref_kind(a) == KIND_NUMBER &&
		       ref_kind(&im->refs[in->b]) == KIND_NUMBER;
	case OPC_CONST:
	case OPC_AND:
	case OPC_OR:
	case OPC_NOT:
	case OPC_JUMP_FALSE:
	case OPC_JUMP_TRUE:
	case OPC_RECALL:
	case OPC_KEEP:
	case OPC_EACH:
	case OPC_HALT:
	case OPC_COUNT:
		return true;
	}
	return false;
}

const char *
verify_operands(const struct verifier *v, const struct image_insn *in)
{
	return operands_fit(v->im, in)
		   ? NULL
		   : "a test is asked of a value of the wrong type";
}
