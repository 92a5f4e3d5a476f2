#!/usr/bin/env bats
# Each verdict once, through a real Postfix.

. "$BATS_TEST_DIRNAME/common.bash"

setup()
{
	rm -f "$PF/msg"
}

AMY='RCPT TO:<amy@example.com>'

@test "accept: the message arrives as it was sent" {
	policy 'rule r { when helo is "never.test" reject "no" }'
	message 'X-Odd:no blank' 'X-Fold: one' '  two' 'x-ODD: second'
	printf '.dot\n..dots\n' >>"$PF/msg"
	transaction
	is "$(reply . | cut -c1-20)" '250 2.0.0 Ok: queued'
	is "$(arrived)" "Received: (Postfix)
From: Bob <bob@client.test>
Subject: hello
X-Odd:no blank
X-Fold: one
  two
x-ODD: second

Hello.
.dot
..dots"
}

@test "reject by the client's address is spoken at RCPT" {
	log_clear
	policy 'rule by-client {
  when   client.ip in 203.0.113.0/24
  reject 554 5.7.1 "not from {client.ip}"
}'
	transaction
	is "$(reply 'MAIL FROM:<bob@client.test>')" '250 2.1.0 Ok'
	is "$(reply "$AMY")" '554 5.7.1 not from 203.0.113.5'
	log_has 'NOQUEUE: reject stage=rcpt rule=by-client at=.*p.milt:2 client=.*203\.0\.113\.5.* from=<bob@client.test> to=<amy@example.com>.* reply="554 5.7.1 not from 203.0.113.5"'
	in_mail_log 'milter-reject: RCPT from mx.client.test.*554 5.7.1 not from 203.0.113.5'
}

@test "another client passes" {
	policy 'rule by-client { when client.ip in 198.51.100.0/24 reject "no" }'
	transaction
	is "$(reply "$AMY")" '250 2.1.5 Ok'
}

@test "reject by an IPv6 client" {
	policy 'rule by-client { when client.ip in 2001:db8::/32 reject "{client.ip}" }'
	CLIENT='NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7' transaction
	is "$(reply "$AMY")" '550 5.7.1 2001:db8::7'
}

@test "a client without a name has none" {
	policy 'rule no-name { when client.name absent and client.reverse-name absent reject "no name" }'
	CLIENT='NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] ADDR=203.0.113.9' transaction
	is "$(reply "$AMY")" '550 5.7.1 no name'
	transaction
	is "$(reply "$AMY")" '250 2.1.5 Ok'
}

@test "a name that was not verified" {
	policy 'rule unverified { when client.name absent reject "{client.reverse-name}" }'
	CLIENT='NAME=[UNAVAILABLE] REVERSE_NAME=ptr.client.test ADDR=203.0.113.9' transaction
	is "$(reply "$AMY")" '550 5.7.1 ptr.client.test'
}

@test "the look-up failed for now" {
	policy 'rule later { when client.name absent and macro("client_resolve") is "TEMP" tempfail "later" }'
	CLIENT='NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL] ADDR=203.0.113.9' transaction
	is "$(reply "$AMY")" '451 4.7.1 later'
}

@test "reject by HELO" {
	policy 'rule by-helo { when helo under client.test reject 550 5.7.2 "you are not {helo}" }'
	transaction
	is "$(reply "$AMY")" '550 5.7.2 you are not mx.client.test'
}

@test "the last HELO counts" {
	policy 'rule by-helo { when helo is "first.test" reject "no" }'
	message
	send xclient "$CLIENT" ehlo first.test ehlo second.test \
		mail bob@client.test rcpt amy@example.com
	is "$(reply "$AMY")" '250 2.1.5 Ok'
	send xclient "$CLIENT" ehlo second.test ehlo first.test \
		mail bob@client.test rcpt amy@example.com
	is "$(reply "$AMY")" '550 5.7.1 no'
}

@test "reject by the sender" {
	policy 'rule by-sender { when sender.domain is "client.test" reject "not {sender}" }'
	transaction
	is "$(reply "$AMY")" '550 5.7.1 not bob@client.test'
}

@test "one of two recipients is refused" {
	policy 'rule no-relay {
  when   recipient.domain not in { example.com }
  reject 550 5.7.1 "no relay to {recipient.domain}"
}'
	message
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		rcpt amy@example.com rcpt carl@elsewhere.test data "$PF/msg"
	is "$(reply "$AMY")" '250 2.1.5 Ok'
	is "$(reply 'RCPT TO:<carl@elsewhere.test>')" '550 5.7.1 no relay to elsewhere.test'
	is "$(arrived_to)" amy@example.com
}

@test "reject by the header" {
	log_clear
	policy 'rule spam { when header.subject contains "VIAGRA" reject 554 5.7.1 "spam: {header.subject}" }'
	printf 'Subject: =?utf-8?q?v=69agra?=\n\nx\n' >"$PF/msg"
	transaction
	is "$(reply DATA)" '354 End data with <CR><LF>.<CR><LF>'
	is "$(reply .)" '554 5.7.1 spam: viagra'
	log_has ': [0-9A-F]+: reject stage=headers rule=spam at=.*p.milt:2 '
}

@test "reject by the body" {
	policy 'rule body { when body.raw contains "Hello." reject "no hello" }'
	transaction
	is "$(reply .)" '550 5.7.1 no hello'
}

@test "accept at connect: nothing below it is asked" {
	log_clear
	policy 'rule friend { when client.ip is 203.0.113.5 accept }
rule never { when recipient is <amy@example.com> reject "no" }
rule never-2 { when header.subject is "hello" reject "no" }'
	transaction
	is "$(reply . | cut -c1-3)" 250
	log_has 'NOQUEUE: accept stage=connect rule=friend at=.*p.milt:2 '
}

@test "accept by one recipient's rule alone" {
	policy 'rule open { when recipient.user is "postmaster" accept }
rule never { when header.subject is "hello" reject "no" }'
	message
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		rcpt postmaster@example.com data "$PF/msg"
	is "$(reply . | cut -c1-3)" 250
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		rcpt postmaster@example.com rcpt amy@example.com \
		data "$PF/msg" || true
	is "$(reply .)" '550 5.7.1 no'
}

@test "discard: accepted and thrown away" {
	policy 'rule sink { when header.subject is "sink" discard }'
	printf 'Subject: sink\n\nx\n' >"$PF/msg"
	transaction
	is "$(reply . | cut -c1-9)" '250 2.0.0'
	in_mail_log "$(queue_id): milter-discard: END-OF-MESSAGE\|milter-discard"
	! in_mail_log "$(queue_id): removed"
	is "$(in_queue)" ''
}

@test "discard that is certain at RCPT is given at DATA" {
	policy 'rule sink { when sender is <bob@client.test> discard }'
	transaction
	is "$(reply "$AMY")" '250 2.1.5 Ok'
	is "$(reply . | cut -c1-9)" '250 2.0.0'
	in_mail_log 'milter-discard: DATA from'
}

@test "tempfail" {
	policy 'rule later { when sender.domain is "client.test" tempfail 450 4.2.0 "later" }'
	transaction
	is "$(reply "$AMY")" '450 4.2.0 later'
}

@test "421 closes the connection" {
	policy 'rule bye { when sender.domain is "client.test" tempfail 421 4.3.2 "bye" }'
	transaction
	is "$(reply "$AMY")" '421 4.3.2 bye'
	is "$(reply QUIT)" ''
}

@test "a reply of several lines" {
	policy 'rule lines { when sender.domain is "client.test" reject 550 5.7.1 "one" "two {helo}" "three" }'
	transaction
	is "$(reply "$AMY")" '550-5.7.1 one
550-5.7.1 two mx.client.test
550 5.7.1 three'
}

@test "per cent signs in a reply" {
	policy 'rule percent { when sender.domain is "client.test" reject "100% %s %% {sender.local}" }'
	message
	send xclient "$CLIENT" ehlo mx.client.test mail '50%n%d@client.test' \
		rcpt amy@example.com || true
	is "$(reply "$AMY")" '550 5.7.1 100% %s %% 50%n%d'
}

@test "8-bit and control characters in a reply are made safe" {
	policy 'rule odd { when header.subject exists reject "[{header.subject}]" }'
	printf 'Subject: a\033b =?utf-8?q?gr=C3=BC=C3=9F=0D=0A250_ok?= \377\n\nx\n' >"$PF/msg"
	transaction
	local got
	got=$(reply .)
	[[ $got == '550 5.7.1 ['* ]]
	[[ $got == *']' ]]
	is "$(wc -l <<<"$got")" 1
	! LC_ALL=C grep -q '[^ -~]' <<<"$got"
}

@test "a long value in a reply is cut to a line" {
	policy 'rule long { when header.subject exists reject "[{header.subject}]" }'
	{ printf 'Subject: '; head -c 5000 /dev/zero | tr '\0' x
		printf '\n\nx\n'; } >"$PF/msg"
	transaction
	local got
	got=$(reply .)
	[[ $got == '550'?'5.7.1 [xxxx'* ]]
	while IFS= read -r line; do
		[ ${#line} -le 510 ]
	done <<<"$got"
}

@test "otherwise" {
	log_clear
	policy 'otherwise reject 550 5.7.0 "nobody else"
rule friend { when sender is <friend@client.test> accept }'
	transaction
	is "$(reply "$AMY")" '550 5.7.0 nobody else'
	log_has 'reject stage=rcpt rule=default at=.*p.milt:2'
}

@test "at mail" {
	policy 'rule pinned { at mail when sender.domain is "client.test" reject 550 5.7.3 "not you" }'
	transaction
	is "$(reply 'MAIL FROM:<bob@client.test>')" '550 5.7.3 not you'
}

@test "at helo" {
	policy 'rule pinned { at helo when helo is "mx.client.test" reject 550 5.7.3 "not you" }'
	transaction
	is "$(reply 'MAIL FROM:<bob@client.test>')" '550 5.7.3 not you'
}

@test "at connect" {
	policy 'rule pinned { at connect when client.ip is 203.0.113.5 reject 554 5.7.3 "not you" }'
	transaction
	is "$(reply "XCLIENT $CLIENT")" '554 mx.test ESMTP not accepting connections'
	is "$(reply 'MAIL FROM:<bob@client.test>')" '554 5.7.3 not you'
}

@test "at connect, for now" {
	policy 'rule pinned { at connect when client.ip is 203.0.113.5 tempfail 451 4.7.3 "not now" }'
	transaction
	is "$(reply 'MAIL FROM:<bob@client.test>')" '451 4.7.3 not now'
}

@test "put off to the message" {
	policy 'rule pinned { at message when sender.domain is "client.test" reject 550 5.7.3 "not you" }'
	transaction
	is "$(reply "$AMY")" '250 2.1.5 Ok'
	is "$(reply .)" '550 5.7.3 not you'
}

@test "a login, by XCLIENT LOGIN" {
	policy 'rule relay { when sasl.username absent reject "log in" }
rule who { when sasl.username is "amy" reject "hello {sasl.username}" }'
	transaction
	is "$(reply "$AMY")" '550 5.7.1 log in'
	CLIENT="$CLIENT LOGIN=amy" transaction
	is "$(reply "$AMY")" '550 5.7.1 hello amy'
}

@test "macros: what the policy asks for is sent" {
	policy 'rule r {
  when sender.domain is "client.test"
  reject "{daemon.name} {daemon.ip} {mta.name} {client.port} {macro("client_connections")} {macro("rcpt_addr")}."
}'
	CLIENT="$CLIENT PORT=4567" transaction
	is "$(reply "$AMY")" '550 5.7.1 mx.test 127.0.0.1 mx.test 4567 0 amy@example.com.'
}

@test "two messages in one connection are decided apart" {
	policy 'rule r { when header.subject is "bad" reject "bad" }
rule s { when sender is <carl@client.test> reject "carl" }'
	message
	printf 'Subject: bad\n\nx\n' >"$PF/bad"
	send xclient "$CLIENT" ehlo mx.client.test \
		mail bob@client.test rcpt amy@example.com data "$PF/bad" \
		mail carl@client.test rcpt amy@example.com say RSET \
		mail bob@client.test rcpt amy@example.com data "$PF/msg" || true
	is "$(reply . | cut -c1-9)" '550 5.7.1
250 2.0.0'
	is "$(reply "$AMY")" '250 2.1.5 Ok
550 5.7.1 carl
250 2.1.5 Ok'
}

@test "SMTPUTF8 addresses" {
	policy 'rule r { when recipient.domain is "bücher.example" reject "{recipient.local}" }'
	send xclient "$CLIENT" ehlo mx.client.test \
		mail '<bob@client.test> SMTPUTF8' rcpt 'amy@BÜCHER.example' \
		rcpt amy@xn--bcher-kva.example rcpt amy@example.com
	is "$(reply 'RCPT TO:<amy@BÜCHER.example>')" '550 5.7.1 amy'
	is "$(reply 'RCPT TO:<amy@xn--bcher-kva.example>')" '550 5.7.1 amy'
	is "$(reply "$AMY")" '250 2.1.5 Ok'
}

@test "shadow rules and log lines are written to milterd's log" {
	log_clear
	policy 'shadow rule maybe { when header.subject is "hello" reject "no" }
rule note { when sender.domain is "client.test" log "from {sender.domain}" }
shadow rule one { when recipient.user is "amy" reject "no" }'
	transaction
	is "$(reply . | cut -c1-3)" 250
	log_has ': shadow rule=maybe at=.*p.milt:2 '
	log_has ': note rule=note at=.*p.milt:3 .*text="from client.test"'
	log_has ': shadow rule=one at=.*p.milt:4 .*to=<amy@example.com>'
}

@test "mail from sendmail(1): no TLS, no login, localhost" {
	log_clear
	policy 'rule local {
  when header.subject is "local"
  reject 550 5.7.1 "{client.ip} {helo}"
}
rule mark { when sender is <root@mx.test> add header "X-Local" "yes" }'
	printf 'Subject: fine\n\nx\n' |
		sendmail -C "$PF/etc" -f root@mx.test amy@example.com
	wait_until 20 in_mail_log 'uid=0 from=<root@mx.test>'
	local id
	id=$(sed -n 's/.*pickup.*: \([0-9A-F]*\): uid=0 from=<root@mx.test>/\1/p' \
		"$PF/mail.log" | tail -n 1)
	wait_until 20 in_mail_log "$id: removed"
	grep -q '^X-Local: yes' "$(delivered "$id")"
	printf 'Subject: local\n\nx\n' |
		sendmail -C "$PF/etc" -f root@mx.test amy@example.com
	wait_until 20 in_mail_log 'milter-reject: END-OF-MESSAGE from localhost\[127.0.0.1\]\|milter-reject: .* from localhost'
	log_has 'reject stage=headers rule=local'
}

@test "a unix socket" {
	printf 'milt 1\nrule r { when helo is "mx.client.test" reject "unix" }\n' >"$PF/p.milt"
	milter_start_on "unix:$PF_UNIX" "$PF/p.milt" --owner root:postfix
	send_to "$PF_PORT_UNIX" xclient "$CLIENT" ehlo mx.client.test \
		mail bob@client.test rcpt amy@example.com
	is "$(reply "$AMY")" '550 5.7.1 unix'
}

@test "js rules without JavaScript give their on failure" {
	log_clear
	policy 'js rule to { when recipient.local is "amy"
  call "x.mjs#f" timeout 1s on failure ignore may reject }
js rule subject { when header.subject is "hello"
  call "x.mjs#f" timeout 2s on failure tempfail 451 4.7.5 "not now, {sender}" }' \
		--js failure
	transaction
	is "$(reply "$AMY")" '250 2.1.5 Ok'
	is "$(reply .)" '451 4.7.5 not now, bob@client.test'
	log_has 'NOQUEUE: question rule=to at=.*p.milt:2 client=.*203\.0\.113\.5.* to=<amy@example.com> failure="no host"'
	log_has ': tempfail stage=headers rule=subject .*reply="451 4.7.5 not now, bob@client.test" failure="no host"'
}
