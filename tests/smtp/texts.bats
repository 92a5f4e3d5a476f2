#!/usr/bin/env bats
# Texts put into messages, and authentication results.

. "$BATS_TEST_DIRNAME/common.bash"

teardown()
{
	milter_stop
	rm -f "$PF/msg"
}

# The body, and of the header what describes it.
described()
{
	local got
	got=$(arrived)
	sed '/^$/q' <<<"$got" | grep -iE '^(MIME-|Content-|	)'
	sed '1,/^$/d' <<<"$got"
}

@test "prepend text, append text: a body without MIME" {
	policy 'rule r { prepend text "From outside:" "{header.subject}" append text "-- " "Regards" }'
	transaction
	is "$(described)" 'From outside:
hello
Hello.
-- 
Regards'
}

@test "prepend text: UTF-8 where the body has no charset" {
	policy 'rule r { prepend text "Vorsicht: \u{c4}pfel" }'
	transaction
	is "$(described)" 'MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable
Vorsicht: =C3=84pfel
Hello.'
}

@test "prepend text: each alternative, its encoding, nothing else" {
	cat >"$PF/msg" <<-'END'
	From: Bob <bob@client.test>
	Subject: hello
	MIME-Version: 1.0
	Content-Type: multipart/mixed; boundary=m

	preamble
	--m
	Content-Type: multipart/alternative; boundary=a

	--a
	Content-Type: text/plain; charset=iso-8859-1
	Content-Transfer-Encoding: quoted-printable

	gr=FC=DFe
	--a
	Content-Type: text/html; charset=utf-8
	Content-Transfer-Encoding: base64

	PGh0bWw+PGJvZHk+aGVsbG88L2JvZHk+PC9odG1sPgo=
	--a--
	--m
	Content-Type: text/plain; name=x.txt
	Content-Disposition: attachment

	attached =FC
	--m--
	epilogue
	END
	policy 'rule r { prepend text "<\u{fc}>" }'
	transaction
	is "$(described)" 'MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m
preamble
--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<=FC>
gr=FC=DFe
--a
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PGh0bWw+PGJvZHk+PGRpdj4mbHQ7JiMyNTI7Jmd0OzwvZGl2PmhlbGxvPC9ib2R5PjwvaHRtbD4K
--a--
--m
Content-Type: text/plain; name=x.txt
Content-Disposition: attachment

attached =FC
--m--
epilogue'
}

@test "prepend text: what stands behind it in its line begins no part" {
	cat >"$PF/msg" <<-'END'
	From: Bob <bob@client.test>
	Subject: hello
	MIME-Version: 1.0
	Content-Type: multipart/mixed; boundary=BB

	--BB
	Content-Type: text/html

	<html><body>--BB
	Content-Type: application/octet-stream; name="invoice.exe"
	Content-Transfer-Encoding: base64

	TVqQAAMAAAAEAAAA
	--BB--
	END
	policy 'rule runnable { when any file { extension is "exe" } reject "x" }
rule r { prepend text "Outside!" }'
	transaction
	is "$(described)" 'MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=BB
--BB
Content-Type: text/html

<html><body><div>Outside!</div>--BB
Content-Type: application/octet-stream; name="invoice.exe"
Content-Transfer-Encoding: base64

TVqQAAMAAAAEAAAA
--BB--'
}

@test "signed mail stays as it is, and the log says so" {
	cat >"$PF/msg" <<-'END'
	From: Bob <bob@client.test>
	Subject: hello
	MIME-Version: 1.0
	Content-Type: multipart/signed; boundary=s; micalg=pgp-sha256;
	 protocol="application/pgp-signature"

	--s

	hello
	--s
	Content-Type: application/pgp-signature

	x
	--s--
	END
	log_clear
	policy 'rule banner { prepend text "x" }
rule new { replace body "y" }'
	transaction
	is "$(sed '1,/^$/d' <<<"$(arrived)")" "$(sed '1,/^$/d' "$PF/msg")"
	log_has 'a text is not put in: the message is signed or encrypted'
	log_has 'replace body is skipped: the message is signed or encrypted'
}

@test "replace body: nothing of the old description stays" {
	cat >"$PF/msg" <<-'END'
	From: Bob <bob@client.test>
	Content-Disposition: attachment; filename=x.exe
	Content-Type: application/octet-stream
	Content-Transfer-Encoding: base64

	AAAA
	END
	policy 'rule r { replace body "removed" }'
	transaction
	is "$(described)" 'Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
MIME-Version: 1.0
removed'
}

@test "replace body, with texts around the new one" {
	policy 'rule r { append text "below" replace body "new" prepend text "above" }'
	transaction
	is "$(described)" 'MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
above
new
below'
}

@test "authentication results: of the configured server alone" {
	message 'Authentication-Results: mx.attacker.test; dmarc=pass' \
		'Authentication-Results: (c) mx.example.com (c) 1;' \
		' dmarc=fail (p=reject) header.from=client.test;' \
		' dkim=pass header.d=mail.example.org'
	policy 'option authserv-id "mx.example.com"
rule r { when dmarc is pass reject "forged" }
rule s { when dmarc is fail and dkim.org-domain is "example.org" reject "{dmarc} {dmarc.policy} {dkim.domain}" }'
	transaction
	is "$(reply .)" '550 5.7.1 fail reject mail.example.org'
}

@test "authentication results: the server's own name without an option" {
	policy 'rule r { when spf is softfail reject "{spf} {mta.name}" }'
	message "Authentication-Results: $(postconf -c "$PF/etc" -h myhostname); spf=softfail"
	transaction
	is "$(reply .)" "550 5.7.1 softfail $(postconf -c "$PF/etc" -h myhostname)"
}

@test "forged authentication results are removed, all of them" {
	message 'Authentication-Results: mx.example.com; dkim=pass' \
		'Authentication-Results: mx.other.test; dkim=pass' \
		'AUTHENTICATION-RESULTS: (x) MX.example.com (y) 1; spf=pass' \
		'Authentication-Results: "mx.example.com"; dmarc=pass' \
		'X-Between: 1' \
		'authentication-results: mx.example.com;' '	arc=pass'
	policy 'rule r { remove header "Authentication-Results" where value contains "mx.example.com" }'
	transaction
	is "$(sed '/^$/q' <<<"$(arrived)")" 'Received: (Postfix)
From: Bob <bob@client.test>
Subject: hello
Authentication-Results: mx.other.test; dkim=pass
X-Between: 1'
}

# Fields of the header called NAME, as they arrived.
fields()
{
	arrived | sed '/^$/q' | grep -i "^$1:"
}

@test "external-mark: subject, field and line" {
	milter_start "$PF_ROOT/policies/external-mark/external-mark.milt"
	message 'X-External: no'
	transaction
	is "$(fields X-External)" 'X-External: yes'
	is "$(fields Subject)" 'Subject: [EXT] hello'
	is "$(arrived | sed '1,/^$/d')" \
		'[This message comes from outside. Open links and files with care.]

Hello.'
}

@test "external-mark: a subject of several encoded words" {
	milter_start "$PF_ROOT/policies/external-mark/external-mark.milt"
	cat >"$PF/msg" <<-'END'
	From: Bob <bob@client.test>
	Subject: =?utf-8?b?5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel?=
	 =?utf-8?b?5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel?=

	Hello.
	END
	transaction
	is "$(arrived | sed '/^$/q' | grep -A2 '^Subject:')" 'Subject: [EXT]
 =?UTF-8?b?5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel?=
 =?UTF-8?b?5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel?='
}

@test "journal: one copy, and who it went to" {
	milter_start "$PF_ROOT/policies/journal/journal.milt"
	message
	send xclient "$CLIENT" ehlo mx.client.test mail bob@client.test \
		rcpt amy@example.com rcpt eve@example.com data "$PF/msg"
	is "$(fields X-Envelope-From)" 'X-Envelope-From: bob@client.test'
	is "$(fields X-Envelope-To)" \
		'X-Envelope-To: amy@example.com, eve@example.com'
	is "$(arrived_to | sort)" 'amy@example.com
archive@example.com
eve@example.com'
}

@test "dmarc: the domain's own wish" {
	milter_start "$PF_ROOT/policies/dmarc/dmarc.milt"
	message 'Authentication-Results: mx.example.com;' \
		' dmarc=fail (p=reject dis=none) header.from=client.test'
	transaction
	is "$(reply .)" '550 5.7.26 Mail from client.test fails DMARC, and its policy is reject'
}

@test "runnable-attachments: a program in an archive in an archive" {
	local dir="$PF_ROOT/policies/runnable-attachments"
	milter_start "$dir/runnable-attachments.milt"
	tr -d '\r' <"$dir/tests/nested.eml" >"$PF/msg"
	transaction
	is "$(reply .)" \
		'554 5.7.1 a/b/setup.exe may run code and is not accepted here'
	tr -d '\r' <"$dir/tests/encrypted.eml" >"$PF/msg"
	transaction
	is "$(in_queue)" hold
	postsuper -c "$PF/etc" -d "$(queue_id)" 2>&1
}

@test "clean-auth-results: before the filters that write them" {
	milter_start "$PF_ROOT/policies/clean-auth-results/clean-auth-results.milt"
	message 'Authentication-Results: mx.client.test; dkim=pass' \
		'Authentication-Results: MX.EXAMPLE.COM; dkim=pass' \
		'Authentication-Results: mx.example.com; dmarc=pass'
	transaction
	is "$(fields Authentication-Results)" \
		'Authentication-Results: mx.client.test; dkim=pass'
}
