/*
 * The image store and what may be done with it. Linked into caisson-image only; others read the
 * image records (image_record.h style JSON below) and nothing else of the store.
 *
 *	<root>/store/			a valid OCI image layout: oci-layout, index.json,
 *					blobs/sha256/<hex>; index.json entries carry the annotation
 *					org.opencontainers.image.ref.name = whole normalised reference
 *	<root>/layers/sha256-<hex>/	one unpacked layer per diff_id: fs/ (an overlay lower),
 *					layer.json {"diff_id","size","entries"}; renamed into place
 *					when complete, so a name that exists is whole
 *	<root>/images/<hex>.json	one record per reference; <hex> = sha256 of the normalised
 *					reference. All that `run` needs in one read:
 *	    {"reference":"docker.io/library/x:latest","digest":"sha256:…","id":"sha256:… (config)",
 *	     "size":123,"created":"…","layers":["layers/sha256-…/fs", … bottom first],
 *	     "config":{ the image config document's "config" object },"architecture":"amd64","os":"linux"}
 *	<root>/tmp/			everything unfinished; emptied at start under a lock
 *
 * caisson-image --root ROOT load FILE|- ; import FILE|- NAME[:TAG] ; list ; remove NAME
 * prints JSON lines on standard output: {"type":"progress","layer":…,"bytes":…,"total":…}, …,
 * and ends with {"type":"result","images":[{"reference":…,"digest":…,"id":…,"size":…}]} or
 * {"type":"error","error":"sentence","code":22} and exit status 1.
 */
#ifndef CSN_IMAGE_IMAGE_H
#define CSN_IMAGE_IMAGE_H

#include "caisson.h"

struct image_store;

int image_store_open(const char *root, struct image_store **ret, struct csn_error *err);
void image_store_close(struct image_store *s);

#endif
