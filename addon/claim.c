#include "addon/claim.h"

#include <stdatomic.h>
#include <stddef.h>

static _Atomic(const char *) owner;

const char *
claim_process(const char *who)
{
	const char *before = NULL;

	atomic_compare_exchange_strong(&owner, &before, who);
	return before;
}

void
claim_return(void)
{
	atomic_store(&owner, NULL);
}
