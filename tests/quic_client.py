#!/usr/bin/env python3
"""A QUIC client for the live tests: one connection a line of JSON on stdin, what it showed as a
line of JSON on stdout. Judges nothing. Needs aioquic (tests/install_servers.sh fetches it).

Asked: {"host", "port", "name": SNI or null, "session": the number of an earlier one or null}
Shown: {"resumed", "nonce": the certificate's organisation, "status": of HTTP/3,
        "sessions": [{"number", "ticket": hexadecimal, "lifetime": seconds}]}
   or: {"alert": TLS alert, 0 if it is none, "why"}
"""
import dataclasses
import json
import socket
import ssl
import sys
import time

from aioquic.h3.connection import H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted
from cryptography.x509.oid import NameOID

PATIENCE = 10
# RFC 9001 4.8: a TLS alert is an error of this range.
CRYPTO_ERROR = 0x100
NO_ERROR = (0, 0x100)

SESSIONS = []


class Refused(Exception):
    def __init__(self, event):
        code = event.error_code - CRYPTO_ERROR
        self.alert = code if 0 < code < 0x100 else 0
        super().__init__(f"error {event.error_code:#x} {event.reason_phrase}")


def connect(asked):
    host, port, name = asked["host"], asked["port"], asked["name"]
    # aioquic sends no SNI for an address.
    name = name or host
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=["h3"], server_name=name, verify_mode=ssl.CERT_NONE
    )
    if asked["session"] is not None:
        # It offers a session only where the name is the same: that is the server's business here.
        session = SESSIONS[asked["session"]]
        configuration.session_ticket = dataclasses.replace(session, server_name=name)
    tickets = []
    connection = QuicConnection(configuration=configuration, session_ticket_handler=tickets.append)
    shown = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect((host, port))
        connection.connect((host, port), now=time.time())
        exchange(connection, udp, (host, port), asked["name"] or "none.test", shown)
        connection.close()
        send(connection, udp)
    shown["nonce"] = nonce(connection)
    shown["sessions"] = []
    for ticket in tickets:
        lifetime = round((ticket.not_valid_after - ticket.not_valid_before).total_seconds())
        shown["sessions"].append(
            {"number": len(SESSIONS), "ticket": ticket.ticket.hex(), "lifetime": lifetime}
        )
        SESSIONS.append(ticket)
    return shown


def exchange(connection, udp, address, host, shown):
    """Handshake, one request, and the answer to its end: tickets have arrived by then."""
    deadline = time.time() + PATIENCE
    http = None
    while True:
        send(connection, udp)
        now = time.time()
        if now > deadline:
            raise TimeoutError("no answer")
        timer = connection.get_timer() or deadline
        udp.settimeout(max(min(timer, deadline) - now, 0.001))
        try:
            connection.receive_datagram(udp.recv(65536), address, now=time.time())
        except TimeoutError:
            connection.handle_timer(now=time.time())
        while (event := connection.next_event()) is not None:
            if isinstance(event, ConnectionTerminated):
                raise Refused(event)
            if isinstance(event, HandshakeCompleted):
                shown["resumed"] = event.session_resumed
                http = H3Connection(connection)
                request(connection, http, host)
            for answer in http.handle_event(event) if http else []:
                if isinstance(answer, HeadersReceived):
                    shown["status"] = int(dict(answer.headers)[b":status"])
                if getattr(answer, "stream_ended", False):
                    return


def request(connection, http, host):
    headers = {":method": "GET", ":scheme": "https", ":authority": host, ":path": "/"}
    stream = connection.get_next_available_stream_id()
    headers = [(name.encode(), value.encode()) for name, value in headers.items()]
    http.send_headers(stream, headers, end_stream=True)


def send(connection, udp):
    for data, _ in connection.datagrams_to_send(now=time.time()):
        udp.send(data)


def nonce(connection):
    # Of a resumed session there is none.
    certificate = connection.tls._peer_certificate
    if certificate is None:
        return None
    found = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return found[0].value if found else None


for line in sys.stdin:
    try:
        answer = connect(json.loads(line))
    except Refused as why:
        answer = {"alert": why.alert, "why": str(why)}
    except OSError as why:
        answer = {"alert": 0, "why": f"{type(why).__name__}: {why}"}
    print(json.dumps(answer), flush=True)
