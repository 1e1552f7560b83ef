"""What people do with pypeeringmanager and pynetbox, done to a running server at $URL with $TOKEN.

Each function is one thing and its name says what holds. They run in the order they stand in.
"""

import os
import sys

import pynetbox
import pypeeringmanager
from pynetbox.core.query import Request
from pynetbox.core.response import Record

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from things import is_, run, thing

URL, TOKEN = os.environ["URL"], os.environ["TOKEN"]
pm = pypeeringmanager.api(URL, token=TOKEN)
#: The library below, for the applications that the one above does not name: core and users.
nb = pynetbox.api(URL, token=TOKEN)
MANY = 1205


def refused(call, status):
    """The error that a call ends in, which must have this status and a JSON body."""
    try:
        call()
    except pynetbox.RequestError as error:
        is_(error.req.status_code, status)
        assert "more specific" not in error.message, error.message
        return error.req.json()
    raise AssertionError(f"it was not refused with {status}")


def asns(records):
    return sorted(record.asn for record in records)


def again(record):
    """The same row as the server has it now."""
    return type(record)(next(Request(record.url, pm.http_session, token=TOKEN).get()), pm, record.endpoint)


@thing
def the_version_and_the_state_are_told():
    ask = Request(base=pm.base_url, token=TOKEN, http_session=pm.http_session)
    is_(ask.get_version(), "1.10")
    is_(nb.version, "1.10")
    # The library takes the version from a refusal too.
    is_(pynetbox.api(URL, token="0" * 40).version, "1.10")
    status = pm.status()
    assert status["peering-manager-version"].startswith("1.10"), status
    is_(status["rq-workers-running"], 1)


@thing
def a_row_is_made_found_changed_and_removed():
    systems = pm.peering.autonomous_systems
    made = systems.create(asn=4200000001, name="Made", irr_as_set="AS-MADE")
    is_((made.asn, made.name, str(made)), (4200000001, "Made", "Made"))
    is_(made.display, "AS4200000001 - Made")
    assert made.url.startswith(f"{URL}/api/peering/autonomous-systems/"), made.url
    for found in (systems.get(made.id), systems.get(asn=4200000001), systems.get(name="Made", irr_as_set="AS-MADE")):
        is_(dict(found), dict(made))
    is_(systems.get(name="Nobody"), None)
    is_(systems.get(99999999), None)
    made.name = "Changed"
    is_(made.updates(), {"name": "Changed"})
    is_(made.save(), True)
    is_(made.save() and again(made).name, "Changed")
    assert made.update({"comments": "noted", "affiliated": True})
    is_((again(made).comments, again(made).affiliated), ("noted", True))
    fresh = again(made)
    is_((fresh.updates(), fresh.save()), ({}, False))
    is_(made.delete(), True)
    is_(systems.get(made.id), None)


@thing
def a_list_is_made_changed_and_removed_at_once():
    systems = pm.peering.autonomous_systems
    made = systems.create([{"asn": 65101 + n, "name": f"Listed {n}"} for n in range(4)])
    is_([type(one).__name__ for one in made], ["AutonomousSystems"] * 4)
    for one in made[:2]:
        one.name += " changed"
    is_(len(systems.update(made)), 2)
    systems.update([{"id": made[2].id, "comments": "by dict"}])
    is_(systems.get(made[2].id).comments, "by dict")
    is_(systems.filter(name__isw="Listed").update(description="all of them") is not None, True)
    is_({one.description for one in systems.filter(name__isw="Listed")}, {"all of them"})
    is_(systems.filter(name__isw="Listed").update(description="all of them"), None)
    is_(systems.delete([made[0], made[1].id, str(made[2].id)]), True)
    is_(asns(systems.filter(name__isw="Listed")), [65104])
    is_(systems.filter(name__isw="Listed").delete(), True)
    is_(systems.count(name__isw="Listed"), 0)


@thing
def a_list_with_one_bad_row_makes_none():
    systems = pm.peering.autonomous_systems
    rows = [{"asn": 65110, "name": "Good"}, {"asn": "x"}, {"asn": 65110, "name": "Twice"}]
    said = refused(lambda: systems.create(rows), 400)
    is_(said[0], {})
    is_(said[1], {"asn": ["A valid biginteger is required."], "name": ["This field is required."]})
    is_(said[2], {"asn": ["autonomous system with this ASN already exists."]})
    is_(systems.count(asn=65110), 0)


@thing
def references_are_given_by_id_or_by_attributes():
    local = pm.peering.autonomous_systems.get(asn=64510)
    exchange = pm.peering.internet_exchanges.create(
        name="Client IX", slug="client-ix", local_autonomous_system={"asn": 64510}, status="enabled"
    )
    is_((exchange.local_autonomous_system.id, exchange.local_autonomous_system.asn), (local.id, 64510))
    is_(type(exchange.local_autonomous_system).__name__, "AutonomousSystems")
    platform = pm.devices.platforms.create(name="Client OS", slug="client-os", napalm_driver="eos")
    router = pm.devices.routers.create(
        name="client1", hostname="client1.example.net", platform=platform.id, local_autonomous_system=local.id
    )
    connection = pm.net.connections.create(
        internet_exchange_point={"slug": "client-ix"},
        router={"name": "client1", "platform": {"slug": "client-os"}},
        vlan=77,
        ipv4_address="198.51.100.1/24",
        ipv6_address="2001:db8:77::1/64",
    )
    is_(str(connection), "Client IX on client1")
    peer = pm.peering.autonomous_systems.create(asn=65120, name="Peer", irr_as_set="AS-PEER")
    session = pm.peering.internet_exchange_peering_sessions.create(
        autonomous_system=peer.id, ixp_connection=connection.id, ip_address="198.51.100.2", status="requested"
    )
    is_((session.status.value, str(session.status), str(session)), ("requested", "Requested", "198.51.100.2"))
    is_(session.display, "Client IX - AS65120 - IP 198.51.100.2")
    said = refused(
        lambda: pm.peering.internet_exchange_peering_sessions.create(
            autonomous_system={"asn": 1}, ixp_connection=99999999, ip_address="198.51.100.3"
        ),
        400,
    )
    is_(said["autonomous_system"], ["Related object not found using the provided attributes: {'asn': 1}"])
    is_(said["ixp_connection"], ["Related object not found using the provided numeric ID: 99999999"])


def session():
    return pm.peering.internet_exchange_peering_sessions.get(q="198.51.100.2")


@thing
def what_a_nested_row_lacks_is_fetched_from_its_address():
    found = session()
    is_(found.autonomous_system.irr_as_set, "AS-PEER")
    is_(found.ixp_connection.router.name, "client1")
    is_(found.ixp_connection.router.platform.slug, "client-os")
    is_(found.ixp_connection.internet_exchange_point.local_autonomous_system.asn, 64510)
    try:
        found.nosuch
    except AttributeError:
        return
    raise AssertionError("an attribute that is none was found")


@thing
def only_what_was_changed_is_saved():
    found = session()
    found.comments = "seen"
    is_(found.updates(), {"comments": "seen"})
    found.save()
    found = session()
    found.status = "enabled"
    is_(found.updates(), {"status": "enabled"})
    found.save()
    found = session()
    is_((found.status.value, found.status.label, found.comments), ("enabled", "Enabled", "seen"))
    other = pm.peering.autonomous_systems.create(asn=65121, name="Other peer")
    found.autonomous_system = other
    is_(found.updates(), {"autonomous_system": other.id})
    found.save()
    is_(session().autonomous_system.asn, 65121)
    # Everything as it was read, choices and references included, can be sent back.
    found = session()
    assert Request(found.url, pm.http_session, token=TOKEN).patch(found.serialize())["id"] == found.id
    is_(dict(session())["status"], {"value": "enabled", "label": "Enabled"})


@thing
def lists_of_rows_are_saved_as_their_ids():
    tags = pm.extras.tags.create([{"name": f"Client {n}", "slug": f"client-{n}"} for n in "ab"])
    policies = pm.peering.routing_policies.create(
        [{"name": f"Client {n}", "slug": f"client-{n}", "type": "import-policy", "weight": n} for n in (1, 2)]
    )
    system = pm.peering.autonomous_systems.get(asn=65120)
    system.tags.append(tags[0].id)
    system.import_routing_policies = [policies[0].id]
    assert system.save()
    system = pm.peering.autonomous_systems.get(asn=65120)
    is_([str(tag) for tag in system.tags], ["Client a"])
    is_([(type(tag).__name__, tag.slug) for tag in system.tags], [("Record", "client-a")])
    system.tags.append({"slug": "client-b"})
    is_(system.save(), True)
    system = pm.peering.autonomous_systems.get(asn=65120)
    is_(sorted(str(tag) for tag in system.tags), ["Client a", "Client b"])
    system.import_routing_policies.append(policies[1])
    system.save()
    system = pm.peering.autonomous_systems.get(asn=65120)
    is_(sorted(policy.id for policy in system.import_routing_policies), sorted(p.id for p in policies))
    system.import_routing_policies, system.comments = [], "without policies"
    system.save()
    system = pm.peering.autonomous_systems.get(asn=65120)
    is_((system.import_routing_policies, len(system.tags)), ([], 2))


@thing
def data_for_templates_stays_as_it_is():
    data = {"community": {"list": [1, {"deep": None}]}, "text": "ü"}
    system = pm.peering.autonomous_systems.get(asn=65120)
    system.local_context_data = data
    assert system.save()
    system = pm.peering.autonomous_systems.get(asn=65120)
    is_(system.local_context_data, data)
    # The library makes a record of what it does not know to be data.
    is_(type(system.config_context), Record)
    system.comments = "again"
    is_(system.updates(), {"comments": "again"})


@thing
def rows_are_filtered():
    systems = pm.peering.autonomous_systems
    is_(asns(systems.filter(asn=[65120, 65121, 64510])), [64510, 65120, 65121])
    is_(asns(systems.filter(asn=[65120, 65121], name__ic="OTHER")), [65121])
    is_(asns(systems.filter(asn__gte=65120, asn__lte=65121, name__n="Peer")), [65121])
    is_(asns(systems.filter(name__isw=["peer", "other p"])), [65120, 65121])
    is_(asns(systems.filter(irr_as_set__empty=False, asn__gt=65000)), [65120])
    is_(asns(systems.filter(tag=["client-a", "client-b"])), [65120])
    is_(asns(systems.filter(tag="client-a", tag__n="client-b")), [])
    is_(asns(systems.filter("other peer")), [65121])
    sessions = pm.peering.internet_exchange_peering_sessions
    connection = pm.net.connections.get(vlan=77)
    for filters in (
        {"autonomous_system_asn": 65121},
        {"autonomous_system": "Other peer", "status": ["enabled", "disabled"]},
        {"ixp_connection_id": connection.id, "address_family": 4},
        {"internet_exchange": "Client IX", "is_route_server": False},
    ):
        is_([str(one) for one in sessions.filter(**filters)], ["198.51.100.2"])
    is_(list(sessions.filter(status__n="enabled", internet_exchange="Client IX")), [])
    is_([str(one) for one in pm.net.connections.filter(router="client1.example.net")], ["Client IX on client1"])
    is_([str(one) for one in pm.devices.routers.filter(platform="Client OS")], ["client1"])


@thing
def a_filter_that_names_nothing_is_refused():
    choice = "Select a valid choice. {} is not one of the available choices."
    connections = pm.net.connections
    said = refused(lambda: list(connections.filter(router_id=99999, status="bogus")), 400)
    is_(said, {"router_id": [choice.format(99999)], "status": [choice.format("bogus")]})
    said = refused(lambda: connections.count(router="nosuch"), 400)
    is_(said, {"router": [choice.format("nosuch")]})
    said = refused(lambda: list(pm.peering.autonomous_systems.filter(asn="x", tag="nosuch")), 400)
    is_(said, {"asn": ["Enter a whole number."], "tag": [choice.format("nosuch")]})


@thing
def choices_are_told_for_every_field_that_has_them():
    words = lambda field: {one["value"]: one["display_name"] for one in field}
    exchange = pm.peering.internet_exchanges.choices()
    is_(words(exchange["status"])["pre-maintenance"], "Pre-maintenance")
    sessions = pm.peering.direct_peering_sessions.choices()
    is_(words(sessions["bgp_state"])["openconfirm"], "OpenConfirm")
    is_(len(words(sessions["status"])), 9)
    policy = pm.peering.routing_policies.choices()
    is_(set(words(policy["type"])), {"import-policy", "export-policy", "import-export-policy"})
    is_(set(words(policy["address_family"])), {0, 4, 6})


@thing
def all_rows_come_over_several_pages():
    systems = pm.peering.autonomous_systems
    before = systems.count()
    rows = [{"asn": 4200010000 + n, "name": f"Many {n:04}"} for n in range(MANY)]
    is_(len(systems.create(rows)), MANY)
    is_(systems.count(), before + MANY)
    every = systems.all()
    is_(len(every), before + MANY)
    numbers = [one.asn for one in every]
    is_((len(numbers), len(set(numbers))), (before + MANY, before + MANY))
    is_(numbers, sorted(numbers))
    is_(systems.count("Many"), MANY)


@thing
def pages_of_any_size_lead_to_the_same_rows():
    systems = pm.peering.autonomous_systems
    wanted = list(range(4200010000, 4200010000 + MANY))
    for limit in (0, 7, 500, 1000, 5000):
        is_([one.asn for one in systems.filter(name__isw="Many", limit=limit)], wanted)
    is_([one.asn for one in systems.filter(name__isw="Many", limit=50, offset=1190)], wanted[1190:1240])
    is_([one.asn for one in systems.filter(name__isw="Many", ordering="-asn", limit=400)], wanted[::-1])


@thing
def pages_are_fetched_by_several_threads():
    threaded = pypeeringmanager.api(URL, token=TOKEN, threading=True).peering.autonomous_systems
    wanted = list(range(4200010000, 4200010000 + MANY))
    for limit in (0, 100, 1000):
        is_(asns(threaded.filter(name__isw="Many", limit=limit)), wanted)
    is_(len(list(threaded.all())), pm.peering.autonomous_systems.count())


@thing
def many_rows_are_changed_and_removed_in_one_request():
    systems = pm.peering.autonomous_systems
    changed = systems.update([{"id": one.id, "comments": "swept"} for one in systems.filter(name__isw="Many")])
    is_((len(changed), {one.comments for one in changed}), (MANY, {"swept"}))
    is_(systems.filter(name__isw="Many").delete(), True)
    is_(systems.count(name__isw="Many"), 0)


@thing
def a_row_that_others_need_is_not_removed():
    said = refused(pm.devices.platforms.get(slug="client-os").delete, 409)
    router = pm.devices.routers.get(name="client1")
    is_(said, {"detail": f"unable to delete object. 1 dependent objects were found: client1 ({router.id})"})


@thing
def refusals_are_told_in_the_forms_the_library_reads():
    systems = pm.peering.autonomous_systems
    is_(refused(lambda: systems.create(asn=65120, name="Again"), 400)["asn"], [
        "autonomous system with this ASN already exists."
    ])
    nobody = pypeeringmanager.api(URL).peering.autonomous_systems
    absent = {"detail": "Authentication credentials were not provided."}
    for call in (nobody.count, lambda: nobody.create(asn=1, name="x"), lambda: list(nobody.all()), nobody.choices):
        is_(refused(call, 403), absent)
    wrong = pypeeringmanager.api(URL, token="0" * 40).peering.autonomous_systems
    is_(refused(wrong.count, 403), {"detail": "Invalid token"})
    try:
        list(pm.peering.nosuch.all())
    except pynetbox.RequestError as error:
        is_((error.req.status_code, error.req.json()), (404, {"detail": "Not found."}))
        assert "could not be found" in error.message, error.message


@thing
def former_paths_lead_to_the_present_rows():
    router = pm.devices.routers.get(name="client1")
    old = pm.peering.routers.get(name="client1")
    is_((old.url, old.endpoint.url), (router.url, f"{URL}/api/devices/routers"))
    old.comments = "from the old path"
    is_(old.save(), True)
    is_(pm.peering.routers.get(router.id).comments, "from the old path")


@thing
def changes_are_found_at_both_places():
    router = pm.devices.routers.get(name="client1")
    changes = list(pm.extras.object_changes.filter(changed_object_id=router.id, action="update"))
    is_([(change.action.value, change.changed_object_id) for change in changes], [("update", router.id)])
    change = changes[0]
    is_((change.prechange_data["comments"], change.postchange_data["comments"]), ("", "from the old path"))
    is_(str(change), change.request_id)
    present = nb.core.object_changes.get(change.id)
    is_((present.id, present.request_id), (change.id, change.request_id))
    is_([one.id for one in pm.devices.routers.filter(updated_by_request=change.request_id)], [router.id])
    assert nb.users.users.count() >= 1


run()
