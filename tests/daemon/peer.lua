-- Plays an MTA for milterd: one recipient of two is refused, a header is added.
conn = mt.connect(socket)
if conn == nil then error("connect") end
if mt.conninfo(conn, "host.example", "198.51.100.7") ~= nil then error("conninfo") end
if mt.helo(conn, "good.example") ~= nil then error("helo") end
mt.macro(conn, SMFIC_MAIL, "i", "ABC123")
if mt.mailfrom(conn, "<a@b.example>") ~= nil then error("mailfrom") end
if mt.rcptto(conn, "<x@c.example>") ~= nil then error("rcptto") end
if mt.getreply(conn) ~= SMFIR_REPLYCODE then error("recipient x is not refused") end
if mt.rcptto(conn, "<y@c.example>") ~= nil then error("rcptto") end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("recipient y is refused") end
if mt.data(conn) ~= nil then error("data") end
if mt.header(conn, "From", "a@b.example") ~= nil then error("header") end
if mt.header(conn, "Subject", "urgent") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.bodystring(conn, "text\r\n") ~= nil then error("body") end
if mt.eom(conn) ~= nil then error("eom") end
if not mt.eom_check(conn, MT_HDRADD, "X-Urgent", "yes") then error("no header is added") end
r = mt.getreply(conn)
if r ~= SMFIR_ACCEPT and r ~= SMFIR_CONTINUE then error("not accepted") end
mt.disconnect(conn)
