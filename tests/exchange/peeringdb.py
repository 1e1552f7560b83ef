#!/usr/bin/env python3
"""A PeeringDB that knows one exchange: answers GET /api/TYPE?since=&depth=0 on 127.0.0.1:18090 for the 13 types.

It stands in for the real one in docs/peering.md; Python's standard library only.
"""
import http.server
import json
import urllib.parse

WHEN = "2026-01-01T00:00:00Z"
OURS = 4199000000
MEMBERS = [  # number at the exchange, ASN, name, set, most prefixes of each family, kind
    (1, OURS, "Example Networks", "AS-EXAMPLE", 10, 10, "NSP"),
    (11, 4199000001, "Member One", "AS-ONE", 10, 5, "Content"),
    (12, 4199000002, "Member Two", "AS-TWO", 10, 5, "NSP"),
    (13, 4199000003, "Member Three", "AS-THREE", 10, 5, "Enterprise"),
    (14, 4199000004, "Member Four", "AS-FOUR", 10, 5, "Content"),
]


def row(number, **fields):
    return {"id": number, **fields, "created": WHEN, "updated": WHEN, "status": "ok"}


def place():
    return {"address1": "1 Meet Me Street", "address2": "", "city": "Raleigh", "state": "NC", "zipcode": "27601",
            "country": "US", "floor": "", "suite": "", "latitude": None, "longitude": None}


def world():
    """Every type with its rows."""
    nets = {asn: 100 + n for n, (_, asn, *_) in enumerate(MEMBERS)}
    return {
        "org": [row(1, name="Lab Exchange", aka="", name_long="", website="", notes="", social_media=[], **place())]
        + [row(200 + n, name=name, aka="", name_long="", website="", notes="", social_media=[], **place())
           for n, (_, _, name, *_) in enumerate(MEMBERS)],
        "campus": [],
        "fac": [row(1, org_id=1, org_name="Lab Exchange", campus_id=None, name="Lab House", aka="", name_long="", website="",
                    social_media=[], clli="", rencode="", npanxx="", notes="", net_count=len(MEMBERS), ix_count=1,
                    sales_email="", sales_phone="", tech_email="", tech_phone="", available_voltage_services=[],
                    diverse_serving_substations=None, property=None, region_continent="North America",
                    status_dashboard=None, **place())],
        "carrier": [],
        "carrierfac": [],
        "net": [row(nets[asn], org_id=200 + n, name=name, aka="", name_long="", website="", social_media=[], asn=asn,
                    looking_glass="", route_server="", irr_as_set=irr, info_type=kind, info_types=[kind],
                    info_prefixes4=most4, info_prefixes6=most6, info_traffic="", info_ratio="", info_scope="",
                    info_unicast=True, info_multicast=False, info_ipv6=True, info_never_via_route_servers=False,
                    ix_count=1, fac_count=1, notes="", netixlan_updated=WHEN, netfac_updated=WHEN, poc_updated=WHEN,
                    policy_url="", policy_general="Open", policy_locations="Not Required", policy_ratio=False,
                    policy_contracts="Not Required", allow_ixp_update=False, status_dashboard=None, rir_status="ok",
                    rir_status_updated=WHEN)
                for n, (_, asn, name, irr, most4, most6, kind) in enumerate(MEMBERS)],
        "ix": [row(1, org_id=1, name="LAB-IX", aka="", name_long="Lab Exchange", city="Raleigh", country="US",
                   region_continent="North America", media="Ethernet", notes="", proto_unicast=True,
                   proto_multicast=False, proto_ipv6=True, website="", social_media=[], url_stats="", tech_email="noc@ix.example",
                   tech_phone="", policy_email="", policy_phone="", sales_email="", sales_phone="", net_count=len(MEMBERS),
                   fac_count=1, ixf_net_count=0, ixf_last_import=None, ixf_import_request=None,
                   ixf_import_request_status="", service_level="Not Disclosed", terms="Not Disclosed", status_dashboard=None)],
        "ixfac": [row(1, name="Lab House", city="Raleigh", country="US", ix_id=1, fac_id=1)],
        "ixlan": [row(1, ix_id=1, name="", descr="", mtu=1500, dot1q_support=False, rs_asn=None, arp_sponge=None,
                      ixf_ixp_member_list_url_visible="Private", ixf_ixp_import_enabled=False)],
        "ixpfx": [row(1, ix_id=1, ixlan_id=1, protocol="IPv4", prefix="192.0.2.0/24", in_dfz=False),
                  row(2, ix_id=1, ixlan_id=1, protocol="IPv6", prefix="2001:db8:0:1::/64", in_dfz=False)],
        "netfac": [row(1 + n, name="Lab House", city="Raleigh", country="US", net_id=nets[asn], fac_id=1, local_asn=asn)
                   for n, (_, asn, *_) in enumerate(MEMBERS)],
        "netixlan": [row(300 + n, net_id=nets[asn], ix_id=1, name="LAB-IX", ixlan_id=1, notes="", speed=10000, asn=asn,
                         ipaddr4=f"192.0.2.{at}", ipaddr6=f"2001:db8:0:1::{at}", is_rs_peer=True, bfd_support=False,
                         operational=True, net_side_id=None, ix_side_id=None)
                     for n, (at, asn, *_) in enumerate(MEMBERS)],
        "poc": [row(400 + n, net_id=nets[asn], role="NOC", visible="Public", name="NOC", phone="",
                    email=f"noc@as{asn}.example", url="")
                for n, (_, asn, *_) in enumerate(MEMBERS)],
    }


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(address.query)
        rows = WORLD.get(address.path.removeprefix("/api/").strip("/"))
        if rows is None:
            return self.send(404, {"meta": {"error": "Not found"}})
        # Nothing has changed since the world began.
        since = int(query.get("since", ["0"])[0] or 0)
        return self.send(200, {"data": [] if since > 1767225600 else rows, "meta": {}})

    def send(self, code, body):
        body = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


WORLD = world()

if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", 18090), Answer).serve_forever()
