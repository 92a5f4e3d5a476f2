#!/usr/bin/env bats
# Each change to a message once, compared with what was delivered.

. "$BATS_TEST_DIRNAME/common.bash"

# What the changes are made to: several fields of one name.
setup()
{
	[ -n "$PF" ] || return 0
	cat >"$PF/msg" <<-'END'
	X-A: first
	From: Bob <bob@client.test>
	X-A: second
	Subject: hello
	x-a: third

	Hello.
	END
}

# changed ACTIONS WANTED
changed()
{
	policy "rule r { $1 }"
	transaction
	is "$(arrived)" "$2"
}

@test "add header: behind the others" {
	changed 'add header "X-Add" "1" add header "X-A" "fourth" add header "X-Add" "2"' \
'Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
X-A: second
Subject: hello
x-a: third
X-Add: 1
X-A: fourth
X-Add: 2

Hello.'
}

@test "insert header 0: above all" {
	changed 'insert header 0 "X-Top" "1"' \
'X-Top: 1
Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
X-A: second
Subject: hello
x-a: third

Hello.'
}

@test "insert header 1: above the first field that the policy sees" {
	changed 'insert header 1 "X-Top" "1"' \
'Received: (Postfix)
X-Top: 1
X-A: first
From: Bob <bob@client.test>
X-A: second
Subject: hello
x-a: third

Hello.'
}

@test "insert header 3: above the third" {
	changed 'insert header 3 "X-Mid" "1"' \
'Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
X-Mid: 1
X-A: second
Subject: hello
x-a: third

Hello.'
}

@test "insert header past the end: behind all" {
	changed 'insert header 99 "X-End" "1"' \
'Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
X-A: second
Subject: hello
x-a: third
X-End: 1

Hello.'
}

@test "two inserts at different places: over the message as it arrived" {
	changed 'insert header 0 "X-Top" "1" insert header 3 "X-Mid" "2"' \
'X-Top: 1
Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
X-Mid: 2
X-A: second
Subject: hello
x-a: third

Hello.'
}

@test "insert and remove together" {
	changed 'remove header "X-A" insert header 3 "X-Mid" "2"' \
'Received: (Postfix)
From: Bob <bob@client.test>
X-Mid: 2
Subject: hello

Hello.'
}

@test "set header: a field that is there keeps its place" {
	changed 'set header "Subject" "[x] {header.subject}"' \
'Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
X-A: second
Subject: [x] hello
x-a: third

Hello.'
}

@test "set header: of several one is left" {
	changed 'set header "X-A" "only"' \
'Received: (Postfix)
X-A: only
From: Bob <bob@client.test>
Subject: hello

Hello.'
}

@test "set header: a field that is not there is added" {
	changed 'set header "X-New" "1"' \
'Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
X-A: second
Subject: hello
x-a: third
X-New: 1

Hello.'
}

@test "remove header: all of the name" {
	changed 'remove header "X-A"' \
'Received: (Postfix)
From: Bob <bob@client.test>
Subject: hello

Hello.'
}

@test "remove header where: the right one of three" {
	changed 'remove header "X-A" where value is "second"' \
'Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
Subject: hello
x-a: third

Hello.'
}

@test "remove header where: two of three" {
	changed 'remove header "X-A" where value matches /^(first|third)$/' \
'Received: (Postfix)
From: Bob <bob@client.test>
X-A: second
Subject: hello

Hello.'
}

@test "remove a field that is not there" {
	changed 'remove header "X-None"' \
'Received: (Postfix)
X-A: first
From: Bob <bob@client.test>
X-A: second
Subject: hello
x-a: third

Hello.'
}

@test "a value cannot bring a field of its own" {
	printf 'Subject: a\r\n =?utf-8?q?=0D=0AX-Evil:_1?= \377\n\nHello.\n' >"$PF/msg"
	policy 'rule r { add header "X-Seen" "{header.subject}" }'
	transaction
	arrived >"$PF/got"
	grep -aq '^X-Seen: a' "$PF/got"
	! grep -aq '^X-Evil' "$PF/got"
}

@test "add recipient" {
	policy 'rule r { add recipient <archive@example.com> }'
	transaction
	is "$(arrived_to | sort)" 'amy@example.com
archive@example.com'
}

@test "remove recipient where" {
	policy 'rule r { remove recipient where domain under gone.test }'
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		rcpt amy@example.com rcpt Carl@A.Gone.test data "$PF/msg"
	is "$(arrived_to)" amy@example.com
}

@test "remove all recipients and add one" {
	policy 'rule r { remove recipient add recipient <only@example.com> }'
	transaction
	is "$(arrived_to)" only@example.com
}

@test "set sender" {
	policy 'rule r { set sender <bounces@example.com> }'
	transaction
	is "$(arrived_from)" bounces@example.com
}

@test "set sender <>" {
	policy 'rule r { set sender <> }'
	transaction
	is "$(arrived_from)" ''
	envelope_of "$(delivered "$(queue_id)")" | grep -qx 'Mail <>'
}

@test "replace body" {
	cat >"$PF/msg" <<-'END'
	From: Bob <bob@client.test>
	Content-Type: multipart/mixed; boundary=x
	Content-Transfer-Encoding: 8bit
	Subject: hello

	--x

	Hello.
	--x--
	END
	policy 'rule r { replace body "removed: {header.subject}\n.\nend" }'
	transaction
	local got
	got=$(arrived)
	is "$(sed '1,/^$/d' <<<"$got")" 'removed: hello
.
end'
	! grep -qi 'multipart' <<<"$got"
}

@test "changes of all kinds together" {
	policy 'rule r {
  remove header "X-A" where value is "first"
  replace body "new"
  add header "X-Add" "1"
  set sender <s@example.com>
  add recipient <archive@example.com>
  set header "Subject" "new"
  insert header 1 "X-Top" "1"
}'
	transaction
	is "$(arrived_from)" s@example.com
	is "$(arrived_to | sort)" 'amy@example.com
archive@example.com'
	local got
	got=$(arrived)
	is "$(sed -n '1,/^$/p' <<<"$got" | grep -v '^\(Content-\|MIME-\)')" \
'Received: (Postfix)
X-Top: 1
From: Bob <bob@client.test>
X-A: second
Subject: new
x-a: third
X-Add: 1'
	is "$(sed '1,/^$/d' <<<"$got")" new
}

@test "quarantine: in the hold queue" {
	log_clear
	policy 'rule hold { when header.subject is "hello" quarantine "because" }'
	transaction
	is "$(reply . | cut -c1-9)" '250 2.0.0'
	is "$(in_queue)" hold
	log_has "$(queue_id): accept stage=message .*effects=hold/quarantine"
	postsuper -c "$PF/etc" -d "$(queue_id)" 2>&1
}

@test "nothing is changed in a message that is refused" {
	policy 'rule a { quarantine "x" add header "X-A" "x" }
rule r { when header.subject is "hello" reject "no" }'
	transaction
	is "$(reply .)" '550 5.7.1 no'
}

@test "effects above an accept, and none below" {
	policy 'rule above { add header "X-Above" "1" }
rule stop { when sender.domain is "client.test" accept }
rule below { add header "X-Below" "1" }'
	transaction
	arrived >"$PF/got"
	grep -q '^X-Above: 1' "$PF/got"
	! grep -q '^X-Below' "$PF/got"
}

@test "private-submission: what tells about the client is gone" {
	cat >"$PF/msg" <<-'END'
	Received: from pc.lan (pc.lan [192.168.1.20])
	  by router.lan with ESMTP id 1; Sat, 31 Jan 2026 12:00:00 +0100
	Received: from [IPv6:fd00::20] by pc.lan; Sat, 31 Jan 2026 12:00:00 +0100
	Received: from far.test (far.test [198.51.100.110])
	  by near.test; Sat, 31 Jan 2026 12:00:00 +0100
	X-Originating-IP: [203.0.113.5]
	From: Amy <amy@example.com>
	user-agent: Mail 1.0
	Subject: hello

	Hello.
	END
	milter_start "$PF_ROOT/policies/private-submission/private-submission.milt"
	CLIENT="$CLIENT LOGIN=amy" transaction
	is "$(arrived)" "Received: (Postfix)
Received: from far.test (far.test [198.51.100.110])
  by near.test; Sat, 31 Jan 2026 12:00:00 +0100
From: Amy <amy@example.com>
Subject: hello

Hello."
	milter_stop
	policy 'rule r { add header "X-Seen" "1" }'
	transaction
	arrived | grep -q '^X-Originating-IP: '
}
