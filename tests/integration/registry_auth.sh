#!/bin/bash
# Who may pull and push, over what: Basic and token servers, files of credentials and helpers,
# login and logout, TLS under a CA of the tests' own, plain http, proxies, mirrors.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/registry.sh"
command -v docker-registry >/dev/null || t_skip_all "docker-registry is not installed"

make_layout "$TMPDIR/layout" 100 1
want=$(layout_digest "$TMPDIR/layout")
root=$TMPDIR/source
image load --name app:1 "$TMPDIR/layout" >/dev/null
number=0

fresh() {
	root=$TMPDIR/root$((++number))
}

# pulls NAME IMAGE [OPTION...]
pulls() {
	local name=$1 from=$2
	shift 2
	fresh
	t_is "$(image pull --no-sync "$@" "$from" | tail -n 1 | json_field digest)" "$want" "$name"
}

# refuses MESSAGE IMAGE [OPTION...]
refuses() {
	local message=$1 from=$2
	shift 2
	fresh
	t_is "$(image pull --no-sync "$@" "$from" | image_error)" "$message" "$message"
}

# auth_file HOST USER:PASSWORD
auth_file() {
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$1" "$(printf %s "$2" | base64 -w 0)" >"$REGISTRY_AUTH_FILE"
}

# ---- Basic, with Debian's registry. The line is htpasswd -B of user, secret. ---------------------
# shellcheck disable=SC2016
echo 'user:$2y$05$WYuIYqNVF0QnvmF6OuiiuuVdqZWaNopXgyPlnSJA5pYAw/MsvBCQu' >"$TMPDIR/htpasswd"
start_registry basic 5001 "auth:" "  htpasswd:" "    realm: tests" "    path: $TMPDIR/htpasswd"
basic=127.0.0.1:5001
root=$TMPDIR/source
t_like "$(image push app:1 $basic/a/app:1 | image_error)" "access is denied \(401\)$" "pushing without credentials"
echo '{"username":"user","password":"wrong"}' >"$TMPDIR/wrong"
echo '{"username":"user","password":"secret"}' >"$TMPDIR/right"
t_like "$(image push --auth-stdin app:1 $basic/a/app:1 <"$TMPDIR/wrong" | image_error)" "access is denied \(401\)" "with a wrong password"
t_is "$(image push --auth-stdin app:1 $basic/a/app:1 <"$TMPDIR/right" | tail -n 1 | json_field digest)" "$want" "with the right one"
refuses "registry $basic: a/app:1: access is denied (401): authentication required" $basic/a/app:1
auth_file $basic user:secret
pulls "with a file of credentials" $basic/a/app:1
auth_file $basic user:wrong
refuses "registry $basic: a/app:1: access is denied (401): authentication required" $basic/a/app:1
fresh
t_is "$(image pull --auth-stdin $basic/a/app:1 <"$TMPDIR/right" | tail -n 1 | json_field digest)" "$want" \
	"credentials that are given win over those of the file"

# Helpers: found in PATH, asked with the registry on standard input.
mkdir "$TMPDIR/bin"
cat >"$TMPDIR/bin/docker-credential-tests" <<-END
	#!/bin/sh
	cat >"$TMPDIR/helper.\$1"
	umask >"$TMPDIR/helper.umask"
	[ "\$1" != get ] || echo '{"ServerURL":"x","Username":"user","Secret":"secret"}'
END
cat >"$TMPDIR/bin/docker-credential-empty" <<-'END'
	#!/bin/sh
	echo "credentials not found in native keychain"
	exit 1
END
chmod +x "$TMPDIR"/bin/*
PATH=$TMPDIR/bin:$PATH
echo "{\"credHelpers\":{\"$basic\":\"tests\"}}" >"$REGISTRY_AUTH_FILE"
pulls "with a helper for the registry" $basic/a/app:1
t_is "$(cat "$TMPDIR/helper.get")" $basic "the helper is asked for it"
t_is "$(cat "$TMPDIR/helper.umask")" 0077 "what it writes is nobody else's to read"
echo '{"credsStore":"tests"}' >"$REGISTRY_AUTH_FILE"
pulls "with a helper for all registries" $basic/a/app:1
echo '{"credsStore":"empty"}' >"$REGISTRY_AUTH_FILE"
refuses "registry $basic: a/app:1: access is denied (401): authentication required" $basic/a/app:1
echo '{"auths":' >"$REGISTRY_AUTH_FILE"
fresh
t_like "$(image pull $basic/a/app:1 | image_error)" "^registry $basic: $REGISTRY_AUTH_FILE: " "a file of credentials that is broken"
rm "$REGISTRY_AUTH_FILE"

# Login and logout, as csn has them.
csn() {
	"$CSN" --root "$TMPDIR/csn" --run-root "$TMPDIR/csn.run" "$@"
}
t_fails_with "registry $basic: wrong user name or password" csn login -u user --password-stdin $basic <<<wrong
t_ok "a refused login writes nothing" test ! -e "$REGISTRY_AUTH_FILE"
t_is "$(csn login -u user --password-stdin $basic <<<secret)" "Logged in to $basic; kept by $REGISTRY_AUTH_FILE" "login"
t_is "$(stat -c %a "$REGISTRY_AUTH_FILE")" 600 "nobody else can read the file"
t_is "$(csn pull -q $basic/a/app:1 | wc -l)" 1 "and then a pull"
t_is "$(csn logout $basic)" "Logged out of $basic; removed from $REGISTRY_AUTH_FILE" "logout"
t_fails_with "$REGISTRY_AUTH_FILE: has no credentials for $basic" csn logout $basic
t_fails_with "registry 'a/b': expected HOST[:PORT]" csn login -u user --password-stdin a/b <<<secret
t_fails_with "login: --password-stdin needs --username" csn login --password-stdin $basic <<<secret
csn pull --progress plain --creds user:secret $basic/a/app:1 >"$TMPDIR/out" 2>&1
t_is "$(tail -n 1 "$TMPDIR/out")" "Digest: $want" "pull --creds"
# While it works, no process shows the password.
t_is "$(csn pull --policy always --creds user:wrong $basic/a/app:1 2>&1)" \
	"csn: registry $basic: a/app:1: access is denied (401): authentication required" "pull with wrong --creds"
echo '{"credsStore":"tests"}' >"$REGISTRY_AUTH_FILE"
t_is "$(PATH=$TMPDIR/bin:$PATH "$CAISSON_IMAGE" login --auth-stdin $basic <"$TMPDIR/right" | json_field where)" \
	docker-credential-tests "login with a helper"
t_is "$(cat "$TMPDIR/helper.store")" "{\"ServerURL\":\"$basic\",\"Username\":\"user\",\"Secret\":\"secret\"}" "it gets the secret"
rm "$REGISTRY_AUTH_FILE"

# ---- tokens ------------------------------------------------------------------------------------
start_server token "$TMPDIR/layout" auth=token
token=127.0.0.1:$port
fresh
t_like "$(image pull "$token/plain/app:1" | image_error)" "access is denied \(401\): no token$" "a token without rights"
auth_file "$token" user:wrong
refuses "registry $token: its token server 127.0.0.1 refuses the credentials (401)" "$token/plain/app:1"
auth_file "$token" user:secret
: >"$TMPDIR/token.log"
pulls "with a token" "$token/plain/app:1"
t_is "$(grep -c '/token' "$TMPDIR/token.log")" 1 "one token is enough"
t_like "$(grep /token "$TMPDIR/token.log")" 'service=tests.*scope=repository%3Aplain%2Fapp%3Apull' "for this service and repository"
echo "{\"auths\":{\"$token\":{\"auth\":\"$(printf x:y | base64)\",\"identitytoken\":\"identity\"}}}" >"$REGISTRY_AUTH_FILE"
: >"$TMPDIR/token.log"
pulls "with an identity token" "$token/plain/app:1"
t_like "$(grep /token "$TMPDIR/token.log")" '^POST /token 200$' "by POST"
stop_servers
# Tokens that live shorter than the pull.
start_server short "$TMPDIR/layout" auth=token life=0.2
auth_file "127.0.0.1:$port" user:secret
: >"$TMPDIR/short.log"
pulls "with tokens that expire on the way" "127.0.0.1:$port/busy/app:1"
t_ok "they are renewed" test "$(grep -c '/token' "$TMPDIR/short.log")" -gt 1
rm "$REGISTRY_AUTH_FILE"

# ---- TLS ---------------------------------------------------------------------------------------
# certificate NAME SUBJECT-ALT [DAYS]: signed by the CA
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMPDIR/ca.key" -out "$TMPDIR/ca.crt" \
	-days 2 -subj "/CN=CA of the tests" 2>/dev/null
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMPDIR/$1.key" -out "$TMPDIR/$1.csr" \
		-subj "/CN=tests" 2>/dev/null
	openssl x509 -req -in "$TMPDIR/$1.csr" -CA "$TMPDIR/ca.crt" -CAkey "$TMPDIR/ca.key" -CAcreateserial \
		-out "$TMPDIR/$1.crt" -days "${3:-2}" -extfile <(echo "subjectAltName=$2") 2>/dev/null
}
certificate good IP:10.9.9.1
certificate wrong-name DNS:example.org
certificate expired IP:10.9.9.1 -1
# An address that is not loopback's: there, nothing is forgiven.
busybox ip addr add 10.9.9.1/32 dev lo
mkdir "$TMPDIR/certs"
cp "$TMPDIR/ca.crt" "$TMPDIR/certs/"
start_server tls "$TMPDIR/layout" address=10.9.9.1 tls="$TMPDIR/good.crt,$TMPDIR/good.key"
tls=10.9.9.1:$port
refuses "registry $tls: its certificate is not trusted" "$tls/plain/app:1"
pulls "TLS under a CA of one's own" "$tls/plain/app:1" --cert-dir "$TMPDIR/certs"
SSL_CERT_FILE=$TMPDIR/ca.crt pulls "SSL_CERT_FILE" "$tls/plain/app:1"
pulls "--tls-verify=false" "$tls/plain/app:1" --tls-verify=false
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$tls" >"$CONTAINERS_REGISTRIES_CONF"
pulls "insecure in registries.conf" "$tls/plain/app:1"
refuses "registry $tls: its certificate is not trusted" "$tls/plain/app:1" --tls-verify=true
: >"$CONTAINERS_REGISTRIES_CONF"
for kind in wrong-name expired; do
	start_server $kind "$TMPDIR/layout" address=10.9.9.1 tls="$TMPDIR/$kind.crt,$TMPDIR/$kind.key"
	refuses "registry 10.9.9.1:$port: its certificate is not trusted" "10.9.9.1:$port/plain/app:1" --cert-dir "$TMPDIR/certs"
done
start_server old "$TMPDIR/layout" address=10.9.9.1 tls="$TMPDIR/good.crt,$TMPDIR/good.key" old=1
refuses "registry 10.9.9.1:$port: the TLS handshake failed" "10.9.9.1:$port/plain/app:1" --cert-dir "$TMPDIR/certs"
start_server client "$TMPDIR/layout" address=10.9.9.1 tls="$TMPDIR/good.crt,$TMPDIR/good.key" client_ca="$TMPDIR/ca.crt"
fresh
t_like "$(image pull --cert-dir "$TMPDIR/certs" "10.9.9.1:$port/plain/app:1" | image_error)" "^registry 10.9.9.1:$port: " "a registry that wants a client certificate"
cp "$TMPDIR/good.crt" "$TMPDIR/certs/client.cert"
cp "$TMPDIR/good.key" "$TMPDIR/certs/client.key"
pulls "a client certificate" "10.9.9.1:$port/plain/app:1" --cert-dir "$TMPDIR/certs"
rm "$TMPDIR"/certs/client.*

# Debian's registry speaks HTTP/2 over TLS.
certificate loopback IP:127.0.0.1
start_registry h2 5002 "  tls:" "    certificate: $TMPDIR/loopback.crt" "    key: $TMPDIR/loopback.key"
root=$TMPDIR/source
t_is "$(image push --cert-dir "$TMPDIR/certs" app:1 127.0.0.1:5002/a/app:1 | tail -n 1 | json_field digest)" "$want" "a push by HTTP/2"
pulls "a pull by HTTP/2" 127.0.0.1:5002/a/app:1 --cert-dir "$TMPDIR/certs"
t_is "$(grep -c '"GET /v2/a/app/.* HTTP/2.0" 200' "$TMPDIR/h2.log")" 4 "HTTP/2 it is"
refuses "registry 127.0.0.1:5002: its certificate is not trusted" 127.0.0.1:5002/a/app:1

# Plain http: never of itself, but on loopback and where one says so.
start_server plain "$TMPDIR/layout" address=10.9.9.1
plain=10.9.9.1:$port
refuses "registry $plain: the TLS handshake failed" "$plain/plain/app:1"
pulls "plain http with --tls-verify=false" "$plain/plain/app:1" --tls-verify=false
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$plain" >"$CONTAINERS_REGISTRIES_CONF"
pulls "plain http of a registry that is declared insecure" "$plain/plain/app:1"

# ---- mirrors -----------------------------------------------------------------------------------
printf '[[registry]]\nprefix = "r.example/x"\nlocation = "%s/plain"\ninsecure = true\n[[registry.mirror]]\nlocation = "10.9.9.1:1/none"\n' \
	"$plain" >"$CONTAINERS_REGISTRIES_CONF"
pulls "a mirror that is down, and another location" r.example/x/app:1
printf '[[registry]]\nlocation = "10.9.9.1:1"\n[[registry.mirror]]\nlocation = "%s/plain"\ninsecure = true\n' \
	"$plain" >"$CONTAINERS_REGISTRIES_CONF"
pulls "a mirror of a registry that is down" 10.9.9.1:1/app:1
printf '[[registry]]\nlocation = "r.example"\nblocked = true\n' >"$CONTAINERS_REGISTRIES_CONF"
refuses "$CONTAINERS_REGISTRIES_CONF:1: registry r.example is blocked" r.example/app:1
: >"$CONTAINERS_REGISTRIES_CONF"
http_proxy=http://$plain https_proxy=http://$plain no_proxy= fresh
t_like "$(https_proxy=http://10.9.9.1:1 "$CAISSON_IMAGE" --root "$root" pull --retry-pause 20 r.example/a:1 | image_error)" \
	"^registry r.example: cannot connect" "the proxy of the environment is asked"
stop_servers
busybox ip addr del 10.9.9.1/32 dev lo
