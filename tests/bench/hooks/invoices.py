#!/usr/bin/python3
"""What invoices.mjs does, with python3-milter: invoices.py -p SOCKET"""

import email.header
import re
import sys

import Milter

KNOWN = {f"invoice {i}" for i in range(10000)}
INVOICE = re.compile(r"invoice \d+", re.I).match


def decoded(value):
    if "=?" not in value:
        return value
    return str(email.header.make_header(email.header.decode_header(value)))


class Filter(Milter.Base):
    @Milter.noreply
    def header(self, name, value):
        if name.lower() == "subject":
            self.subject = value
        return Milter.CONTINUE

    def eoh(self):
        invoice = INVOICE(decoded(self.subject))
        if invoice and invoice[0].lower() not in KNOWN:
            self.setreply("550", "5.7.1", "That is no invoice of ours")
            return Milter.REJECT
        return Milter.ACCEPT


Milter.factory = Filter
Milter.runmilter("invoices", sys.argv[2], timeout=600)
