" Vim syntax file for milt policies; made from the language's tables.
if exists("b:current_syntax")
  finish
endif
syn iskeyword @,48-57,_,.,-
syn keyword miltWord absent accept add always and any append at body by call claim contains count default delay delays discard distinct dns effect ends every exactly exceeded exists expect failure file for from given greylist group header ignore in include insert is js keep key knows let like limit list listed log macro malformed map matches may memory message milt needs never no not now of on option or otherwise per prepend quarantine raw recipient reject remember remove replace rule score sender set shadow starts tempfail test text timeout to under unless watch when where window with
syn keyword miltAttribute client.ip client.port client.name client.org-domain client.reverse-name client.network daemon.name daemon.ip daemon.port mta.name mta.version now now.hour now.weekday now.date helo helo.org-domain tls.protocol tls.cipher tls.bits tls.verified tls.client-subject tls.client-issuer sender sender.address sender.local sender.domain sender.org-domain sender.user sender.detail sender.parameters declared-size sasl.username sasl.method sasl.sender recipient recipient.address recipient.local recipient.domain recipient.org-domain recipient.user recipient.detail recipient.parameters recipients recipients.address recipients.local recipients.domain recipients.org-domain recipients.user recipients.detail queue.id header headers headers.name headers.value header.from header.from.address header.from.local header.from.domain header.from.org-domain header.from.name header.sender header.sender.address header.sender.local header.sender.domain header.sender.org-domain header.sender.name header.reply-to header.reply-to.address header.reply-to.local header.reply-to.domain header.reply-to.org-domain header.reply-to.name header.to header.to.address header.to.local header.to.domain header.to.org-domain header.to.name header.cc header.cc.address header.cc.local header.cc.domain header.cc.org-domain header.cc.name header.subject header.message-id header.date header.date.age header.list-id spf spf.domain spf.org-domain dkim dkim.domain dkim.org-domain dmarc dmarc.policy arc arc.domain arc.org-domain body.raw body.size message.size message.malformed body.text body.html body.truncated part part.type part.charset part.name part.disposition part.size part.depth file file.name file.extension file.extensions file.type file.kind file.size file.sha256 file.text file.encrypted file.has-macros file.depth file.too-large file.too-deep file.malformed url url.host url.domain url.org-domain url.path url.text url.deceptive macro
syn match miltComment "#.*$"
syn region miltString start=+"+ skip=+\\.+ end=+"+ contains=miltField
syn region miltString start=+"""+ end=+"""+
syn match miltField "{[^{}]*}" contained
syn match miltAddress "<[^<> ]*>"
syn region miltRegex start=+\(matches\s\+\)\@<=/+ skip=+\\.+ end=+/[imsxu]*+
hi def link miltWord Statement
hi def link miltAttribute Identifier
hi def link miltComment Comment
hi def link miltString String
hi def link miltField Special
hi def link miltAddress Constant
hi def link miltRegex String
let b:current_syntax = "milt"
