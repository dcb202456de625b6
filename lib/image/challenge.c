/*
 * Parsing WWW-Authenticate.
 *
 *	challenges = challenge *( "," challenge )
 *	challenge  = scheme [ 1*SP ( token68 / [ param *( "," param ) ] ) ]
 *	param      = token "=" ( token / quoted-string )
 *
 * A comma separates parameters as well as challenges: a token that is followed by "=" is a
 * parameter of the challenge before it, any other begins a challenge. Registries send unquoted
 * values and empty elements; those are taken. A parameter that comes twice, a quote without an end
 * or a control character makes the header worthless: better no credentials than misled ones.
 */
#include "image/challenge.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"

struct cursor {
	const char *p;
	struct arena *arena;
	struct csn_error *err;
};

static int bad(struct cursor *c, const char *why)
{
	return fail(c->err, EINVAL, "WWW-Authenticate: %s", why);
}

static bool is_token(char ch)
{
	return (isalnum((unsigned char)ch) || (ch && strchr("!#$%&'*+-.^_`|~", ch))) &&
	       (unsigned char)ch < 0x80;
}

static void skip_space(struct cursor *c)
{
	c->p += strspn(c->p, " \t");
}

static void skip_commas(struct cursor *c)
{
	c->p += strspn(c->p, " \t,");
}

static char *copy(struct cursor *c, const char *start, size_t size, bool lower)
{
	char *text = arena_alloc(c->arena, size + 1);

	for (size_t i = 0; text && i < size; i++)
		text[i] = (char)(lower ? tolower((unsigned char)start[i]) : start[i]);
	return text;
}

static char *token(struct cursor *c, bool lower)
{
	const char *start = c->p;

	while (is_token(*c->p))
		c->p++;
	return copy(c, start, (size_t)(c->p - start), lower);
}

static int quoted(struct cursor *c, char **ret)
{
	size_t size = 0;
	char *text = arena_alloc(c->arena, strlen(c->p) + 1);

	if (!text)
		return fail(c->err, ENOMEM, "out of memory");
	for (c->p++; *c->p != '"'; c->p++) {
		if (*c->p == '\\')
			c->p++;
		if (*c->p == '\0')
			return bad(c, "a quoted text does not end");
		if ((unsigned char)*c->p < ' ' || *c->p == 0x7f)
			return bad(c, "a control character");
		text[size++] = *c->p;
	}
	c->p++;
	*ret = text;
	return 0;
}

static int value(struct cursor *c, char **ret)
{
	if (*c->p == '"')
		return quoted(c, ret);

	/* Not a token by the book: realms are sent as bare URLs, too. */
	const char *start = c->p;
	while (*c->p > ' ' && *c->p < 0x7f && *c->p != ',' && *c->p != '"')
		c->p++;
	*ret = copy(c, start, (size_t)(c->p - start), false);
	return *ret ? 0 : fail(c->err, ENOMEM, "out of memory");
}

/* Is "name =" next? */
static bool at_param(const struct cursor *c)
{
	const char *p = c->p;

	while (is_token(*p))
		p++;
	if (p == c->p)
		return false;
	p += strspn(p, " \t");
	/* "==" is the padding of a token68. */
	return *p == '=' && p[1] != '=' && p[1] != '\0' && p[1] != ',';
}

static int param(struct cursor *c, struct challenge *ch)
{
	if (ch->param_count == CHALLENGE_PARAMS_MAX)
		return bad(c, "too many parameters");
	struct challenge_param *new = &ch->params[ch->param_count];
	new->name = token(c, true);
	if (!new->name)
		return fail(c->err, ENOMEM, "out of memory");
	if (challenge_param(ch, new->name))
		return bad(c, "a parameter comes twice");
	skip_space(c);
	c->p++;
	skip_space(c);
	TRY(value(c, &new->value));
	ch->param_count++;
	return 0;
}

static int one_challenge(struct cursor *c, struct challenge *ret)
{
	*ret = (struct challenge){ .scheme = token(c, true) };
	ret->params = arena_array(c->arena, CHALLENGE_PARAMS_MAX, sizeof *ret->params);
	if (!ret->scheme || !ret->params)
		return fail(c->err, ENOMEM, "out of memory");
	if (!*ret->scheme)
		return bad(c, "a scheme is missing");
	if (*c->p && !strchr(" \t,", *c->p))
		return bad(c, "a character that belongs nowhere");

	skip_space(c);
	if (*c->p && *c->p != ',' && !at_param(c)) {
		/* token68, of no scheme that is used here: passed over */
		while (isalnum((unsigned char)*c->p) || (*c->p && strchr("-._~+/", *c->p)))
			c->p++;
		c->p += strspn(c->p, "=");
		skip_space(c);
		return *c->p && *c->p != ',' ? bad(c, "a character that belongs nowhere") : 0;
	}
	for (;;) {
		if (at_param(c))
			TRY(param(c, ret));
		skip_space(c);
		if (*c->p && *c->p != ',')
			return bad(c, "a character that belongs nowhere");
		skip_commas(c);
		if (!at_param(c))
			return 0;
	}
}

int challenge_parse(const char *text, struct arena *arena, struct challenge *ret, size_t max,
		    size_t *ret_count, struct csn_error *err)
{
	struct cursor c = { text, arena, err };
	size_t count = 0;

	for (skip_commas(&c); *c.p; skip_commas(&c)) {
		if (count == max)
			return bad(&c, "too many challenges");
		TRY(one_challenge(&c, &ret[count]));
		count++;
	}
	*ret_count = count;
	return 0;
}

const char *challenge_param(const struct challenge *c, const char *name)
{
	for (size_t i = 0; i < c->param_count; i++)
		if (strcmp(c->params[i].name, name) == 0)
			return c->params[i].value;
	return NULL;
}
