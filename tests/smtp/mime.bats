#!/usr/bin/env bats
# What is inside a message, through a real Postfix.

. "$BATS_TEST_DIRNAME/common.bash"

teardown()
{
	milter_stop
	rm -f "$PF/msg"
}

# parts: text in base64, HTML, a zip in a zip with x.exe in it.
parts()
{
	cat >"$PF/msg" <<'END'
From: Bob <bob@client.test>
Subject: three parts
MIME-Version: 1.0
Content-Type: multipart/mixed;
 boundary="m m"

--m m
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

dmllbGUgR3LDvMOfZQo=
--m m
Content-Type: text/html

<style>x</style><p>see <a href="http://evil.test/">www.bank.com</a></p>
--m m
Content-Type: application/octet-stream
Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf
Content-Transfer-Encoding: base64

UEsDBAoAAAAAAI9Mdl1Fxn8JqAAAAKgAAAAJABwAaW5uZXIuemlwVVQJAAOdtwJrnbcCa3V4CwAB
BAAAAAAEAAAAAFBLAwQKAAAAAACPTHZdnIbwoQgAAAAIAAAABQAcAHguZXhlVVQJAAOdtwJrnbcC
a3V4CwABBAAAAAAEAAAAAE1akABmYWtlUEsBAh4DCgAAAAAAj0x2XZyG8KEIAAAACAAAAAUAGAAA
AAAAAAAAAKSBAAAAAHguZXhlVVQFAAOdtwJrdXgLAAEEAAAAAAQAAAAAUEsFBgAAAAABAAEASwAA
AEcAAAAAAFBLAQIeAwoAAAAAAI9Mdl1Fxn8JqAAAAKgAAAAJABgAAAAAAAAAAACkgQAAAABpbm5l
ci56aXBVVAUAA523Amt1eAsAAQQAAAAABAAAAABQSwUGAAAAAAEAAQBPAAAA6wAAAAAA
--m m--
END
}

@test "body.text" {
	policy 'rule r { when body.text is "viele GRÜẞE\n" reject "text" }'
	parts
	transaction
	is "$(reply .)" '550 5.7.1 text'
}

@test "body.html and url" {
	policy 'rule r {
  when body.html is "see www.bank.com\n" and any url { deceptive }
  reject "{url.host} shows {url.text}"
}'
	parts
	transaction
	is "$(reply .)" '550 5.7.1 evil.test shows www.bank.com'
}

@test "part" {
	policy 'rule r { when count(parts) is 4 and part.name is "résumé.pdf" reject "parts" }'
	parts
	transaction
	is "$(reply .)" '550 5.7.1 parts'
}

@test "file, in an archive in an archive" {
	policy 'rule r {
  when file.kind is "archive" and any file { extension is "exe" and depth is 2 }
  reject "{file.name}"
}'
	parts
	transaction
	is "$(reply .)" '550 5.7.1 x.exe'
}

@test "file, in a message in an archive" {
	policy 'rule r { when any file { extension is "exe" } reject "{file.name} {file.depth}" }'
	cat >"$PF/msg" <<'END'
From: Bob <bob@client.test>
Content-Type: application/zip; name="mail.zip"
Content-Transfer-Encoding: base64

UEsDBBQAAAAIAAAAIVz2Zqd/TQAAAEwAAAAIAAAAbWFpbC5lbWxzK8rPtVJIdEjSK0ktLuEKLk3K
Sk0usVLIzMtLLeJyzs8rSc0r0Q2pLEgFqiooyMlMTizJzM/Tr7BWyEvMTbVVqtBLrUhV4uLyjeIC
AFBLAQIUAxQAAAAIAAAAIVz2Zqd/TQAAAEwAAAAIAAAAAAAAAAAAAACAAQAAAABtYWlsLmVtbFBL
BQYAAAAAAQABADYAAABzAAAAAAA=
END
	transaction
	is "$(reply .)" '550 5.7.1 x.exe 2'
}

@test "file, uuencoded" {
	policy 'rule r { when any file { extension is "exe" } reject "{file.name} {file.size}" }'
	printf 'Subject: x\n\nSee\nbegin 644 a b.exe\n#35J0\n`\nend\n' >"$PF/msg"
	transaction
	is "$(reply .)" '550 5.7.1 a b.exe 3'
}

@test "a message that is looked into arrives as it was" {
	policy 'rule r { when any file { encrypted or has-macros } or message.malformed or body.truncated reject "no" }'
	parts
	transaction
	is "$(arrived | sed '1,/^$/d' | md5sum)" \
		"$(sed '1,/^$/d' "$PF/msg" | md5sum)"
}

@test "a body larger than scan-limit is put off, or taken for what it is" {
	policy 'option scan-limit 1KB
rule r { when body.text contains "needle" reject "found" }'
	{ printf 'Subject: x\n\n'; yes abcdefg | head -c 3000; } >"$PF/msg"
	transaction
	is "$(reply .)" '451 4.3.0 Temporary failure, try again later'
	milter_stop
	policy 'option scan-limit 1KB
rule r { when not body.truncated and body.text contains "needle" reject "found" }'
	transaction
	is "$(reply . | cut -c1-3)" 250
}
