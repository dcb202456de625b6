/* Addresses, prefixes and hardware addresses: as text, and as numbers to count with. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netns/internal.h"
#include "netns/network.h"

static unsigned bits(const struct net_addr *a)
{
	return a->family == AF_INET6 ? 128 : 32;
}

int net_addr_parse(const char *text, struct net_addr *ret)
{
	struct net_addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };
	if (inet_pton(a.family, text, a.bytes) != 1)
		return -EINVAL;
	a.prefix = (uint8_t)bits(&a);
	*ret = a;
	return 0;
}

int net_prefix_parse(const char *text, struct net_addr *ret)
{
	char address[NET_TEXT], *end;
	const char *slash = strchr(text, '/');
	if (!slash || (size_t)(slash - text) >= sizeof address)
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	struct net_addr a;
	if (net_addr_parse(address, &a) < 0 || slash[1] < '0' || slash[1] > '9')
		return -EINVAL;
	unsigned long prefix = strtoul(slash + 1, &end, 10);
	if (*end || prefix > bits(&a))
		return -EINVAL;
	a.prefix = (uint8_t)prefix;
	*ret = a;
	return 0;
}

int net_mac_parse(const char *text, struct net_mac *ret)
{
	struct net_mac m;
	if (strlen(text) != 17)
		return -EINVAL;
	for (size_t i = 0; i < 6; i++) {
		const char *p = text + 3 * i;
		char digits[3] = { p[0], p[1], '\0' };
		if (strspn(digits, "0123456789abcdefABCDEF") != 2 || (i < 5 && p[2] != ':'))
			return -EINVAL;
		m.bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	if (m.bytes[0] & 1)
		return -EINVAL;
	*ret = m;
	return 0;
}

const char *net_addr_print(const struct net_addr *a, char buf[NET_TEXT])
{
	if (!a->family || !inet_ntop(a->family, a->bytes, buf, NET_TEXT))
		buf[0] = '\0';
	return buf;
}

const char *net_prefix_print(const struct net_addr *a, char buf[NET_TEXT])
{
	char address[NET_TEXT];
	(void)snprintf(buf, NET_TEXT, "%.50s/%u", net_addr_print(a, address), a->prefix);
	return buf;
}

const char *net_mac_print(const struct net_mac *m, char buf[NET_TEXT])
{
	(void)snprintf(buf, NET_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m->bytes[0], m->bytes[1],
		       m->bytes[2], m->bytes[3], m->bytes[4], m->bytes[5]);
	return buf;
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, addr_size(a)) == 0;
}

/* The first n bits are the same. */
static bool same_bits(const struct net_addr *a, const struct net_addr *b, unsigned n)
{
	unsigned whole = n / 8, rest = n % 8;
	if (a->family != b->family || memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	       ((a->bytes[whole] ^ b->bytes[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
}

bool net_prefix_contains(const struct net_addr *prefix, const struct net_addr *a)
{
	return same_bits(prefix, a, prefix->prefix);
}

bool net_prefix_overlaps(const struct net_addr *a, const struct net_addr *b)
{
	return same_bits(a, b, a->prefix < b->prefix ? a->prefix : b->prefix);
}

struct net_addr net_prefix_base(const struct net_addr *a)
{
	struct net_addr base = *a;
	for (unsigned i = 0; i < addr_size(a); i++) {
		unsigned kept = a->prefix > i * 8 ? a->prefix - i * 8 : 0;
		base.bytes[i] &= kept >= 8 ? 0xff : (uint8_t)(0xff00 >> kept);
	}
	return base;
}

struct net_addr net_addr_at(const struct net_addr *prefix, uint64_t n)
{
	struct net_addr a = net_prefix_base(prefix);
	for (size_t i = addr_size(&a); n && i-- > 0;) {
		n += a.bytes[i];
		a.bytes[i] = (uint8_t)n;
		n >>= 8;
	}
	return a;
}

uint64_t net_addr_index(const struct net_addr *prefix, const struct net_addr *a)
{
	struct net_addr base = net_prefix_base(prefix);
	uint64_t n = 0;
	for (size_t i = 0; i < addr_size(a); i++) {
		if (n >> 56)
			return UINT64_MAX;
		n = n << 8 | (uint8_t)(a->bytes[i] ^ base.bytes[i]);
	}
	return n;
}

uint64_t net_prefix_size(const struct net_addr *prefix)
{
	unsigned host = bits(prefix) - prefix->prefix;
	return host >= 64 ? UINT64_MAX : (uint64_t)1 << host;
}
