/* Attached clients: frames (monitor.h) out and in. Inside lib/monitor. */
#ifndef CSN_MONITOR_ATTACH_H
#define CSN_MONITOR_ATTACH_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "monitor/monitor.h"

enum { CLIENTS_MAX = 8, STDIN_CHUNK = 4096 };

struct client {
	int fd;	       /* -1: free */
	bool lossless; /* the starter's: output waits for it; others are dropped when they lag */
	bool deaf;     /* it has hung up: what it sent before is still read */
	struct attach_header head; /* of the frame being read */
	size_t head_size;
	uint32_t left; /* payload still to come */
	/* What a lossless client has not taken yet: rest of one frame, in the sender's buffer. */
	const char *pending;
	size_t pending_size;
	struct attach_header pending_head;
	size_t pending_head_size;
};

struct attach {
	struct client clients[CLIENTS_MAX];
	/* Where input goes; -1: there is none. */
	int stdin_fd;
	bool stdin_is_tty;
	char waiting[STDIN_CHUNK]; /* input that the container has not taken yet */
	size_t waiting_size, waiting_at;
};

void attach_init(struct attach *a, int stdin_fd, bool tty);
/* Takes the fd. False (and closed) when there is no place. */
bool attach_add(struct attach *a, int fd, bool lossless);
/* Sends one frame to all. bytes must stay as they are while attach_blocked(). */
void attach_send(struct attach *a, enum attach_type type, const char *bytes, size_t size);
/* True while the lossless client has not taken the last frame: do not read more output. */
bool attach_blocked(const struct attach *a);
/* Tries again to send what is pending to client c. */
void attach_flush(struct attach *a, struct client *c);
/* Reads what client c sent. */
void attach_read(struct attach *a, struct client *c);
/* Hands waiting input on; true when none is left. */
bool attach_feed(struct attach *a);
/* Says EXIT to all, waiting a moment for slow ones, and closes them. */
void attach_end(struct attach *a, uint32_t status);
void attach_drop(struct client *c);

#endif
