#!/usr/bin/env bats
# What is logged, and where to.

load common
load serve

@test "a decision's line begins with the queue id" {
	counting_policy
	serve
	deliver
	grep -E '^milterd\[[0-9]+\]: NOQUEUE: reject stage=rcpt rule=bad-one ' "$T/log"
	submit 4XyZ12
	grep -E '^milterd\[[0-9]+\]: 4XyZ12: reject stage=rcpt rule=bad-one ' "$T/log"
}

@test "--log-format json: each line is an object" {
	counting_policy
	serve --log-format json
	deliver
	[ "$(jq -s 'all(type == "object" and has("time") and has("level") and has("pid"))' "$T/log")" = true ]
	[ "$(jq -r 'select(.verdict=="reject") | [.stage,.rule,.line,.client,.sender,.recipients[0],.code,.xcode,.text[0]] | @csv' "$T/log")" = \
		'"rcpt","bad-one",2,"mx.example.net[192.0.2.1]","a@b.test","bad@other.test",550,"5.1.1","no"' ]
	[ "$(jq -r 'select(.verdict=="accept") | .effects[] | [.rule,.effect] | @csv' "$T/log")" = '"tag","add header"' ]
	[ "$(jq -r 'select(.note) | [.note,.rule,.text] | @csv' "$T/log")" = '"shadow","any-subject",
"log","tag","tagged"' ]
	[ "$(jq -r 'select(.message) | .message' "$T/log" | grep -c 'listening on')" = 1 ]
}

# Two recipients, and a header field that the regex gives up on.
ignoring() {
	cat >"$T/p.milt" <<-'END'
		milt 1
		option on-failure ignore
		option regex-match-limit 1000
		rule hard-one { when recipient.local matches /^(a+)+$/ reject "x" }
		rule hard-two {
		  when header("Subject") matches /^(a+)+$/
		  reject "x"
		}
		rule hard-three {
		  when recipient exists and header("Subject") matches /^(c|a+)+$/
		  add header "X-Tag" "yes"
		}
	END
	chmod 644 "$T/p.milt"
	serve "$@"
	local a=aaaaaaaaaaaaaaaaaaaaaaaaab
	open_session
	packet C 'mx.example.net\0004\000\000192.0.2.1\0'
	packet H 'mx.example.net\0'
	for _ in 1 2; do
		packet M '<a@b.test>\0'
		packet R "<$a@one.test>\0"
		packet R "<$a@two.test>\0"
		packet D 'Ni\0004XyZ12\0'
		packet T ''
		packet L "Subject\0$a\0"
		packet N ''
		packet E ''
	done
	packet Q ''
	timeout 20 cat <&9 >/dev/null
	exec 9>&-
}

@test "what is ignored is logged, once for each rule and message" {
	ignoring
	local who='client=mx.example.net[192.0.2.1] helo=<mx.example.net> from=<a@b.test>'
	local why='failure="a regular expression took too many steps"'
	local one="warning: NOQUEUE: ignored rule=hard-one at=$T/p.milt:4 $who to=<aaaaaaaaaaaaaaaaaaaaaaaaab@one.test> $why"
	local two="warning: 4XyZ12: ignored rule=hard-two at=$T/p.milt:5 $who $why"
	local three="warning: 4XyZ12: ignored rule=hard-three at=$T/p.milt:9 $who to=<aaaaaaaaaaaaaaaaaaaaaaaaab@one.test> $why"
	diff <(sed -n '/ignored/s/^milterd\[[0-9]*\]: //p' "$T/log") \
		<(printf '%s\n' "$one" "$two" "$three" "$one" "$two" "$three")
	metric 'milt_failures_ignored_total 6'
	metrics | grep -E '^milt_rule_failures_total\{rule="hard-one",.*\} 2$'
	metrics | grep -E '^milt_rule_failures_total\{rule="hard-two",.*\} 2$'
}

@test "a shadow rule: what it saw before there is a sender, and what it could not decide" {
	cat >"$T/p.milt" <<-'END'
		milt 1
		option regex-match-limit 1000
		shadow rule known { when client.ip exists reject "x" }
		shadow rule hard { when header.subject matches /^(a+)+$/ reject "x" }
		shadow rule who { when recipient.local matches /^(a+)+$/ reject "x" }
		rule gone { at connect when client.ip is 192.0.2.2 reject "x" }
	END
	chmod 644 "$T/p.milt"
	serve
	open_session
	packet C 'mx.example.net\0004\000\000192.0.2.2\0'
	packet Q ''
	timeout 20 cat <&9 >/dev/null
	exec 9>&-
	open_session
	packet C 'mx.example.net\0004\000\000192.0.2.1\0'
	packet M '<>\0'
	packet R "<aaaaaaaaaaaaaaaaaaaaaaaaab@one.test>\0"
	packet D 'Ni\0004XyZ12\0'
	packet T ''
	packet L "Subject\0aaaaaaaaaaaaaaaaaaaaaaaaab\0"
	packet N ''
	packet E ''
	packet Q ''
	timeout 20 cat <&9 >/dev/null
	exec 9>&-
	local who='client=mx.example.net[192.0.2.1] from=<>'
	local why='failure="a regular expression took too many steps"'
	diff <(grep -E 'shadow|ignored' "$T/log" | sed 's/^milterd\[[0-9]*\]: //') - <<-END
		NOQUEUE: shadow rule=known at=$T/p.milt:3 client=mx.example.net[192.0.2.2]
		warning: NOQUEUE: ignored rule=who at=$T/p.milt:5 $who to=<aaaaaaaaaaaaaaaaaaaaaaaaab@one.test> $why
		warning: 4XyZ12: ignored rule=hard at=$T/p.milt:4 $who $why
		4XyZ12: shadow rule=known at=$T/p.milt:3 $who
	END
	[ "$(grep -c 'accept' "$T/log")" = 1 ]
}

@test "--log-format json: what is ignored" {
	ignoring --log-format json
	[ "$(jq -r 'select(.note=="ignored") | [.level,.id,.rule,.file,.line,.client,.sender,.recipient,.failure] | @csv' "$T/log" | head -n 2)" = \
		"\"warning\",,\"hard-one\",\"$T/p.milt\",4,\"mx.example.net[192.0.2.1]\",\"a@b.test\",\"aaaaaaaaaaaaaaaaaaaaaaaaab@one.test\",\"a regular expression took too many steps\"
\"warning\",\"4XyZ12\",\"hard-two\",\"$T/p.milt\",5,\"mx.example.net[192.0.2.1]\",\"a@b.test\",,\"a regular expression took too many steps\"" ]
	[ "$(jq -s 'map(select(.note=="ignored")) | length' "$T/log")" = 6 ]
}

@test "--log-format json: any byte is valid JSON" {
	counting_policy
	serve --log-format json
	open_session
	packet C 'mx\001\377\0004\000\000192.0.2.1\0'
	packet M '<\377\300\200\"\\\\a@b.test>\0'
	packet R '<bad@other.test>\0'
	packet Q ''
	timeout 20 cat <&9 >/dev/null
	exec 9>&-
	jq -s . "$T/log" >/dev/null
	[ "$(jq -r 'select(.verdict) | .rule' "$T/log")" = bad-one ]
}

@test "--log journald" {
	[ ! -e /run/systemd/journal/socket ] || skip "there is a journald"
	mkdir -p /run/systemd/journal
	perl -MSocket -e '
		$p = "/run/systemd/journal/socket";
		socket($s, AF_UNIX, SOCK_DGRAM, 0) && bind($s, sockaddr_un($p)) or die;
		alarm 60;
		$| = 1;
		while (defined recv($s, $m, 65536, 0)) { print "$m\n--\n" }' >"$T/journal" 3>&- &
	local journal=$!
	PIDS+=("$journal")
	until_true test -S /run/systemd/journal/socket
	"$MILTERD" -p "unix:$T/s" --log journald "$T/p.milt" 2>>"$T/log" </dev/null 3>&- &
	PIDS+=("$!")
	heard() { grep -q "$1" "$T/journal"; }
	until_true heard '^MESSAGE=listening on unix:'
	heard '^PRIORITY=6$'
	heard '^SYSLOG_IDENTIFIER=milterd$'
	rm -f /run/systemd/journal/socket
}

@test "a full disk for the log changes no answer" {
	[ -w /dev/full ] || skip "no /dev/full"
	"$MILTERD" -p "inet:$PORT@127.0.0.1" --metrics "unix:$T/metrics" \
		"$T/p.milt" >"$T/out" 2>/dev/full </dev/null 3>&- &
	PID=$!
	PIDS+=("$PID")
	until_true metrics
	[[ $(ask) == *"text one"* ]]
	[ "$(metrics | sed -n 's/^milt_log_lines_lost_total //p')" -ge 3 ]
	kill "$PID"
	ends 0
}
