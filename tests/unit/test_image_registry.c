/*
 * What is read on the way to a registry: challenges, files of credentials, registries.conf and
 * hosts.toml. No network.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "image/authfile.h"
#include "image/challenge.h"
#include "image/endpoint.h"
#include "image/jsontext.h"
#include "image/toml.h"
#include "image/url.h"

#include <fcntl.h>

/* ---- WWW-Authenticate ------------------------------------------------------------------------ */

/* Parsed and written again: "scheme{name=value;…}". */
static const struct {
	const char *text, *want; /* an error with '!' in front */
} challenges[] = {
	{ "Basic realm=\"r\"", "basic{realm=r}" },
	{ "Bearer realm=\"https://a/token\",service=\"a\",scope=\"repository:x:pull,push\"",
	  "bearer{realm=https://a/token;service=a;scope=repository:x:pull,push}" },
	{ "BEARER Realm=\"https://a\"", "bearer{realm=https://a}" },
	{ "Bearer realm=https://a/t?x=y,service=b", "bearer{realm=https://a/t?x=y;service=b}" },
	{ "Basic realm=\"a\\\"b\\\\c\"", "basic{realm=a\"b\\c}" },
	{ "Basic realm=a, Bearer realm=\"https://b\" , service=c",
	  "basic{realm=a}bearer{realm=https://b;service=c}" },
	{ ", ,Basic realm = \"x\" , , foo=\"\"", "basic{realm=x;foo=}" },
	{ "Negotiate", "negotiate{}" },
	{ "Negotiate YWJj==, Basic realm=x", "negotiate{}basic{realm=x}" },
	{ "Basic", "basic{}" },
	{ "", "" },
	{ "Basic realm=\"x", "!WWW-Authenticate: a quoted text does not end" },
	{ "Basic realm=\"x\\", "!WWW-Authenticate: a quoted text does not end" },
	{ "Basic realm=\"a\nb\"", "!WWW-Authenticate: a control character" },
	{ "Bearer realm=\"a\",realm=\"b\"", "!WWW-Authenticate: a parameter comes twice" },
	{ "Bearer realm=\"a\"; x=y", "!WWW-Authenticate: a character that belongs nowhere" },
	{ "=x", "!WWW-Authenticate: a scheme is missing" },
	{ "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "!WWW-Authenticate: too many challenges" },
};

START_TEST(challenge)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct challenge list[CHALLENGES_MAX];
	struct csn_error err;
	char got[1000] = "";
	size_t count = 0;

	if (challenge_parse(challenges[_i].text, &arena, list, COUNT(list), &count, &err) < 0)
		(void)snprintf(got, sizeof got, "!%s", err.text);
	for (size_t i = 0; i < count; i++) {
		(void)strcat(strcat(got, list[i].scheme), "{");
		for (size_t j = 0; j < list[i].param_count; j++) {
			const struct challenge_param *p = &list[i].params[j];
			size_t used = strlen(got);
			(void)snprintf(got + used, sizeof got - used, "%s%s=%s", j ? ";" : "",
				       p->name, p->value);
		}
		(void)strcat(got, "}");
	}
	ck_assert_str_eq(got, challenges[_i].want);
}
END_TEST

/* ---- TOML ------------------------------------------------------------------------------------ */

static void dump(const struct toml *v, char *out)
{
	const char *comma = "";

	switch (v->kind) {
	case TOML_STRING:
		(void)sprintf(out + strlen(out), "'%s'", v->string);
		return;
	case TOML_INTEGER:
		(void)sprintf(out + strlen(out), "%lld", (long long)v->integer);
		return;
	case TOML_BOOL:
		(void)strcat(out, v->boolean ? "true" : "false");
		return;
	case TOML_ARRAY:
	case TOML_TABLE:
		(void)strcat(out, v->kind == TOML_ARRAY ? "[" : "{");
		for (const struct toml *m = v->first; m; m = m->next) {
			(void)strcat(out, comma);
			if (m->key)
				(void)strcat(strcat(out, m->key), "=");
			dump(m, out);
			comma = ",";
		}
		(void)strcat(out, v->kind == TOML_ARRAY ? "]" : "}");
	}
}

static const struct {
	const char *text, *want;
} tomls[] = {
	{ "", "{}" },
	{ "# nothing\n\n  \t\r\n", "{}" },
	{ "a = 1\nb = \"x\" # c\nc = true\nd = false\ne=-1_000",
	  "{a=1,b='x',c=true,d=false,e=-1000}" },
	{ "a = [1, 2,\n # c\n 3,\n]\nb=[]", "{a=[1,2,3],b=[]}" },
	{ "a.b.c = 1\na.b.d = 2", "{a={b={c=1,d=2}}}" },
	{ "[a]\nx=1\n[a.b]\ny=2\n[c]", "{a={x=1,b={y=2}},c={}}" },
	{ "[[r]]\nn=1\n[[r.m]]\nl='x'\n[[r.m]]\n[[r]]\nn=2", "{r=[{n=1,m=[{l='x'},{}]},{n=2}]}" },
	{ "[host.\"https://a:1\"]\nk={ x = 1, y.z = 's' }",
	  "{host={https://a:1={k={x=1,y={z='s'}}}}}" },
	{ "a='C:\\n'\nb=\"t\\tu\\u00e9\\U0001F600\"",
	  "{a='C:\\n',b='t\tu\xc3\xa9\xf0\x9f\x98\x80'}" },
	{ "a=\"\"\"\none\\\n   two\"\"\"\nb='''\nx''y'''", "{a='onetwo',b='x''y'}" },
	{ "a=\"\"\"x\"\"\"\"\"", "{a='x\"\"'}" },
	{ "a='''x'''''", "{a='x'''}" },
	{ "a='''x''''''''''''''''", "!t:1: expected the end of the line" },
	{ "a=1\na=2", "!t:2: a key comes twice" },
	{ "[a]\n[a]", "!t:2: a table comes twice" },
	{ "a=1\n[a]", "!t:2: a table comes twice" },
	{ "a=1\n[a.b]", "!t:2: a key that has a value already cannot be a table" },
	{ "a={}\n[a.b]", "!t:2: a key that has a value already cannot be a table" },
	{ "a=[]\n[[a]]", "!t:2: a key that has a value already cannot be an array of tables" },
	{ "a=\"x\n\"", "!t:1: a text does not end" },
	{ "a=\"\\q\"", "!t:1: no such escape" },
	{ "a=\"\\ud800\"", "!t:1: no such character" },
	{ "a=\"\\u12\"", "!t:1: \\u needs 4 hex digits, \\U needs 8" },
	{ "a=1 b=2", "!t:1: expected the end of the line" },
	{ "a", "!t:1: expected '=' behind a key" },
	{ "a=1.5", "!t:1: expected a text in quotes, true, false, a whole number, '[' or '{'" },
	{ "a=2020-01-01",
	  "!t:1: expected a text in quotes, true, false, a whole number, '[' or '{'" },
	{ "a=", "!t:1: expected a text in quotes, true, false, a whole number, '[' or '{'" },
	{ "a=[1 2]", "!t:1: expected ',' or ']' in an array" },
	{ "a={b=1,}", "!t:1: expected a key behind ','" },
	{ "[a", "!t:1: expected ']' behind the name of a table" },
	{ "[[a]", "!t:1: expected ']' behind the name of a table" },
	{ "=1", "!t:1: expected a key" },
	{ "a=\"\x01\"", "!t:1: a control character" },
	{ "a=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1", "!t:1: nested too deep" },
};

START_TEST(toml)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct toml *root;
	struct csn_error err;
	char got[1000] = "";

	if (toml_parse(tomls[_i].text, strlen(tomls[_i].text), "t", &arena, &root, &err) < 0)
		(void)snprintf(got, sizeof got, "!%s", err.text);
	else
		dump(root, got);
	ck_assert_str_eq(got, tomls[_i].want);
}
END_TEST

/* ---- endpoints ------------------------------------------------------------------------------- */

/* "scheme://host api repository flags" of each. */
static void list_endpoints(const struct endpoint *e, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++, e++)
		(void)sprintf(out + strlen(out), "%s%s%s%s %s %s%s%s%s%s%s%s", i ? "|" : "",
			      e->scheme ? e->scheme : "", e->scheme ? "://" : "", e->host, e->api,
			      e->repository, e->mirror ? " mirror" : "",
			      e->insecure ? " insecure" : "", e->push ? " push" : "",
			      e->tls.no_verify ? " no-verify" : "", e->space ? " ns=" : "",
			      e->space ? e->space : "");
}

static const struct {
	const char *conf, *image, *want;
} registries[] = {
	{ "", "debian", "" },
	{ "unqualified-search-registries = ['x']", "debian", "" },
	{ "[[registry]]\nlocation='other.example'", "debian", "" },
	{ "[[registry]]\nprefix='docker.io'\nlocation='mirror.example/hub'", "debian",
	  "mirror.example /v2 hub/library/debian push" },
	{ "[[registry]]\nlocation='docker.io'\n[[registry.mirror]]\nlocation='m1:5000'\n"
	  "insecure=true\n[[registry.mirror]]\nlocation='m2/x'",
	  "debian",
	  "m1:5000 /v2 library/debian mirror insecure|m2 /v2 x/library/debian mirror|"
	  "registry-1.docker.io /v2 library/debian push" },
	/* the longest prefix; only at the end of a component */
	{ "[[registry]]\nprefix='r.io'\nlocation='a.io'\n[[registry]]\nprefix='r.io/x'\n"
	  "location='b.io/y'",
	  "r.io/x/z", "b.io /v2 y/z push" },
	{ "[[registry]]\nprefix='r.io/x'\nlocation='b.io/y'", "r.io/xx/z", "" },
	{ "[[registry]]\nprefix='*.example.com'\nlocation='in.example.org'", "a.b.example.com/i",
	  "in.example.org /v2 i push" },
	{ "[[registry]]\nprefix='*.example.com'", "example.com/i", "" },
	{ "[[registry]]\nprefix='*.example.com'\ninsecure=true", "a.example.com:5000/i",
	  "a.example.com:5000 /v2 i insecure push" },
	{ "[[registry]]\nlocation='r.io'\nmirror-by-digest-only=true\n[[registry.mirror]]\n"
	  "location='m'",
	  "r.io/a/b:1", "r.io /v2 a/b push" },
	{ "[[registry]]\nlocation='r.io'\n[[registry.mirror]]\nlocation='m'\n"
	  "pull-from-mirror='digest-only'\n[[registry.mirror]]\nlocation='n'\n"
	  "pull-from-mirror='tag-only'",
	  "r.io/a/b:1", "n /v2 a/b mirror|r.io /v2 a/b push" },
	{ "[[registry]]\nlocation='r.io'\nblocked=true", "r.io/a:1",
	  "!f:1: registry r.io is blocked" },
	{ "[[registry]]\nlocation='r.io'\ninsecure='yes'", "r.io/a:1",
	  "!f:3: insecure: expected true or false" },
	{ "[[registry]]\ninsecure=true", "r.io/a",
	  "!f:1: prefix: expected a prefix or a location" },
	{ "[[registry]]\nlocation='https://r.io'\nprefix='r.io'", "r.io/a",
	  "!f:1: location: expected a host without a scheme" },
	{ "[[registry]]\nlocation='r.io'\n[[registry.mirror]]\nlocation='m'\n"
	  "pull-from-mirror='some'",
	  "r.io/a", "!f:5: pull-from-mirror: expected all, digest-only or tag-only" },
	{ "[registries.search]\nregistries=['x']", "r.io/a",
	  "!f:1: [registries…] is version 1 of the format; version 2 has [[registry]]" },
	{ "registry = 1", "r.io/a", "!f:1: registry: expected [[registry]]" },
	{ "[[registry", "r.io/a", "!f:1: expected ']' behind the name of a table" },
};

START_TEST(registries_conf)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct image_ref ref;
	struct endpoint *list = NULL;
	struct csn_error err;
	size_t count = 0;
	char got[1000] = "";

	ck_assert_int_eq(ref_parse(registries[_i].image, &ref, NULL), 0);
	if (endpoints_from_registries_conf(registries[_i].conf, strlen(registries[_i].conf), "f",
					   &ref, &arena, &list, &count, &err) < 0)
		(void)snprintf(got, sizeof got, "!%s", err.text);
	else
		list_endpoints(list, count, got);
	ck_assert_str_eq(got, registries[_i].want);
}
END_TEST

static const struct {
	const char *conf, *image, *want;
} hosts[] = {
	{ "", "debian", "registry-1.docker.io /v2 library/debian push" },
	{ "server = 'https://r.io'\n[host.'https://m.io']\n[host.'http://10.0.0.1:5000']\n",
	  "r.io/a",
	  "https://m.io /v2 a mirror ns=r.io|http://10.0.0.1:5000 /v2 a mirror insecure ns=r.io|"
	  "https://r.io /v2 a push" },
	{ "[host.'https://m.io/v2/proxy']\noverride_path=true\nskip_verify=true", "r.io/a",
	  "https://m.io /v2/proxy a mirror no-verify ns=r.io|r.io /v2 a push" },
	{ "[host.'https://m.io/proxy/']\ncapabilities=['pull','resolve','push']", "r.io/a",
	  "https://m.io /proxy/v2 a mirror push ns=r.io|r.io /v2 a push" },
	{ "[host.'https://m.io']\ncapabilities=['pull']", "r.io/a", "r.io /v2 a push" },
	{ "server='http://r.io:80'\ncapabilities=['pull']", "r.io/a",
	  "http://r.io:80 /v2 a insecure" },
	{ "[host.'http:///m.io/x']", "r.io/a", "!f:1: host: expected an http or https URL" },
	{ "[host.'http://m.io?x/y']", "r.io/a", "!f:1: host: expected an http or https URL" },
	{ "[host.'ftp://m.io']", "r.io/a", "!f:1: host: expected an http or https URL" },
	{ "[host.'https://u:p@m.io']", "r.io/a", "!f:1: host: expected an http or https URL" },
	{ "[host.'https://m.io']\nskip_verify=1", "r.io/a",
	  "!f:2: skip_verify: expected true or false" },
	{ "[host.'https://m.io'.header]\nx='a\\nb'", "r.io/a",
	  "https://m.io /v2 a mirror ns=r.io|r.io /v2 a push" },
	{ "[host.'https://m.io'.header]\nx=\"a\\nb\"", "r.io/a",
	  "!f:2: x: expected a text on one line" },
	{ "server=1", "r.io/a", "!f:1: server: expected a text" },
};

START_TEST(hosts_toml)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct image_ref ref;
	struct endpoint *list = NULL;
	struct csn_error err;
	size_t count = 0;
	char got[1000] = "";

	ck_assert_int_eq(ref_parse(hosts[_i].image, &ref, NULL), 0);
	if (endpoints_from_hosts_toml(hosts[_i].conf, strlen(hosts[_i].conf), "f", "/", &ref,
				      &arena, &list, &count, &err) < 0)
		(void)snprintf(got, sizeof got, "!%s", err.text);
	else
		list_endpoints(list, count, got);
	ck_assert_str_eq(got, hosts[_i].want);
}
END_TEST

/* ---- credentials ----------------------------------------------------------------------------- */

#define U_P "dTpw" /* u:p */
static const struct {
	const char *text, *registry, *repository, *want;
} auths[] = {
	{ "{}", "r.io", "a", "" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"" U_P "\"}}}", "r.io", "a", "u/p" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"" U_P "\"}}}", "r.io.evil", "a", "" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"" U_P "\"}}}", "r.i", "o", "" },
	{ "{\"auths\":{\"r.io:5000\":{\"auth\":\"" U_P "\"}}}", "r.io", "a", "" },
	{ "{\"auths\":{\"https://r.io\":{\"auth\":\"" U_P "\"}}}", "r.io", "a", "u/p" },
	{ "{\"auths\":{\"https://r.io/v1/\":{\"auth\":\"" U_P "\"}}}", "r.io", "a", "u/p" },
	{ "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" U_P "\"}}}", "docker.io", "a",
	  "u/p" },
	{ "{\"auths\":{\"docker.io\":{\"username\":\"n\",\"password\":\"w\"}}}", "docker.io", "a",
	  "n/w" },
	/* the longest path wins, at the end of a component */
	{ "{\"auths\":{\"r.io\":{\"auth\":\"eDp5\"},\"r.io/a\":{\"auth\":\"" U_P "\"}}}", "r.io",
	  "a/b", "u/p" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"eDp5\"},\"r.io/a\":{\"auth\":\"" U_P "\"}}}", "r.io",
	  "ab", "x/y" },
	{ "{\"auths\":{\"r.io\":{}}}", "r.io", "a", "" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"" U_P "\",\"identitytoken\":\"t\"}}}", "r.io", "a",
	  "u/p/t" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"dTpwOnE=\"}}}", "r.io", "a", "u/p:q" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"dTpw!\"}}}", "r.io", "a",
	  "!f: auths.r.io.auth: expected user:password in base64" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"dXA=\"}}}", "r.io", "a",
	  "!f: auths.r.io.auth: expected user:password in base64" },
	{ "{\"auths\":[]}", "r.io", "a", "!f: auths: expected an object" },
	{ "{\"credHelpers\":{\"r.io\":\"../x\"}}", "r.io", "a",
	  "!credential helper '../x': no such name is allowed" },
	{ "{\"credsStore\":\"caisson-none\"}", "r.io", "a",
	  "!start docker-credential-caisson-none: No such file or directory" },
};

START_TEST(credentials)
{
	struct credentials c;
	struct csn_error err;
	char got[600] = "";
	int r = credentials_from_text(auths[_i].text, strlen(auths[_i].text), "f",
				      auths[_i].registry, auths[_i].repository, &c, &err);

	if (r < 0)
		(void)snprintf(got, sizeof got, "!%s", err.text);
	else if (r > 0)
		(void)snprintf(got, sizeof got, "%s/%s%s%s", c.username, c.password,
			       c.identity_token ? "/" : "",
			       c.identity_token ? c.identity_token : "");
	ck_assert_str_eq(got, auths[_i].want);
	if (r > 0)
		credentials_done(&c);
}
END_TEST

/* Another's members stay as they are, byte for byte; the file is nobody else's to read. */
START_TEST(store_and_erase)
{
	char dir[] = "/tmp/test_image_registry.XXXXXX", path[100];
	static const char before[] =
		"{\"auths\":{\"a\":{\"auth\":\"" U_P "\",\"odd\":18446744073709551616.5}},"
		"\"HttpHeaders\": {\"X\": [1, 2]}}";
	char name[] = "n", word[] = "pa\"ss:word";
	const struct credentials c = { name, word, NULL };
	struct credentials got;
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/sub/config.json", dir);
	auto_mem char *where = NULL;
	ck_assert_int_eq(credentials_store(path, "b:1", &c, &where, NULL), 0);
	ck_assert_str_eq(where, path);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);

	auto_fd fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_eq(write_all(fd, before, strlen(before)), 0);
	auto_mem char *again = NULL;
	ck_assert_int_eq(credentials_store(path, "b:1", &c, &again, NULL), 0);
	ck_assert_int_eq(credentials_find(path, "b:1", "x", &got, NULL), 1);
	ck_assert_str_eq(got.username, name);
	ck_assert_str_eq(got.password, word);
	credentials_done(&got);

	auto_mem char *text = NULL;
	size_t size;
	ck_assert_int_eq(file_read(AT_FDCWD, path, 10000, &text, &size, NULL), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"odd\":18446744073709551616.5"));
	ck_assert_ptr_nonnull(strstr(text, "\"HttpHeaders\": {\"X\": [1, 2]}"));
	ck_assert_int_eq(credentials_find(path, "a", "x", &got, NULL), 1);
	credentials_done(&got);

	auto_mem char *erased = NULL;
	ck_assert_int_eq(credentials_erase(path, "b:1", &erased, NULL), 0);
	ck_assert_int_eq(credentials_find(path, "b:1", "x", &got, NULL), 0);
	struct csn_error err;
	ck_assert_int_eq(credentials_erase(path, "b:1", &erased, &err), -ENOENT);
	ck_assert_int_eq(credentials_find(path, "a", "x", &got, NULL), 1);
	credentials_done(&got);
	ck_assert_int_eq(remove_tree(AT_FDCWD, dir, NULL), 0);
}
END_TEST

static const struct {
	const char *text, *name, *value, *want;
} members[] = {
	{ "{}", "a", "1", "{\n\t\"a\": 1\n}" },
	{ "{\"a\":1}", "a", NULL, "{}" },
	{ "{\"a\":1,\"b\":[{\"a\":2}, \"}\"]}", "a", "{\"x\":3}",
	  "{\n\t\"b\": [{\"a\":2}, \"}\"],\n\t\"a\": {\"x\":3}\n}" },
	{ " { \"a\" : \"\\\"}\" , \"b\" : 2 } ", "b", NULL, "{\n\t\"a\": \"\\\"}\"\n}" },
};

START_TEST(member_set)
{
	auto_mem char *got = NULL;

	ck_assert_int_eq(json_member_set(members[_i].text, strlen(members[_i].text),
					 members[_i].name, members[_i].value, &got, NULL),
			 0);
	ck_assert_str_eq(got, members[_i].want);
}
END_TEST

/* ---- URLs ------------------------------------------------------------------------------------ */

static const struct {
	const char *base, *reference, *want, *origin; /* origin: of the same as this one? */
	bool same;
} urls[] = {
	{ "https://a.io/v2/x/blobs/uploads/", "/up/1?s=2", "https://a.io/up/1?s=2",
	  "https://A.io:443", true },
	{ "https://a.io/v2/x", "https://b.io/y", "https://b.io/y", "https://a.io", false },
	{ "https://a.io/v2/x", "//b.io/y", "https://b.io/y", "https://a.io", false },
	{ "http://a.io:5000/", "x", "http://a.io:5000/x", "http://a.io:5001", false },
	{ "http://a.io/", "x", "http://a.io/x", "https://a.io", false },
	{ NULL, "https://[::1]:5000/x#f", "https://[::1]:5000/x", "https://[::1]:5000", true },
	{ NULL, "file:///etc/passwd", NULL, NULL, false },
	{ NULL, "https://u:p@a.io/", NULL, NULL, false },
	{ NULL, "gopher://a", NULL, NULL, false },
	{ NULL, "", NULL, NULL, false },
};

START_TEST(url)
{
	AUTO(url_done)
	struct url u = { 0 };
	AUTO(url_done)
	struct url o = { 0 };
	struct csn_error err;
	int r = url_parse(urls[_i].base, urls[_i].reference, &u, &err);

	if (!urls[_i].want) {
		ck_assert_int_lt(r, 0);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(u.text, urls[_i].want);
	ck_assert_int_eq(url_parse(NULL, urls[_i].origin, &o, &err), 0);
	ck_assert_int_eq(url_same_origin(&u, &o), urls[_i].same);
}
END_TEST

START_TEST(loopback)
{
	static const char *const local[] = { "localhost",     "LOCALHOST:5000", "127.0.0.1",
					     "127.8.9.1:443", "[::1]",		"[::1]:5000" };
	static const char *const other[] = { "localhost.example", "128.0.0.1",
					     "10.0.0.1:127",	  "[::2]",
					     "127.0.0.1.example", "[::1",
					     "127.1.example:80",  "" };

	for (size_t i = 0; i < COUNT(local); i++)
		ck_assert_msg(host_is_loopback(local[i]), "%s", local[i]);
	for (size_t i = 0; i < COUNT(other); i++)
		ck_assert_msg(strcmp(other[i], "[::1") == 0 || !host_is_loopback(other[i]), "%s",
			      other[i]);
}
END_TEST

/* ---- references ------------------------------------------------------------------------------ */

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX128 HEX64 HEX64
static const struct {
	const char *text, *want; /* NULL: refused */
} references[] = {
	{ "a/b/c", "docker.io/a/b/c:latest" },
	{ "a.b/c", "a.b/c:latest" },
	{ "a:5/c", "a:5/c:latest" },
	{ "A/c", "A/c:latest" },
	{ "localhost/c", "localhost/c:latest" },
	{ "localhostx/c", "docker.io/localhostx/c:latest" },
	{ "index.docker.io/c", "docker.io/library/c:latest" },
	{ "docker.io/c:t", "docker.io/library/c:t" },
	{ "[::1]:5000/a/b:t", "[::1]:5000/a/b:t" },
	{ "a@sha256:" HEX64, "docker.io/library/a@sha256:" HEX64 },
	{ "a:t@sha256:" HEX64, "docker.io/library/a:t@sha256:" HEX64 },
	{ "a@sha512:" HEX128, "docker.io/library/a@sha512:" HEX128 },
	{ "a__b.c-d---e_f", "docker.io/library/a__b.c-d---e_f:latest" },
	{ "../../x", NULL },
	{ "a/../b", NULL },
	{ "%2e%2e", NULL },
	{ "a\nb", NULL },
	{ "\xc3\xa9", NULL },
	{ "a:../../x", NULL },
	{ "a:", NULL },
	{ "a@", NULL },
	{ "a@sha256:xyz", NULL },
	{ "a@sha256:../../x", NULL },
	{ "a@SHA256:" HEX64, NULL },
	{ "a@md5:0123456789abcdef0123456789abcdef", NULL },
	{ "a..b", NULL },
	{ "a___b", NULL },
	{ "-a", NULL },
	{ "a-", NULL },
	{ "a//b", NULL },
	{ "/a", NULL },
	{ "a/", NULL },
	{ "a:b:c", NULL },
	{ "[::1/a", NULL },
	{ "host:99999999/a", NULL },
	{ "https://a.io/b", NULL },
	{ HEX64, NULL },
	{ "", NULL },
};

START_TEST(reference)
{
	char got[REF_TEXT_MAX] = "";
	struct csn_error err = { 0 };
	int r = ref_normalise(references[_i].text, got, &err);

	if (references[_i].want) {
		ck_assert_msg(r == 0, "%s: %s", references[_i].text, err.text);
		ck_assert_str_eq(got, references[_i].want);
	} else {
		ck_assert_msg(r == -EINVAL, "%s became %s", references[_i].text, got);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image registry");
	TCase *tc = tcase_create("registry");

	tcase_add_loop_test(tc, challenge, 0, COUNT(challenges));
	tcase_add_loop_test(tc, toml, 0, COUNT(tomls));
	tcase_add_loop_test(tc, registries_conf, 0, COUNT(registries));
	tcase_add_loop_test(tc, hosts_toml, 0, COUNT(hosts));
	tcase_add_loop_test(tc, credentials, 0, COUNT(auths));
	tcase_add_test(tc, store_and_erase);
	tcase_add_loop_test(tc, member_set, 0, COUNT(members));
	tcase_add_loop_test(tc, url, 0, COUNT(urls));
	tcase_add_test(tc, loopback);
	tcase_add_loop_test(tc, reference, 0, COUNT(references));
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
