#!/usr/bin/env bats
# What an operator sees and asks: metrics, milterctl, reloads.

load common
load serve

@test "metrics count decisions, rules, shadow hits, effects and counts" {
	counting_policy
	serve
	metric 'milt_decisions_total{verdict="reject",stage="rcpt"} 0'
	deliver
	deliver
	metrics >"$T/m"
	local at="file=\"$T/p.milt\""
	grep -F -x 'milt_messages_total 2' "$T/m"
	grep -F -x 'milt_sessions_total 2' "$T/m"
	grep -F -x 'milt_decisions_total{verdict="reject",stage="rcpt"} 2' "$T/m"
	grep -F -x 'milt_decisions_total{verdict="accept",stage="message"} 2' "$T/m" ||
		grep -F -x 'milt_decisions_total{verdict="accept",stage="headers"} 2' "$T/m"
	grep -F -x "milt_rule_decisions_total{rule=\"bad-one\",$at,line=\"2\"} 2" "$T/m"
	grep -F -x "milt_rule_effects_total{rule=\"bad-one\",$at,line=\"2\"} 2" "$T/m"
	grep -F -x "milt_rule_shadow_total{rule=\"any-subject\",$at,line=\"7\"} 2" "$T/m"
	grep -F -x "milt_rule_effects_total{rule=\"tag\",$at,line=\"8\"} 6" "$T/m"
	grep -F -x 'milt_count_total{name="refused"} 2' "$T/m"
	grep -F -x 'milt_count_total{name="tagged"} 2' "$T/m"
	grep -F -x 'milt_stage_seconds_count{stage="rcpt"} 4' "$T/m"
	grep -F -x 'milt_stage_seconds_bucket{stage="rcpt",le="+Inf"} 4' "$T/m"
}

@test "metrics are in Prometheus' form" {
	serve
	metrics >"$T/m"
	! grep -vE '^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? [0-9.e+-]+)$' "$T/m"
	# Each family once, with its type.
	[ -z "$(grep '^# TYPE' "$T/m" | cut -d' ' -f3 | sort | uniq -d)" ]
}

@test "other questions than GET /metrics are refused" {
	serve
	code() { curl -s -o "$T/out" -w '%{http_code}' --max-time 20 --unix-socket "$T/metrics" "$@"; }
	[ "$(code http://x/metrics)" = 200 ]
	[ "$(code http://x/)" = 404 ]
	[ "$(code http://x/../../etc/passwd)" = 404 ]
	[ "$(code -X POST -d x=y http://x/metrics)" = 405 ]
	[ "$(code -I http://x/metrics)" = 200 ]
}

@test "metrics are not served to the world unless told" {
	run "$MILTERD" -p "unix:$T/s" --metrics inet:9891@0.0.0.0 "$T/p.milt"
	[ "$status" -eq 3 ]
	[[ $output == *"not a loopback address: who reaches it can read the metrics;"* ]]
	[ ! -e "$T/s" ]
}

@test "counts survive a reload, by the rule's name" {
	counting_policy
	serve
	deliver
	sed -i '1a # a line more' "$T/p.milt"
	ctl reload
	deliver
	metric "milt_rule_decisions_total{rule=\"bad-one\",file=\"$T/p.milt\",line=\"3\"} 2"
	metric 'milt_count_total{name="tagged"} 2'
	metric 'milt_reloads_total{result="ok"} 1'
	metric 'milt_policy_generation 2'
}

@test "reload answers with the diagnostics, and the old policy stays" {
	serve
	broken_policy
	run ctl reload
	[ "$status" -eq 1 ]
	[[ $output == *"E0"*"client.ipp"* ]]
	[[ $output == *"the policy read before stays in use"* ]]
	metric 'milt_reloads_total{result="failed"} 1'
	[[ $(ask) == *"text one"* ]]
	policy two
	ctl reload
	[[ $(ask) == *"text two"* ]]
	[ "$(ctl --json reload | jq -r .ok)" = true ]
}

@test "milterctl status and rules" {
	counting_policy
	serve
	deliver
	ctl --json status >"$T/j"
	[ "$(jq -r .policy.file "$T/j")" = "$T/p.milt" ]
	[ "$(jq -r .pid "$T/j")" = "$PID" ]
	[ "$(jq -r .policy.rules "$T/j")" = 3 ]
	[ "$(jq -r .sessions.total "$T/j")" = 1 ]
	ctl status | grep -F "process $PID"
	ctl --json rules >"$T/j"
	[ "$(jq -r '.rules[0] | [.rule,.line,.decided,.effects,.verdict] | @csv' "$T/j")" = '"bad-one",2,1,1,"reject"' ]
	[ "$(jq -r '.rules[1].shadow_hits' "$T/j")" = 1 ]
	[ "$(jq -r '.counts[] | [.name,.count] | @csv' "$T/j")" = '"refused",1
"tagged",1' ]
	ctl rules | grep -E "^bad-one +reject +1 +1 +0 +$T/p.milt:2$"
}

@test "milterctl trace shows each rule of the transactions that match" {
	counting_policy
	serve
	ctl --json trace -n 1 'recipient=bad@*' 'client=192.0.2.*' >"$T/a" 3>&- &
	local one=$!
	ctl --json trace -n 1 rule=tag 'sender=*@B.TEST' client=mx.example.net >"$T/b" 3>&- &
	local two=$!
	ctl --json trace sender=nobody@* >"$T/c" 3>&- &
	PIDS+=("$!")
	sleep 0.5
	deliver
	wait "$one" "$two"
	[ "$(jq -r '[.verdict,.stage,.recipients[0],.code] | @csv' "$T/a")" = '"reject","rcpt","bad@other.test",550' ]
	[ "$(jq -r '.rules[] | select(.rule=="bad-one") | [.value,.decided,.why] | @csv' "$T/a")" = '"true",true,"nobody is there"' ]
	[ "$(jq -r '.verdict' "$T/b")" = accept ]
	[ "$(jq -r '.rules[] | select(.rule=="tag") | .value' "$T/b")" = true ]
	[ ! -s "$T/c" ]
}

@test "milterctl trace shows the parts of each condition, their values, and why" {
	cat >"$T/p.milt" <<-'END'
		milt 1
		list partners of network { 198.51.100.0/24 }
		rule partner { when client.ip in partners or helo under example.org accept }
		rule spam { when header.subject matches /^x+$/i unless header("List-Id") exists
			and count(headers) > 3 reject "spam" }
		rule big { when message.size > 1MB and any header { name is "subject" and value is "x" } reject "big" }
		rule later { when header("Subject") is "y" reject "never" }
	END
	serve
	ctl --json trace -n 1 >"$T/a" 3>&- &
	local one=$!
	ctl trace -n 1 rule=spam >"$T/b" 3>&- &
	local two=$!
	sleep 0.5
	deliver
	wait "$one" "$two"
	parts() { jq -r --arg r "$1" '.rules[] | select(.rule==$r) | .value, .because, (.parts[] | [.value,.part,.is // "-"] | join(" | "))' "$T/a"; }
	[ "$(parts partner)" = 'false
its condition does not hold
false | client.ip in partners | 192.0.2.1
false | helo under { example.org } | mx.example.net' ]
	[ "$(parts spam)" = 'true
it decides
true | header.subject matches /^x+$/i | x
false | header("list-id") exists | -
false | count(headers) > 3 | 1' ]
	[ "$(parts big)" = 'unknown
its facts are not known yet
unknown | message.size > 1048576 | -
true | headers.name is "subject" | Subject
true | headers.value is "x" | x' ]
	[ "$(parts later)" = 'false
its condition does not hold
false | header("subject") is "y" | x' ]
	grep -F '* true     spam     ' "$T/b"
	grep -F '    true     header.subject matches /^x+$/i: x' "$T/b"
	grep -F '    false    header("list-id") exists: missing' "$T/b"
}

@test "the control socket is the owner's alone, and bad questions are refused" {
	serve
	[ "$(stat -c %a "$T/control")" = 600 ]
	# A client that says the bytes of printf's text and reads all answers.
	say() {
		printf "$1" | perl -MIO::Socket::UNIX -e '
			$s = IO::Socket::UNIX->new(Peer => shift) or die;
			local $SIG{PIPE} = "IGNORE";
			alarm 20;
			print $s join("", <STDIN>);
			$s->flush;
			shutdown($s, 1);
			print <$s>;' "$T/control"
	}
	[[ $(say 'nonsense\n') == '{"ok":false,"error":"no command'* ]]
	[[ $(say '{"command":5}\n') == '{"ok":false,'* ]]
	[[ $(say '{"command":"stop"}\n') == '{"ok":false,"error":"no such command'* ]]
	[[ $(say '{"command":"trace","count":0}\n') == '{"ok":false,'* ]]
	[[ $(say '{"command":"trace","rule":[]}\n') == '{"ok":false,'* ]]
	[[ $(say '\377\000\n') == '{"ok":false,'* ]]
	# More than a line may have: perhaps the answer does not get through.
	say "$(printf 'x%.0s' {1..5000})\\n"
	[[ $(say "$(printf 'x%.0s' {1..4096})") == *"too long"* ]]
	[[ $(say '{"command":"status"}\n{"command":"status"}\n' | grep -c '"ok":true') -eq 2 ]]
	ctl status
	[[ $(ask) == *"text one"* ]]
}

@test "colours on a terminal, unless NO_COLOR is set" {
	counting_policy
	serve
	local no
	for no in "" 1; do
		NO_COLOR=$no script -qec "'$MILTERCTL' -s '$T/control' trace rule=bad-one" \
			"$T/tty$no" >/dev/null 3>&- &
		PIDS+=("$!")
		sleep 0.5
		deliver
		wait "$!"
	done
	grep -q $'^\033\\[1m\\* true *bad-one' "$T/tty"
	grep -q '^\* true *bad-one' "$T/tty1"
	! grep -q $'\033' "$T/tty1"
	broken_policy
	for no in "" 1; do
		! NO_COLOR=$no script -qec "'$MILTERD' --check '$T/p.milt'" "$T/tty$no" >/dev/null
	done
	grep -q $'\033.*error' "$T/tty"
	grep -q 'error' "$T/tty1"
	! grep -q $'\033' "$T/tty1"
}

@test "traces leave room for other commands, and who is refused is told" {
	serve
	local i
	# Each has its place before the next one comes, and who asks here.
	perl -MIO::Socket::UNIX -e '
		for (1 .. 16) {
			my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
			print $s "{\"command\":\"trace\",\"count\":9}\n";
			<$s> eq "{\"ok\":true}\n" or die;
			push @s, $s;
		}
		open(T, ">", $ARGV[1]); sleep 1 while 1;' "$T/control" "$T/traced" 3>&- &
	PIDS+=("$!")
	until_true [ -e "$T/traced" ]
	run ctl trace
	[ "$status" -eq 1 ]
	[ "$output" = "milterctl: too many trace at once" ]
	ctl status
	ctl reload
	# All other places, for as long as the pipe is open.
	mkfifo "$T/hold"
	perl -MIO::Socket::UNIX -e '
		while (@s < 16) {
			my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
			print $s "{\"command\":\"status\"}\n";
			push @s, $s if <$s> =~ /"ok":\s*true/;
		}
		open(H, "<", $ARGV[1]); <H>;' "$T/control" "$T/hold" 3>&- &
	PIDS+=("$!")
	exec 6>"$T/hold"
	for ((i = 0; i < 50; i++)); do
		run ctl status
		[ "$status" -eq 1 ]
		[ "$output" = "milterctl: too many ask at once" ]
	done
	exec 6>&-
	until_true ctl status
}

@test "milterctl and a milterd that leaves without a word" {
	perl -MIO::Socket::UNIX -e '
		$l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die;
		close($l->accept) while 1;' "$T/control" 3>&- &
	PIDS+=("$!")
	until_true [ -S "$T/control" ]
	local i
	for ((i = 0; i < 20; i++)); do
		run ctl status
		[ "$status" -eq 3 ]
		[[ $output == "milterctl: milterd has not answered: "* ]]
	done
}

@test "milterctl without a milterd" {
	run "$MILTERCTL" -s "$T/nothing" status
	[ "$status" -eq 3 ]
	run "$MILTERCTL" -s "$T/nothing"
	[ "$status" -eq 2 ]
	run "$MILTERCTL" -s "$T/nothing" trace colour=red
	[ "$status" -eq 2 ]
	run "$MILTERCTL" --version
	[[ $output =~ ^milterctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "a watched list reloads by itself, one that is missing does not" {
	cat >"$T/p.milt" <<-END
		milt 1
		list bad of network from "bad" watch
		rule refuse { at connect when client.ip in bad reject "text listed" }
	END
	echo 198.51.100.0/24 >"$T/bad"
	serve
	[[ $(ask) != *"text listed"* ]]
	echo 192.0.2.0/24 >"$T/bad.new"
	mv "$T/bad.new" "$T/bad"
	until_true metric 'milt_policy_generation 2' || until_true metric 'milt_policy_generation 3'
	[[ $(ask) == *"text listed"* ]]
	rm "$T/bad"
	until_true logged "is not used: the policy read before stays"
	[[ $(ask) == *"text listed"* ]]
	echo 203.0.113.0/24 >"$T/bad"
	not_listed() { [[ $(ask) != *"text listed"* ]]; }
	until_true not_listed
}

@test "--strict: warnings are errors, at the start, at --check and at a reload" {
	printf 'milt 1\nlist unused of text { "x" }\nrule a { when helo absent accept }\n' >"$T/w.milt"
	"$MILTERD" --check "$T/w.milt"
	run "$MILTERD" --check --strict "$T/w.milt"
	[ "$status" -eq 1 ]
	[[ $output == *"warning[W"* ]]
	printf 'test "t" { expect accept }\n' >>"$T/p.milt"
	serve --strict
	cp "$T/w.milt" "$T/p.milt"
	run ctl reload
	[ "$status" -eq 1 ]
	[[ $(ask) == *"text one"* ]]
	metric 'milt_reloads_total{result="failed"} 1'
}

@test "a missing list and a torn image leave the old policy" {
	printf 'milt 1\nlist l of text from "gone"\nrule a { when helo in l accept }\n' >"$T/l.milt"
	run "$MILTERD" --check "$T/l.milt"
	[ "$status" -eq 1 ]
	"$MILTERC" compile -o "$T/i" "$T/p.milt"
	serve
	cp "$T/l.milt" "$T/p.milt"
	run ctl reload
	[ "$status" -eq 1 ]
	local size=$(stat -c %s "$T/i") n
	for n in 0 8 100 $((size / 2)) $((size - 1)); do
		head -c "$n" "$T/i" >"$T/p.milt"
		run "$MILTERD" --check "$T/p.milt"
		[ "$status" -eq 1 ] || [ "$n" -eq 0 ]
		run ctl reload
		[ "$status" -eq 1 ] || [ "$n" -eq 0 ]
	done
	cp "$T/i" "$T/p.milt"
	ctl reload
	[[ $(ask) == *"text one"* ]]
}

@test "--memory: a message beyond it is put off, the next one is not" {
	cat >"$T/p.milt" <<-'END'
		milt 1
		option scan-limit 10MB
		rule r { when body.raw contains "virus" reject "a virus" }
	END
	serve --memory 1
	# body COUNT: chunks of 50,000 octets, and what is answered at the end
	body() {
		local i chunk
		chunk=$(printf 'x%.0s' {1..50000})
		open_session
		packet M '<a@b.test>\0'
		packet R '<good@example.com>\0'
		packet N ''
		for ((i = 0; i < $1; i++)); do packet B "$chunk"; done
		packet B 'virus'
		packet E ''
		packet Q ''
		timeout 20 cat <&9 | tr -cd '[:print:]'
		exec 9>&-
	}
	[[ $(body 40) == *"451 4.3.0"* ]]
	[ "$(metrics | sed -n 's/^milt_limits_total{limit="TOTAL_MEMORY"} //p')" -ge 1 ]
	[[ $(body 2) == *"a virus"* ]]
	until_true metric 'milt_memory_bytes 0'
}

# ---- sockets from systemd ---------------------------------------------------

# activated COUNT: milterd with so many listening sockets from descriptor 3 on,
# as systemd hands them over.
activated() {
	perl -MIO::Socket::INET -MPOSIX -e '
		($n, $port, @command) = @ARGV;
		$^F = 100;
		for (0 .. $n - 1) {
			$s[$_] = IO::Socket::INET->new(Listen => 5, ReuseAddr => 1,
				LocalAddr => $ENV{LOCAL} // "127.0.0.1", LocalPort => $port + $_) or die;
			POSIX::dup2(fileno($s[$_]), 50 + $_);
		}
		POSIX::dup2(50 + $_, 3 + $_) for 0 .. $n - 1;
		$ENV{LISTEN_PID} = $$;
		$ENV{LISTEN_FDS} = $n;
		exec @command;' "$1" "$PORT" "$MILTERD" "$T/p.milt" \
		>"$T/out" 2>>"$T/log" </dev/null 3>&- &
	PID=$!
	PIDS+=("$PID")
}

@test "the socket that systemd passes is used; two are refused" {
	activated 1
	until_true logged 'listening on fd:3'
	[[ $(ask) == *"text one"* ]]
	kill "$PID"
	ends 0
	activated 2
	ends 3
	logged 'systemd passed 2 sockets'
}

@test "a socket from systemd that the world reaches needs --allow-world" {
	LOCAL=0.0.0.0 activated 1
	ends 3
	logged 'fd:3 is not bound to a loopback address: who reaches it can speak as the MTA; --allow-world permits it'
}

# ---- logs -------------------------------------------------------------------
