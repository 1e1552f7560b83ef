#!/usr/bin/env python3
"""An Internet Routing Registry that knows one exchange: the IRRd query language on 127.0.0.1:18043.

It stands in for the real one in docs/peering.md; Python's standard library only. An answer is `A` and its length, the
words, and `C`; what is not known is `D`.
"""
import socketserver

MEMBERS = {"AS-ONE": "AS4199000001", "AS-TWO": "AS4199000002", "AS-THREE": "AS4199000003", "AS-FOUR": "AS4199000004"}
ROUTES = {
    "AS4199000001": ("203.0.113.0/24", "2001:db8:1100::/40"),
    "AS4199000002": ("198.51.100.0/24", "2001:db8:1200::/40"),
    "AS4199000003": ("198.18.13.0/24", "2001:db8:1300::/40"),
    "AS4199000004": ("198.18.14.0/24", "2001:db8:1400::/40"),
}


def answer(query):
    """The words that answer a query; None when nothing is known."""
    verb, rest = query[:2], query[2:].strip()
    if verb == "!i":
        return MEMBERS.get(rest.split(",")[0].upper())
    if verb in ("!g", "!6"):
        routes = ROUTES.get(rest.upper())
        return routes and routes[verb == "!6"]
    if verb == "!a":
        family, name = (rest[0], rest[1:]) if rest[:1] in ("4", "6") else ("", rest)
        routes = ROUTES.get(MEMBERS.get(name.strip().upper(), name.strip().upper()))
        return routes and {"4": routes[0], "6": routes[1], "": " ".join(routes)}[family]
    return None


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            query = line.decode("ascii", "replace").strip()
            if query in ("!q", "q", "exit"):
                return
            if query == "!!":
                continue
            # Who asks, and which sources count: `!s-lc` asks which those are.
            if query[:2] in ("!n", "!s", "!t") and query != "!s-lc":
                self.wfile.write(b"C\n")
                continue
            words = "LAB" if query == "!s-lc" else answer(query)
            self.wfile.write(f"A{len(words) + 1}\n{words}\nC\n".encode() if words else b"D\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", 18043), Talk).serve_forever()
