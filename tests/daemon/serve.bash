# A milterd whose metrics and control sockets are at hand; for bats.

# A policy of which each rule can come about by what submit() sends.
counting_policy() {
	cat >"$T/p.milt" <<-'END'
		milt 1
		rule bad-one "nobody is there" {
		  when recipient is <bad@other.test>
		  reject 550 5.1.1 "no"
		  count refused
		}
		shadow rule any-subject { when header.subject exists reject "x" }
		rule tag {
		  when header("Subject") exists
		  add header "X-Tag" "yes"
		  log "tagged"
		  count "tagged"
		}
	END
	sed -i 's/count "tagged"/count tagged/' "$T/p.milt"
	chmod 644 "$T/p.milt"
}

# A message from a client to good@example.com and bad@other.test.
deliver() {
	open_session
	packet C 'mx.example.net\0004\000\000192.0.2.1\0'
	packet H 'mx.example.net\0'
	packet M '<a@b.test>\0'
	packet R '<bad@other.test>\0'
	packet R '<good@example.com>\0'
	packet T ''
	packet L 'Subject\0x\0'
	packet N ''
	packet B 'text\r\n'
	packet E ''
	packet Q ''
	timeout 20 cat <&9 >/dev/null
	exec 9>&-
}

serve() {
	start -p "inet:$PORT@127.0.0.1" --metrics "unix:$T/metrics" \
		--control "$T/control" "$@"
}

metrics() { curl -s --max-time 20 --unix-socket "$T/metrics" http://x/metrics; }
metric() { metrics | grep -F -x -- "$1"; }
ctl() { "$MILTERCTL" -s "$T/control" "$@"; }
