#!/usr/bin/python3
"""delivery_peer.py -- a real mail server (aiosmtpd) and a receiver of webhooks, for test_delivery.c.

    delivery_peer.py LOG [CERT KEY]

prints "SMTP_PORT HTTP_PORT" on one line, then serves until its standard input ends. Each message that is taken is a line
of JSON in LOG: a mail as Python's email package reads it, a webhook's body as it came (once for each Idempotency-Key).
With CERT the mail server wants STARTTLS and a login: desk, "correct horse".

What goes wrong is said by the recipient, before the @ of an address or at the end of a telephone number:
    refused, ..50  never; later, ..51  not now; lost, ..52  taken the first time, and no answer but a closed connection
    silent, ..53   taken, and no answer comes; broken, ..54 (webhook) taken, and answered with 500
"""
import asyncio, email, email.policy, http.server, json, socket, ssl, sys, threading, time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, SMTP

LOG = sys.argv[1]
LOCK = threading.Lock()
ENDINGS = {"50": "refused", "51": "later", "52": "lost", "53": "silent", "54": "broken"}


def note(entry):
    with LOCK, open(LOG, "a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


def fault_of(address):
    return ENDINGS.get(address[-2:], "") if address.startswith("+") else address.split("@")[0]


class Mail:
    seen = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if fault_of(address) == "refused":
            return "550 5.1.1 no such mailbox: " + address
        if fault_of(address) == "later":
            return "451 4.3.0 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        m = email.message_from_bytes(envelope.content, policy=email.policy.default)
        note({"by": "smtp", "from": envelope.mail_from, "to": envelope.rcpt_tos, "subject": m["subject"],
              "to_header": m["to"], "from_header": m["from"], "id": m["message-id"], "headers": m.keys(),
              "text": m.get_content().replace("\r\n", "\n"), "date": str(m["date"].datetime),
              "longest": max(len(line) for line in envelope.content.split(b"\r\n")), "tls": session.ssl is not None,
              "login": bool(session.authenticated)})
        is_again = m["message-id"] in Mail.seen
        Mail.seen.add(m["message-id"])
        fault = fault_of(envelope.rcpt_tos[0]) if not is_again else ""
        if fault == "lost":
            server.transport.abort()
            await asyncio.sleep(0.05)
        if fault == "silent":
            await asyncio.sleep(20)
        if fault == "after":
            return "554 5.6.0 looked at it and will not have it"
        return "250 2.0.0 OK"


def login(server, session, envelope, mechanism, data):
    is_known = data.login == b"desk" and data.password == b"correct horse"
    return AuthResult(success=is_known, handled=False)  # not handled: the server says 535 itself


class Hook(http.server.BaseHTTPRequestHandler):
    seen = set()

    def do_POST(self):
        try:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        except ValueError:
            return  # half a request of somebody who died
        key, fault = self.headers["Idempotency-Key"], fault_of(body["to"]["address"])
        if fault in ("refused", "later"):
            self.send_response(422 if fault == "refused" else 429)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        is_again = key in Hook.seen
        if not is_again:
            Hook.seen.add(key)
            note({"by": "webhook", "key": key, "token": self.headers["Authorization"], "body": body})
        if fault == "lost" and not is_again:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if fault == "silent" and not is_again:
            time.sleep(20)
        answer = json.dumps({"id": "W-" + key[:6]}).encode()
        self.send_response(500 if fault == "broken" and not is_again else 202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def main():
    options = {}
    if len(sys.argv) > 3:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(sys.argv[2], sys.argv[3])
        options = {"tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": login}
    bound = socket.create_server(("127.0.0.1", 0))
    smtp_port = bound.getsockname()[1]
    bound.close()
    mail = Controller(Mail(), hostname="127.0.0.1", port=smtp_port, **options)
    mail.start()
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    hook.daemon_threads = True
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    print(smtp_port, hook.server_address[1], flush=True)
    sys.stdin.read()
    import os
    os._exit(0)


main()
