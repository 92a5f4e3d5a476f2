#!/usr/bin/env bats
# milterd as a program: options, sockets, signals, users.

load common

# ---- usage ------------------------------------------------------------------

@test "--help and --version" {
	run "$MILTERD" --help
	[ "$status" -eq 0 ]
	[[ $output == "usage: milterd "* ]]
	run "$MILTERD" --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^milterd\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	[ -z "$("$MILTERD" --help 2>&1 >/dev/null)" ]
}

@test "usage errors exit 2" {
	local args
	for args in "" "a b" "--nonsense x" "-m 999 x" "-m 8 x" "--drain x x" \
		"--drain -1 x" "--log tty x" "-u no-such-user x" \
		"-o no-such-user x" "-o :no-such-group x" "-u :0 x" "-p" \
		"-p inet:70000@127.0.0.1 x" "-p inet:25@ x" "-p nonsense x" \
		"-p unix:rel x" "-p unix:/$(printf 'x%.0s' {1..110}) x" \
		"-p fd:2 x" "-p fd:x x" "--metrics inet:0@127.0.0.1 x" \
		"-p fd:4 --metrics fd:04 x"; do
		run "$MILTERD" $args
		[ "$status" -eq 2 ] || {
			echo "$args: $status" >&2
			false
		}
		[ -n "$output" ]
	done
	run "$MILTERD" -p "" x
	[ "$status" -eq 2 ]
	run env LISTEN_FDS=1 sh -c 'LISTEN_PID=$$ exec "$@"' sh \
		"$MILTERD" --metrics fd:3 x
	[ "$status" -eq 2 ]
	[[ $output == *"--metrics: fd:3 is the socket for the MTA already"* ]]
}

@test "--check of a good policy says nothing and opens nothing" {
	run "$MILTERD" --check -p "unix:$T/s" "$T/p.milt"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ ! -e "$T/s" ]
}

@test "--check of a bad policy exits 1 with its diagnostics" {
	broken_policy
	run "$MILTERD" --check "$T/p.milt"
	[ "$status" -eq 1 ]
	[[ $output == *"$T/p.milt:2:"*"error[E0"*"client.ipp"* ]]
}

@test "a bad policy opens no socket" {
	broken_policy
	run "$MILTERD" -p "unix:$T/s" "$T/p.milt"
	[ "$status" -eq 1 ]
	[ ! -e "$T/s" ]
}

@test "a policy that is not there exits 3" {
	run "$MILTERD" --check "$T/none.milt"
	[ "$status" -eq 3 ]
	[[ $output == *"No such file or directory"* ]]
}

@test "an image is read as well, a damaged one is not" {
	"$MILTERC" compile -o "$T/p.miltc" "$T/p.milt"
	run "$MILTERD" --check "$T/p.miltc"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	head -c 300 "$T/p.miltc" >"$T/short.miltc"
	run "$MILTERD" --check "$T/short.miltc"
	[ "$status" -eq 1 ]
	[[ $output == *"not a valid image"* ]]
	tail -c +2 "$T/p.miltc" >"$T/cut.miltc"
	run "$MILTERD" --check "$T/cut.miltc"
	[ "$status" -eq 1 ]
	[[ $output == *"is a damaged image"* ]]
	# Told by content, not by name.
	cp "$T/p.miltc" "$T/other.milt"
	run "$MILTERD" --check "$T/other.milt"
	[ "$status" -eq 0 ]
}

# ---- sockets ----------------------------------------------------------------

@test "mode and owner of a unix socket" {
	umask 077
	start_unix
	[ "$(stat -c %a "$T/s")" = 660 ]
	kill -TERM "$PID"
	ends 0
	[ ! -e "$T/s" ]
	[ "$(id -u)" -eq 0 ] || skip "not root"
	rm "$T/log"
	start_unix -m 0600 -o nobody:daemon
	[ "$(stat -c '%a %U %G' "$T/s")" = "600 nobody daemon" ]
}

@test "a live socket is not stolen" {
	start_unix
	run "$MILTERD" -p "unix:$T/s" "$T/p.milt"
	[ "$status" -eq 3 ]
	[[ $output == *"another process listens on unix:$T/s"* ]]
	kill -0 "$PID"
	[ -S "$T/s" ]
}

@test "a stale socket is taken over" {
	start_unix
	kill -9 "$PID"
	until_true gone "$PID"
	[ -S "$T/s" ]
	rm "$T/log"
	start_unix
	kill -TERM "$PID"
	ends 0
	[ ! -e "$T/s" ]
}

@test "what is not a socket stays" {
	echo precious >"$T/s"
	run "$MILTERD" -p "unix:$T/s" "$T/p.milt"
	[ "$status" -eq 3 ]
	[[ $output == *"is not a socket"* ]]
	[ "$(cat "$T/s")" = precious ]
}

@test "an inet socket beyond loopback needs --allow-world" {
	run "$MILTERD" -p "inet:$PORT@0.0.0.0" "$T/p.milt"
	[ "$status" -eq 3 ]
	[[ $output == *"--allow-world"* ]]
	start -p "inet:$PORT@0.0.0.0" --allow-world
	[[ $(ask) == *"550 5.7.1 text one"* ]]
}

@test "a policy to which everybody may write is refused, and its lists" {
	chmod 666 "$T/p.milt"
	run "$MILTERD" --check "$T/p.milt"
	[ "$status" -eq 3 ]
	[[ $output == *"everybody may write to it"* ]]
	"$MILTERD" --check --allow-world "$T/p.milt"
	chmod 644 "$T/p.milt"
	"$MILTERC" compile -o "$T/i" "$T/p.milt"
	chmod 646 "$T/i"
	run "$MILTERD" --check "$T/i"
	[ "$status" -eq 3 ]
	[[ $output == *"everybody may write to it"* ]]
	start -p "inet:$PORT@127.0.0.1"
	echo 192.0.2.0/24 >"$T/l"
	chmod 602 "$T/l"
	printf 'milt 1\nlist l of network from "l"\nrule a { at connect when client.ip in l reject "two" }\n' >"$T/p.milt"
	kill -HUP "$PID"
	until_true logged "the policy read before stays"
	logged "everybody may write to it"
	[[ $(ask) == *"text one"* ]]
}

@test "a world-writable unix socket is warned of" {
	start_unix -m 0666
	logged "every user of this machine"
}

@test "a decision is one line with the rule and its place" {
	start -p "inet:$PORT@127.0.0.1"
	[[ $(ask) == *"550 5.7.1 text one"* ]]
	until_true logged "NOQUEUE: reject stage=connect rule=refuse-one"
	logged "at=$T/p.milt:2 client=h\[192.0.2.1\] reply=\"550 5.7.1 text one\" time="
}

# ---- the process -------------------------------------------------------------

@test "the pid file" {
	start_unix -P "$T/pid"
	[ "$(cat "$T/pid")" = "$PID" ]
	kill -TERM "$PID"
	ends 0
	[ ! -e "$T/pid" ]
	run "$MILTERD" -p "unix:$T/s" -P "$T/none/pid" "$T/p.milt"
	[ "$status" -eq 3 ]
	[ ! -e "$T/s" ]
}

@test "a pid file is a file, and removed if it is still the one" {
	ln -s /dev/null "$T/link"
	mkfifo "$T/fifo"
	for f in /dev/null "$T/link" "$T/fifo" "$T"; do
		run timeout 20 "$MILTERD" -p "unix:$T/s" -P "$f" "$T/p.milt"
		[ "$status" -eq 3 ]
		[[ $output == *"milterd: $f: "* ]]
		[ -e "$f" ]
		[ ! -e "$T/s" ]
	done
	[ -c /dev/null ]
	start_unix -P "$T/pid"
	echo 1 >"$T/other"
	mv "$T/other" "$T/pid"
	kill -TERM "$PID"
	ends 0
	[ "$(cat "$T/pid")" = 1 ]
}

@test "the background" {
	cd "$T"
	"$MILTERD" -d -p "unix:$T/s" -P pid p.milt </dev/null >"$T/out" 2>&1 3>&-
	[ -S "$T/s" ]
	PID=$(cat "$T/pid")
	PIDS+=("$PID")
	[ "$(readlink "/proc/$PID/cwd")" = / ]
	[ "$(readlink "/proc/$PID/fd/2")" = /dev/null ]
	[ "$(awk '{ print $6 }' "/proc/$PID/stat")" != "$(awk '{ print $6 }' "/proc/$$/stat")" ]
	kill -HUP "$PID"
	kill -TERM "$PID"
	until_true gone "$PID"
	[ ! -e "$T/s" ]
	[ ! -e "$T/pid" ]
}

@test "the background: what goes wrong is said and is the exit status" {
	run "$MILTERD" -d -p "unix:$T/s" -P "$T/none/pid" "$T/p.milt"
	[ "$status" -eq 3 ]
	[[ $output == *"No such file or directory"* ]]
	broken_policy
	run "$MILTERD" -d -p "unix:$T/s" "$T/p.milt"
	[ "$status" -eq 1 ]
	[ ! -e "$T/s" ]
}

@test "-u gives up all rights of root" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	start_unix -u nobody
	local status=/proc/$PID/status
	[ "$(awk '/^Uid:/ { print $2 $3 $4 }' "$status")" = 655346553465534 ]
	[ "$(awk '/^Gid:/ { print $2 $3 $4 }' "$status")" = 655346553465534 ]
	[ "$(awk '/^Groups:/ { print NF - 1 }' "$status")" -le 1 ]
	[ "$(awk '/^CapEff:/ { print $2 }' "$status")" = 0000000000000000 ]
	! logged "running as root"
	# It is read again with those rights.
	kill -HUP "$PID"
	until_true times_logged "policy $T/p.milt: 1 rules" 2
}

@test "-u: a policy that the user cannot read is told at the start" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	chmod 600 "$T/p.milt"
	run "$MILTERD" -u nobody -p "unix:$T/s" "$T/p.milt"
	[ "$status" -eq 3 ]
	[[ $output == *"Permission denied"* ]]
	[ ! -e "$T/s" ]
}

@test "with standard descriptors closed" {
	"$MILTERD" --log syslog -p "inet:$PORT@127.0.0.1" -P "$T/pid" \
		"$T/p.milt" <&- >&- 2>&- 3>&- &
	PID=$!
	PIDS+=("$PID")
	until_true test -s "$T/pid"
	until_true open_session
	[[ $(session_answer) == *"550 5.7.1 text one"* ]]
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$PID/fd/$fd")" = /dev/null ]
	done
	kill -TERM "$PID"
	ends 0
}

@test "too few descriptors are refused" {
	run bash -c "ulimit -n 100; exec '$MILTERD' -p 'unix:$T/s' '$T/p.milt'"
	[ "$status" -eq 3 ]
	[[ $output == *"limit on open files is 100"* ]]
	[ ! -e "$T/s" ]
}

@test "sessions beyond the descriptors are put off in words" {
	local fd i
	(
		ulimit -n 300
		exec "$MILTERD" -p "inet:$PORT@127.0.0.1" "$T/p.milt"
	) 2>"$T/log" </dev/null 3>&- &
	PID=$!
	PIDS+=("$PID")
	until_true logged "listening on"
	logged "limit on open files is 300"
	for ((i = 0; i < 236; i++)); do
		exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
		printf "$NEGOTIATE" >&"$fd"
		head -c 5 <&"$fd" >/dev/null
	done
	[[ $(ask) == *"451 4.3.0 Temporary failure"* ]]
	logged "put off: the limit on open descriptors"
	exec {fd}>&-
	until_true eval '[[ $(ask) == *"550 5.7.1 text one"* ]]'
}

# ---- mail of sendmail(1) -----------------------------------------------------

@test "where no recipient can be refused the whole message is, at its end" {
	cat >"$T/p.milt" <<-END
		milt 1
		rule no-relay {
		  when recipient.domain not in example.com
		  reject 550 5.7.1 "not {recipient.domain}"
		}
	END
	start -p "inet:$PORT@127.0.0.1"
	# Replies to MAIL and RCPT are `continue`, the last one is the refusal.
	[[ $(submit 4XyZ) == *c...c*y550\ 5.7.1\ not\ other.test. ]]
	logged "4XyZ: reject stage=rcpt rule=no-relay .*to=<bad@other.test>"
	logged "4XyZ: reject stage=message rule=no-relay .*to=<good@example.com>"
	# Without a queue id at MAIL it is SMTP: the recipient alone is refused.
	[[ $(submit '') == *"y550 5.7.1 not other.test."*a ]]
}

# ---- js rules ---------------------------------------------------------------

js_policy() {
	cat >"$T/p.new" <<-END
		milt 1
		js rule first {
		  at connect when client.ip in 192.0.2.0/24
		  call "x.mjs#f" timeout 1s on failure reject 550 5.7.1 "text $1"
		}
		js rule second { call "x.mjs#f" timeout 1s on failure ignore }
	END
	mv "$T/p.new" "$T/p.milt"
}

@test "a policy with js rules is refused, by name" {
	js_policy js
	for check in --check ""; do
		run "$MILTERD" $check -p "unix:$T/s" "$T/p.milt"
		[ "$status" -eq 1 ]
		[[ $output == *"$T/p.milt: error: milterd runs no JavaScript: js rule first, js rule second"*"npx milt serve"*"--js failure"* ]]
		[ ! -e "$T/s" ]
	done
	run "$MILTERD" --js=node "$T/p.milt"
	[ "$status" -eq 2 ]
}

@test "a policy with js rules is refused when it is read again" {
	start -p "inet:$PORT@127.0.0.1"
	js_policy js
	kill -HUP "$PID"
	until_true logged "milterd runs no JavaScript: js rule first"
	[[ $(ask) == *"text one"* ]]
	kill "$PID"
	ends 0
}

@test "--js failure gives each js rule its on failure" {
	js_policy js
	start -p "inet:$PORT@127.0.0.1" --js failure --metrics "unix:$T/metrics"
	[[ $(ask) == *"550 5.7.1 text js"* ]]
	logged 'warning: NOQUEUE: question rule=first at=.*p.milt:2 .*failure="no host" time='
	logged 'reject stage=connect rule=first .*failure="no host"'
	curl -s --max-time 20 --unix-socket "$T/metrics" http://x/metrics >"$T/m"
	grep -qxF 'milt_questions_total{kind="js",outcome="failure"} 1' "$T/m"
	grep -qxF 'milt_questions_total{kind="js",outcome="answer"} 0' "$T/m"
	grep -qxF 'milt_question_seconds_count{kind="js"} 1' "$T/m"
	grep -qxF 'milt_failures_total{reason="no host"} 1' "$T/m"
	grep -qE '^milt_rule_failures_total\{rule="first",.*\} 1$' "$T/m"
	grep -qE '^milt_rule_decisions_total\{rule="first",.*\} 1$' "$T/m"
	kill "$PID"
	ends 0
}
