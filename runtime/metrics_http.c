#include <microhttpd.h>
#include <stdlib.h>

#include "runtime/metrics.h"

enum { CLIENTS = 16, TIMEOUT = 10 }; /* seconds */

static enum MHD_Result
answer(struct MHD_Connection *to, unsigned status, struct str text, bool owned)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(text.n, (void *)(uintptr_t)text.p,
		owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!r) {
		if (owned)
			free((void *)(uintptr_t)text.p);
		return MHD_NO;
	}
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
	    status == MHD_HTTP_OK ? "text/plain; version=0.0.4; charset=utf-8"
				  : "text/plain");
	result = MHD_queue_response(to, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *to, const char *url,
    const char *method, const char *version, const char *upload, size_t *size,
    void **state)
{
	struct str text;
	char *p = NULL;
	FILE *f;

	(void)arg;
	(void)version;
	(void)upload;
	(void)state;
	/* A body that is sent with the question is of no interest. */
	if (*size > 0) {
		*size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer(to, MHD_HTTP_METHOD_NOT_ALLOWED,
		    STR("GET /metrics, nothing else\n"), false);
	if (strcmp(url, "/metrics") != 0)
		return answer(to, MHD_HTTP_NOT_FOUND,
		    STR("the metrics are at /metrics\n"), false);
	f = open_memstream(&p, &text.n);
	if (!f)
		return MHD_NO;
	metrics_print(f);
	if (fclose(f) != 0) {
		free(p);
		return MHD_NO;
	}
	text.p = p;
	return answer(to, MHD_HTTP_OK, text, true);
}

/* What clients do wrong is not for our log. */
static void
on_log(void *arg, const char *fmt, va_list ap)
{
	(void)arg;
	(void)fmt;
	(void)ap;
}

bool
metrics_serve(int fd)
{
	return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
				    MHD_USE_ERROR_LOG,
		   0, NULL, NULL, on_request, NULL, MHD_OPTION_EXTERNAL_LOGGER,
		   on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		   MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS,
		   MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT,
		   MHD_OPTION_END) != NULL;
}
