/*
 * What caisson-image and the confined process that unpacks a layer say to each other: messages of
 * one size on a SOCK_SEQPACKET pair, and a ring of buffers in shared memory that only the former
 * can write.
 *
 *	caisson-image (trusted: digests, bounds)	caisson-unpack (sees the layer's directory)
 *
 *	PIECE slot, size ------------------------->	reads the tar data in that slot
 *	         <------------------------- FREE slot	(as many as there are slots may be under
 *way)
 *	         <------------------------ NEED_LOWERS	at most once
 *	LOWER + fd, for each, topmost first ------->
 *	LOWERS_END -------------------------------->
 *	         <----------------------- WARNING text
 *	END --------------------------------------->	the tar data's verified end
 *	         <--------------- RESULT or ERROR text	the last message; both hang up
 *
 * The digest of the tar data is computed by the one that hands it out. So whatever a hostile layer
 * makes of the process that reads it, what comes out can only ever be known by that layer's digest.
 */
#ifndef CSN_IMAGE_WIRE_H
#define CSN_IMAGE_WIRE_H

#include <stdint.h>

#include "caisson.h"
#include "image/unpack.h"

#define WIRE_SLOTS     16
#define WIRE_SLOT_SIZE ((size_t)256 << 10)
#define WIRE_RING_SIZE (WIRE_SLOTS * WIRE_SLOT_SIZE)

/* Descriptors of caisson-unpack at its start. */
enum { WIRE_SOCKET_FD = 3, WIRE_RING_FD = 4, WIRE_DIR_FD = 5 };

enum wire_type {
	WIRE_PIECE = 1,
	WIRE_END,
	WIRE_LOWER,
	WIRE_LOWERS_END,
	WIRE_FREE,
	WIRE_NEED_LOWERS,
	WIRE_WARNING,
	WIRE_RESULT,
	WIRE_ERROR,
};

struct wire_message {
	uint32_t type;
	uint32_t slot, size; /* PIECE, FREE */
	int32_t code;	     /* ERROR */
	union {
		struct unpack_result result;
		char text[sizeof(((struct csn_error *)0)->text)];
	};
};

#endif
