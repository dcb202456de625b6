/* caisson checkpoint: the state of a container's processes into files, through criu. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "bin/oci/oci.h"

static struct host_criu args = HOST_CRIU_INIT;
static const char *page_server;
static struct opt_list empty_ns;

static const struct opt options[] = {
	{ 0, "image-path", "DIR", "where the images go (checkpoint)", OPT_TEXT, &args.image_path },
	{ 0, "work-path", "DIR", "where the log goes (--image-path)", OPT_TEXT, &args.work_path },
	{ 0, "parent-path", "DIR", "images of a pre-dump, relative to --image-path", OPT_TEXT,
	  &args.parent_path },
	{ 0, "leave-running", NULL, "do not end the container", OPT_FLAG, &args.leave_running },
	{ 0, "tcp-established", NULL, "allow open TCP connections", OPT_FLAG,
	  &args.tcp_established },
	{ 0, "tcp-skip-in-flight", NULL, "pass over TCP connections that are being made", OPT_FLAG,
	  &args.tcp_skip_in_flight },
	{ 0, "link-remap", NULL, "allow open files that have no name any more", OPT_FLAG,
	  &args.link_remap },
	{ 0, "ext-unix-sk", NULL, "allow unix sockets to outside", OPT_FLAG, &args.ext_unix_sk },
	{ 0, "shell-job", NULL, "allow shell jobs", OPT_FLAG, &args.shell_job },
	{ 0, "lazy-pages", NULL, "memory is fetched on demand at the restore", OPT_FLAG,
	  &args.lazy_pages },
	{ 0, "status-fd", "FD", "descriptor to which criu tells that its page server is ready",
	  OPT_INT, &args.status_fd },
	{ 0, "page-server", "ADDRESS:PORT", "send memory to a page server", OPT_TEXT,
	  &page_server },
	{ 0, "file-locks", NULL, "allow file locks", OPT_FLAG, &args.file_locks },
	{ 0, "pre-dump", NULL, "only memory, while the container runs on", OPT_FLAG,
	  &args.pre_dump },
	{ 0, "manage-cgroups-mode", "MODE", "soft, full, strict or ignore", OPT_TEXT,
	  &args.manage_cgroups },
	{ 0, "empty-ns", "NAMESPACE", "leave out the contents of a namespace (network)", OPT_LIST,
	  &empty_ns },
	{ 0, "auto-dedup", NULL, "drop from older images what newer ones have", OPT_FLAG,
	  &args.auto_dedup },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

int oci_empty_namespaces(const struct opt_list *list, struct host_criu *ret, struct csn_error *err)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], "network") != 0)
			return fail(err, EINVAL, "option --empty-ns: expected network, not \"%s\"",
				    list->items[i]);
	ret->empty_net = list->count > 0;
	return 0;
}

static int set_page_server(struct csn_error *err)
{
	static char address[256];
	if (!page_server)
		return 0;
	const char *colon = strrchr(page_server, ':');
	size_t length = colon ? (size_t)(colon - page_server) : 0;
	if (!length || !colon[1] || length >= sizeof address)
		return fail(err, EINVAL, "option --page-server: expected ADDRESS:PORT, not \"%s\"",
			    page_server);
	memcpy(address, page_server, length);
	args.page_server_address = address;
	args.page_server_port = colon + 1;
	return 0;
}

static int checkpoint(const char *id, struct csn_error *err)
{
	TRY(oci_empty_namespaces(&empty_ns, &args, err));
	TRY(set_page_server(err));
	if (args.parent_path && args.parent_path[0] == '/')
		return fail(err, EINVAL,
			    "option --parent-path: expected a path relative to --image-path, not "
			    "\"%s\"",
			    args.parent_path);
	return host_checkpoint(oci_context(), id, &args, err);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	(void)argc;
	int status = oci_need_root();
	if (status)
		return status;
	return checkpoint(argv[0], &err) < 0 ? oci_fail(&err, 1) : 0;
}

const struct command command_checkpoint = {
	"checkpoint", "CONTAINER", "save a running container in files", 1, 1, get_options, run
};
