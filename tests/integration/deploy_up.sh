#!/bin/bash
# csn up and down: the sample deployment, that nothing happens twice, what changes when the file does,
# dependencies, and that down leaves nothing. csn create --spec.
. "$(dirname "$0")/netlib.sh"
. "$(dirname "$0")/deploy_lib.sh"

# ---- the sample -------------------------------------------------------------------------------------
sample=$contrib/examples/deployment.yaml
out=$(csn up -f "$sample" --wait 2>&1)
t_is "$?" 0 "the sample comes up: $out"
t_is "$out" $'network example: created\ncontent-rep-1: started\nweb-rep-1: started\nweb-rep-2: started' \
	"in the order of its dependencies"
t_is "$(names)" "content-rep-1=exited web-rep-1=running web-rep-2=running" "all is there"
for replica in web-rep-1 web-rep-2; do
	t_like "$(fetch "$(port_of $replica)")" 'hello from content-rep-1' "$replica answers through its port"
done
t_is "$(csn exec web-rep-1 sh -c 'echo $MODE; wget -qO- http://web:8080/')" $'example\nhello from content-rep-1' \
	"and under the name of the service"

pids=$(pids)
t_is "$(csn up -f "$sample" --wait)" $'content-rep-1: done\nweb-rep-1: running\nweb-rep-2: running' \
	"a second time changes nothing"
t_is "$(pids)" "$pids" "not a single process"

# ---- changes ----------------------------------------------------------------------------------------
sed 's/MODE: example/MODE: changed/; s/replicas: 2/replicas: 1/' "$sample" >changed.yaml
t_is "$(csn up -f changed.yaml)" $'content-rep-1: done\nweb-rep-2: removed\nweb-rep-1: made anew' \
	"a changed service is made anew, a replica too many goes, the rest stays"
t_is "$(csn exec web-rep-1 sh -c 'echo $MODE')" changed "with what the file says now"
csn stop -t 0 web-rep-1 >/dev/null
t_is "$(csn up -f changed.yaml)" $'content-rep-1: done\nweb-rep-1: started again' "one that was stopped is started"
sed 's/comes from the second layer/has changed/' "$contrib/make-image" >other-image
bash other-image other.tar box:latest
csn load -i other.tar >/dev/null 2>&1
t_is "$(csn up -f changed.yaml)" $'content-rep-1: made anew\nweb-rep-1: made anew' \
	"when the image has changed its containers are made anew"
t_is "$(csn exec web-rep-1 cat /etc/motd)" "Welcome: this file has changed." "from the one of now"

# ---- somebody else's ---------------------------------------------------------------------------------
sed 's/^deployment: example/deployment: another/' "$sample" >another.yaml
t_fails_with 'container "content-rep-1" is of deployment "example"' csn up -f another.yaml

# ---- down -------------------------------------------------------------------------------------------
t_is "$(csn down -f "$sample")" $'web-rep-1: removed\ncontent-rep-1: removed\nnetwork example: removed' \
	"down removes all, dependants first"
t_is "$(names)" "" "no container"
t_is "$(csn network ls --format json | grep -c '"example"')" 0 "no network"
t_is "$(csn volume ls -q)" example-www "its data stays"
t_is "$(csn down -f "$sample" --volumes)" "volume example-www: removed" "unless told"
t_is "$(csn down -f "$sample" --volumes)" "" "a second time: nothing to do"

# ---- dependencies -----------------------------------------------------------------------------------
deployment shop <<'YAML'
services:
  late: {image: {name: box}, network_mode: none, command: {args: [sleep, "100"]}, depends: [{service: bad, condition: healthy}]}
  bad: {image: {name: box}, rtype: job, network_mode: none, command: {args: ["false"]}}
YAML
t_fails_with 'service "late" depends on "bad": container "bad-rep-1" has ended with 1' csn up -f shop.yaml
t_is "$(names)" "bad-rep-1=exited" "who depends on it is not started"
sed -i 's/condition: healthy/condition: started/' shop.yaml
t_is "$(csn up -f shop.yaml)" $'bad-rep-1: started again\nlate-rep-1: started' "that it has run is enough when it is asked so"
csn down -f shop.yaml -t 0 >/dev/null
deployment shop <<'YAML'
services:
  a: {image: {name: box}, rtype: job, network_mode: none, command: {args: [sleep, "100"]}}
  b: {image: {name: box}, network_mode: none, command: {args: [sleep, "100"]}, depends: [{service: a, timeout: 300ms, on_timeout: fail}]}
YAML
t_fails_with 'service "b": "a" was not healthy within 300 ms' csn up -f shop.yaml
sed -i 's/on_timeout: fail/on_timeout: warn/' shop.yaml
t_is "$(csn up -f shop.yaml 2>&1)" $'a-rep-1: running\ncsn: service "b": "a" was not healthy within 300 ms\nb-rep-1: started' \
	"a warning, and on it goes"
sed -i '/^  b:/d' shop.yaml
t_is "$(csn up -f shop.yaml 2>&1)" $'a-rep-1: running\ncsn: container "b-rep-1" is of no service any more (--remove-orphans)' \
	"what is of no service any more is told"
t_is "$(csn up -f shop.yaml --remove-orphans 2>&1 | tail -n 1)" "b-rep-1: removed" "and removed when that is asked"
csn down -f shop.yaml -t 0 >/dev/null
t_is "$(names)" "" "all gone"

# ---- one container of a service ----------------------------------------------------------------------
csn network create example >/dev/null
id=$(csn create --spec "$sample" --service web --replica 7)
t_is "$(csn inspect web-rep-7 | json_field id)" "$id" "create makes one replica"
t_like "$(csn inspect web-rep-7)" '"caisson.service": "web"' "of that service"
t_fails_with "$sample: it has no service \"nope\"" csn create --spec "$sample" --service nope
t_fails_with "--spec: --service is missing" csn create --spec "$sample"
t_fails_with "--service: only together with --spec" csn create --service web box true
t_fails_with "--spec: the service says it all; nothing else can be given with it" \
	csn create --spec "$sample" --service web -e A=b
t_fails_with "--spec: the service says it all; nothing else can be given with it" \
	csn create --spec "$sample" --service web box true
csn down -f "$sample" >/dev/null
csn network rm example >/dev/null

# ---- secrets ------------------------------------------------------------------------------------------
deployment shop <<'YAML'
services:
  a:
    image: {name: box}
    rtype: job
    network_mode: none
    command: {args: [sh, -c, 'env | grep ^V_ | sort']}
    memory_swappiness: 10
    env: {V_1: $S:password, V_2: $S:db/user, V_3: $S:db/port, V_4: '[$S:db/none]', V_5: $S:db/none, V_6: $S:db/more,
      V_7: '$S:@api/token', V_8: '$S::prod/key', V_9: '$S:proj:prod/key/yes', V_E: $E:FROM_HERE, V_F: $E:EMPTY}
YAML
cat >secrets.yaml <<'YAML'
password: p w
db: {user: me, port: 5432, none: null, more: {a: [1]}}
'@api/token': tok
':prod/key': k
'proj:prod/key': '{"yes": true}'
YAML
t_is "$(FROM_HERE=here EMPTY='' csn up -f shop.yaml --secrets-file secrets.yaml --wait 2>&1)" \
	"csn: container \"a-rep-1\": memory_swappiness has no cgroup v2 equivalent and was not applied
csn: container \"a-rep-1\": environment variable 'V_5': \$S:db/none is empty
csn: container \"a-rep-1\": environment variable 'V_F': \$E:EMPTY is empty
a-rep-1: started" "what a container does without, and an empty variable, are told"
t_is "$(csn logs a-rep-1)" 'V_1=p w
V_2=me
V_3=5432
V_4=[$S:db/none]
V_5=
V_6={"a":[1]}
V_7=tok
V_8=k
V_9=true
V_E=here
V_F=' "every form of a secret; fields of text, numbers, nulls and objects; a whole value only"
csn down -f shop.yaml >/dev/null
resolution="Invalid spec: environment variable resolution failed:"
refused() { # VALUE MESSAGE
	printf 'services: {a: {image: {name: box}, network_mode: none, env: {V: "%s"}}}\n' "$1" | deployment shop
	t_fails_with "$resolution $2" csn up -f shop.yaml --secrets-file secrets.yaml
}
refused '$S:nope' "secret 'nope' referenced by \$S:nope was not found"
refused '$S:@web/token' "secret '@web/token' referenced by \$S:@web/token was not found"
refused '$S:db/nope' "field 'nope' in secret 'db/nope' was not found"
refused '$S:password/x' "secret resolution error: secret 'password/x' is no JSON object"
refused '$E:NOT_SET_HERE' "environment variable 'NOT_SET_HERE' referenced by \$E:NOT_SET_HERE is not set"
for bad in '' '/x' '@a' '@/b' 'a b' ':/x' 'a/'; do
	refused "\$S:$bad" "'\$S:$bad': expected NAME[/FIELD], @SERVICE/NAME[/FIELD], :ENV/NAME[/FIELD] or PROJECT:ENV/NAME[/FIELD]"
done
printf 'services: {a: {image: {name: box}, network_mode: none, env: {V: $S:x}}}\n' | deployment shop
t_fails_with "$resolution no secrets provider for '\$S:x'" csn up -f shop.yaml
t_is "$(names)" "" "none of that made a container"

# ---- bad files ----------------------------------------------------------------------------------------
t_fails_with 'open nowhere.yaml: No such file or directory' csn up -f nowhere.yaml
printf 'version: v1\ndeployment: shop\nservices: {a: {image: {name: box}, nonsense: 1}}\n' >bad.yaml
t_fails_with 'bad.yaml: Invalid spec: deployment: services.a.nonsense: unknown field' csn up -f bad.yaml
t_is "$(names)" "" "of a bad file nothing is made"
