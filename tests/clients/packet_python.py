"""What people do with packet-python, done to a running server whose HTTPS is at $DOOR (host and port), with $TOKEN.

The library knows no other scheme than https; $REQUESTS_CA_BUNDLE names the certificate it is to trust. Each function is one thing
and its name says what holds. They run in the order they stand in.

What the library cannot do itself, and is therefore not here: `get_available_ip_subnets` gives its parameters as text where
its own code wants a map; `delete_batch` sends its flag nowhere; an `IPAddress` cannot be printed, nor a `Snapshot`. VPN, interconnections
and internet gateways are calls it has and the server has not.
"""

import base64
import os
import sys
import time

import packet
from packet.baseapi import ResponseError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from things import is_, run, thing, until

m = packet.Manager(auth_token=os.environ["TOKEN"])
m.end_point = os.environ["DOOR"]

#: What later things need of earlier ones.
kept = {}
FACILITY, METRO, PLAN, SYSTEM = "sjc1", "sv", "baremetal_2", "ubuntu_22_04"


def refused(call, status, words=""):
    """The error that a call ends in, which must have this status and say these words."""
    try:
        call()
    except ResponseError as error:
        is_(error.response.status_code, status)
        assert str(error).startswith(f"Error {status}: ") and words in str(error), error
        return error
    raise AssertionError(f"it was not refused with {status}")


def done(call):
    """What a call answers, or True; nothing while the state of things does not allow it."""
    try:
        return call() or True
    except ResponseError as error:
        is_(error.response.status_code, 422)


def missing(call):
    try:
        call()
    except ResponseError as error:
        is_(error.response.status_code, 404)
        return True


def public_key(n):
    """The public half of a key that nobody has the other half of."""
    body = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes([n] * 32)
    return f"ssh-ed25519 {base64.b64encode(body).decode()} client{n}"


def in_state(device, state):
    return until(f"{device.hostname} is {state}", lambda: (d := m.get_device(device.id)).state == state and d)


def gone(device):
    until("the device is gone", lambda: device.id not in [d.id for d in m.list_devices(kept["project"].id)])


def order(hostname, **wishes):
    wishes = {"plan": PLAN, "facility": FACILITY, "operating_system": SYSTEM} | wishes
    return m.create_device(kept["project"].id, hostname, **wishes)


def port(name, device="device"):
    return next(p for p in m.get_device(kept[device].id).network_ports if p["name"] == name)


def mode():
    return port("bond0")["network_type"]


@thing
def the_catalogue_is_read():
    facilities = {f.code: f for f in m.list_facilities()}
    assert FACILITY in facilities and "baremetal" in facilities[FACILITY].features
    is_(str(facilities[FACILITY]), FACILITY)
    assert METRO in [metro.code for metro in m.list_metros()]
    plans = {plan.slug: plan for plan in m.list_plans({"include": "available_in"})}
    is_(plans[PLAN].line, "baremetal")
    assert FACILITY in [f["code"] for f in plans[PLAN].available_in] and plans[PLAN].pricing["hour"] > 0
    systems = {system.slug: system for system in m.list_operating_systems()}
    is_((systems[SYSTEM].distro, systems[SYSTEM].version), ("ubuntu", "22.04"))
    assert PLAN in systems[SYSTEM].provisionable_on
    is_(m.get_user()["full_name"], "Dana Demo")


@thing
def without_a_good_token_nobody_gets_in():
    stranger = packet.Manager(auth_token="0" * 40)
    stranger.end_point = m.end_point
    refused(stranger.list_projects, 401)
    refused(lambda: m.get_project("7c6a4c2e-0000-4000-8000-000000000000"), 404, "Not found")


@thing
def projects_are_made_and_removed():
    before = len(m.list_projects({"per_page": 1000}))
    is_(m.total, before)
    project = m.create_project("Client")
    is_((project.name, m.get_project(project.id).name, str(project)), ("Client", "Client", "Client"))
    project.name = "Customer"
    project.update()
    is_(m.get_project(project.id).name, "Customer")
    kept["project"] = project
    organization = m.list_organizations()[0]
    is_(m.get_organization(organization.id).name, organization.name)
    other = m.create_organization_project(organization.id, "Other", customdata={"a": 1})
    assert {other.id, project.id} <= {p.id for p in m.list_organization_projects(organization.id, {"per_page": 1000})}
    is_(m.list_organization_devices(organization.id), [])
    other.delete()
    refused(lambda: m.get_project(other.id), 404)
    is_(len(m.list_projects({"per_page": 1000})), before + 1)


@thing
def keys_are_added_and_added_once():
    key = m.create_ssh_key("mine", public_key(1))
    is_((key.label, key.key), ("mine", public_key(1)))
    assert key.owner.startswith("/users/") and key.fingerprint.count(":") == 15
    assert key.id in [k.id for k in m.list_ssh_keys()]
    key.label = "ours"
    key.update()
    is_(m.get_ssh_key(key.id).label, "ours")
    refused(lambda: m.create_ssh_key("again", public_key(1)), 422)
    # What is refused because it is there already, the library looks for among all keys.
    is_(m.create_project_ssh_key(kept["project"].id, "again", public_key(2)).label, "again")
    refused(lambda: m.create_ssh_key("bad", "no key"), 422, "key")
    key.delete()
    refused(lambda: m.get_ssh_key(key.id), 404)


@thing
def addresses_of_people_are_added():
    email = m.add_email("client@meetme.example")
    is_((email.address, email.default, m.get_email(email.id).verified), ("client@meetme.example", False, False))
    email.address = "customer@meetme.example"
    email.update()
    is_(m.get_email(email.id).address, "customer@meetme.example")
    email.delete()
    refused(lambda: m.get_email(email.id), 404)


@thing
def capacity_is_asked_for():
    is_(m.get_capacity()[FACILITY][PLAN]["level"], "normal")
    is_(m.get_capacity(legacy="include").keys(), m.get_capacity().keys())
    is_(m.validate_capacity([(FACILITY, PLAN, 2), (FACILITY, "baremetal_0", 1)]), True)
    is_(m.validate_capacity([(FACILITY, PLAN, 2), (FACILITY, PLAN, 2000)]), False)
    is_(m.validate_metro_capacity([(METRO, PLAN, 2)]), True)
    is_(m.validate_metro_capacity([(METRO, PLAN, 2000)]), False)


@thing
def a_device_is_ordered_and_comes_up():
    device = order("web1", tags=["web"], customdata={"role": "web"}, userdata="#cloud-config\n")
    is_((device.hostname, device.state, device.operating_system.slug), ("web1", "queued", SYSTEM))
    is_((device.plan["slug"], device.facility["code"], device.locked), (PLAN, FACILITY, False))
    kept["device"] = up = in_state(device, "active")
    is_((up.tags, up.customdata, up.userdata), (["web"], {"role": "web"}, "#cloud-config\n"))
    is_((up.provisioning_percentage, up.user, len(up.ip_addresses)), (100, "root", 3))
    assert len(up.root_password) > 10 and up.iqn.endswith(up.short_id), up.iqn
    # Both kinds of keys go in when none are named: those of members and those of the project.
    is_(len(up.ssh_keys), 2)
    is_([d.id for d in m.list_devices(kept["project"].id)], [device.id])
    is_([d.id for d in m.list_all_devices(kept["project"].id)], [device.id])


@thing
def what_cannot_be_ordered_is_refused_by_name():
    refused(lambda: order("x", plan="nosuch"), 422, "plan")
    refused(lambda: order("x", facility="nosuch"), 422, "facility")
    refused(lambda: order("x", operating_system="nosuch"), 422, "operating_system")
    refused(lambda: order("bad name"), 422, "hostname")
    is_(len(m.list_devices(kept["project"].id)), 1)


@thing
def a_device_is_changed_and_locked():
    device = kept["device"]
    device.hostname, device.tags, device.description = "web2", ["web", "front"], "A web server"
    device.customdata, device.locked = {"role": "front"}, True
    device.update()
    seen = m.get_device(device.id)
    is_((seen.hostname, seen.tags, seen.description), ("web2", ["web", "front"], "A web server"))
    is_((seen.customdata, seen.locked), ({"role": "front"}, True))
    refused(seen.delete, 422, "locked")
    refused(seen.power_off, 422, "locked")
    refused(seen.reinstall, 422, "locked")
    seen.locked = False
    seen.update()
    kept["device"] = m.get_device(device.id)
    is_(kept["device"].locked, False)


@thing
def power_is_switched():
    device = kept["device"]
    refused(device.power_on, 422, "must be powered off")
    device.power_off()
    assert m.get_device(device.id).state in ("powering_off", "inactive")
    in_state(device, "inactive")
    refused(device.reboot, 422, "must be powered on")
    device.power_on()
    in_state(device, "active")
    device.reboot()
    in_state(device, "active")
    device.rescue()
    in_state(device, "active")


@thing
def a_device_is_installed_anew_and_stays_what_it_is():
    device = kept["device"]
    before = m.get_device(device.id)
    device.reinstall(operating_system="debian_12")
    assert m.get_device(device.id).state == "reinstalling"
    after = in_state(device, "active")
    is_(after.operating_system.slug, "debian_12")
    is_([a["address"] for a in after.ip_addresses], [a["address"] for a in before.ip_addresses])
    assert after.root_password != before.root_password
    refused(lambda: device.reinstall(operating_system="nosuch"), 422, "operating_system")
    device.reinstall(ipxe_script_url="http://boot.example/script.ipxe")
    after = in_state(device, "active")
    is_((after.operating_system.slug, after.ipxe_script_url), ("custom_ipxe", "http://boot.example/script.ipxe"))


@thing
def events_tell_what_happened():
    device = kept["device"]
    events = m.list_device_events(device.id, {"per_page": 1000})
    types = [event.type for event in events]
    power = {f"power.{n}" for n in (200, 201, 202, 203, 204)}
    assert {"instance.queued", "provisioning.101", "provisioning.109"} | power <= set(types), types
    # The newest one comes first.
    is_(types[-1], "instance.queued")
    assert types.index("power.204") < types.index("power.202")
    event = m.get_event(events[-1].id)
    is_((event.type, str(event), event.modified_by["full_name"]), ("instance.queued", events[-1].interpolated, "Dana Demo"))
    assert "project.created" in [e.type for e in m.list_project_events(kept["project"].id, {"per_page": 1000})]
    assert "power.200" in [e.type for e in m.list_events({"per_page": 1000})], "what the caller asked for"


@thing
def addresses_are_reserved_assigned_and_given_back():
    project, device = kept["project"], kept["device"]
    mine = m.list_device_ips(device.id)
    is_(sorted((ip.address_family, ip.public, ip.management) for ip in mine), [(4, False, True), (4, True, True), (6, True, True)])
    is_([ip.id for ip in device.ips()], [ip.id for ip in mine])
    assert all(ip.address and ip.gateway and ip.netmask and ip.cidr for ip in mine)
    block = m.reserve_ip_address(project.id, "public_ipv4", 4, facility=FACILITY, comments="Four of them", tags=["front"])
    is_((block.cidr, block.public, block.facility.code, block.tags), (30, True, FACILITY, ["front"]))
    assert block.id in [ip.id for ip in m.list_project_ips(project.id)]
    is_(m.list_project_ips(project.id, {"types": "public_ipv4", "per_page": 1})[0].public, True)
    one = m.create_device_ip(device.id, f"{block.network}/32", customdata={"for": "web"})
    is_((one.address, one.cidr, one.customdata), (block.network, 32, {"for": "web"}))
    is_(m.get_ip(one.id).assigned_to["href"], f"/devices/{device.id}")
    refused(lambda: m.create_device_ip(device.id, f"{block.network}/32"), 422)
    refused(lambda: m.create_device_ip(device.id, "203.0.113.1/32"), 422, "address")
    refused(lambda: m.delete_ip(block.id), 422)
    one.delete()
    refused(lambda: m.get_ip(one.id), 404)
    m.delete_ip(block.id)
    refused(lambda: m.get_ip(block.id), 404)
    everywhere = m.reserve_ip_address(project.id, "global_ipv4", 1)
    is_((everywhere.global_ip, everywhere.facility, everywhere.cidr), (True, None, 32))
    everywhere.delete()
    valley = m.reserve_ip_address(project.id, "public_ipv4", 2, metro=METRO)
    is_((valley.metro.code, valley.cidr), (METRO, 31))
    valley.delete()
    refused(lambda: m.reserve_ip_address(project.id, "public_ipv4", 3, facility=FACILITY), 422, "quantity")


@thing
def networks_are_made_and_put_on_ports():
    project, device = kept["project"], kept["device"]
    first = m.create_vlan(project.id, facility=FACILITY, description="First")
    second = m.create_vlan(project.id, metro=METRO, vxlan=1234)
    kept["vlans"] = first, second
    is_((first.description, first.facility_code, first.assigned_to.id), ("First", FACILITY, project.id))
    is_((second.vxlan, second.metro_code), (1234, METRO))
    is_({vlan.id for vlan in m.list_vlans(project.id)}, {first.id, second.id})
    refused(lambda: m.create_vlan(project.id, metro=METRO, vxlan=1234), 422)
    refused(lambda: m.assign_port(port("eth1")["id"], first.id), 422)
    m.disbond_ports(port("eth1")["id"], False)
    is_((mode(), port("eth1")["data"]["bonded"]), ("hybrid", False))
    for vlan in (first, second):
        m.assign_port(port("eth1")["id"], vlan.id)
    is_(first.get()["instances"], [{"href": f"/devices/{device.id}"}])
    m.assign_native_vlan(port("eth1")["id"], second.id)
    m.remove_native_vlan(port("eth1")["id"])
    first.assign_native_vlan(port("eth1")["id"])
    first.remove_native_vlan(port("eth1")["id"])
    refused(first.delete, 422)
    for vlan in (first, second):
        m.remove_port(port("eth1")["id"], vlan.id)
    error = refused(lambda: m.remove_port(port("eth1")["id"], first.id), 422, "not assigned")
    assert "Virtual network" in str(error)
    m.bond_ports(port("eth1")["id"], False)
    is_((mode(), port("eth1")["data"]["bonded"]), ("layer3", True))


@thing
def a_device_leaves_its_routed_network_and_comes_back():
    first, _ = kept["vlans"]
    m.convert_layer_2(port("bond0")["id"], first.id)
    is_(mode(), "layer2-bonded")
    is_([a for a in m.get_device(kept["device"].id).ip_addresses if a["management"]], [])
    is_(first.get()["instances"], [{"href": f"/devices/{kept['device'].id}"}])
    wishes = [{"address_family": 4, "public": True}, {"address_family": 4, "public": False}, {"address_family": 6, "public": True}]
    refused(lambda: m.convert_layer_3(port("bond0")["id"], wishes), 422)
    m.remove_port(port("bond0")["id"], first.id)
    m.convert_layer_3(port("bond0")["id"], wishes)
    is_((mode(), len(m.get_device(kept["device"].id).ip_addresses)), ("layer3", 3))
    for vlan in kept["vlans"]:
        until("the network is on no switch any more", lambda: done(vlan.delete))
    is_(m.list_vlans(kept["project"].id), [])


@thing
def sessions_are_opened_once_the_project_speaks_bgp():
    project, device = kept["project"], kept["device"]
    refused(lambda: m.create_bgp_session(device.id, "ipv4"), 422)
    m.enable_project_bgp_config(project.id, 65000, "local", md5="between us")
    config = m.get_bgp_config(project.id)
    is_((config.status, config.deployment_type, config.asn, config.md5, config.max_prefix), ("enabled", "local", 65000, "between us", 10))
    session = m.create_bgp_session(device.id, "ipv4")
    is_((session.address_family, session.default_route), ("ipv4", False))
    is_([s.id for s in m.get_bgp_sessions(device.id)], [session.id])
    refused(lambda: m.create_bgp_session(device.id, "ipx"), 422, "address_family")
    refused(lambda: m.enable_project_bgp_config(project.id, 65000, "lunar"), 422, "deployment_type")


@thing
def volumes_are_made_used_copied_and_put_back():
    project, device = kept["project"], kept["device"]
    new = m.create_volume(project.id, "data", "storage_1", 100, FACILITY, 7, "1day")
    is_((new.description, new.size, new.plan.slug, new.facility.code, new.locked), ("data", 100, "storage_1", FACILITY, False))
    volume = until("the volume is active", lambda: (v := m.get_volume(new.id)).state == "active" and v)
    is_((volume.attached_to, [v.id for v in m.list_volumes(project.id)]), (None, [new.id]))
    refused(lambda: m.create_volume(project.id, "", "storage_1", 0, FACILITY), 422, "size")
    volume.attach(device.id)
    volume = m.get_volume(volume.id)
    is_(volume.attached_to, device.id)
    refused(volume.delete, 422)
    volume.detach()
    is_(m.get_volume(volume.id).attached_to, None)
    volume.description, volume.size, volume.locked = "more", 120, True
    volume.update()
    seen = m.get_volume(volume.id)
    is_((seen.description, seen.size, seen.locked), ("more", 120, True))
    seen.locked = False
    seen.update()
    policy = seen.create_snapshot_policy("1hour", 3)
    is_((policy.frequency, policy.count), ("1hour", 3))
    is_(policy.update_snapshot_policy("1week", 2).frequency, "1week")
    policy.delete()
    until("the volume is its new size", lambda: m.get_volume(volume.id).state == "active")
    seen.create_snapshot()
    ready = lambda: [s for s in seen.list_snapshots() if s.status == "available"]
    snapshot = until("a snapshot is taken", ready)[0]
    # It is put back by its snapshot's moment, and not while it is used.
    seen.attach(device.id)
    refused(lambda: seen.restore(snapshot.timestamp), 422, "detach it first")
    m.get_volume(volume.id).detach()
    restored = lambda: done(lambda: seen.restore(snapshot.timestamp))
    until("the volume is let go and put back", restored)
    is_(m.get_snapshots(volume.id)[0].timestamp, snapshot.timestamp)
    types = [event.type for event in m.get_volume_events(volume.id, {"per_page": 100})]
    assert "volume.queued" in types and "volume.attached" in types, types
    refused(lambda: seen.restore("1.000000000"), 422, "restore_point")


@thing
def volumes_are_copied_and_removed():
    volume = m.list_volumes(kept["project"].id)[0]
    copy = until("the volume is put back and copied", lambda: done(volume.clone))
    is_(copy.size, 120)
    until("the copy is active", lambda: m.get_volume(copy.id).state == "active")
    for snapshot in volume.list_snapshots():
        snapshot.delete()
    for one in (copy, volume):
        until(f"{one} can be removed", lambda: done(one.delete))
        refused(one.delete, 404)
        until(f"{one} is removed", lambda: missing(lambda: m.get_volume(one.id)))
    is_(m.list_volumes(kept["project"].id), [])


@thing
def many_devices_are_ordered_together_and_listed_over_pages():
    project = kept["project"]
    wish = {
        "hostname": "many{{index}}", "quantity": 11, "plan": "baremetal_1", "operating_system": SYSTEM,
        "facility": [FACILITY, "any"], "facility_diversity_level": 1,
    }
    batch = m.create_batch(project.id, [wish])[0]
    is_((batch.state, batch.quantity), ("queued", 11))
    done = lambda: (b := next(b for b in m.list_batches(project.id) if b.id == batch.id)).state == "completed" and b
    is_(len(until("the batch is completed", done).devices), 11)
    is_(len(m.list_devices(project.id)), 10)
    every = m.list_all_devices(project.id)
    is_(len({device.id for device in every}), 12)
    refused(lambda: m.create_batch(project.id, [wish | {"plan": "nosuch"}]), 422, "batches.0.plan")
    m.delete_batch(batch.id)
    for device in every:
        if device.hostname.startswith("many"):
            device.delete()
    is_([d.id for d in m.list_devices(project.id)], [kept["device"].id])


@thing
def a_device_is_put_on_a_server_of_ones_own():
    project = next(p for p in m.list_projects() if p.name == "Project 1")
    reservation = m.list_hardware_reservations(project.id)[0]
    is_((reservation.provisionable, reservation.spare, reservation.plan.slug), (True, False, PLAN))
    is_((reservation.project.id, reservation.device), (project.id, None))
    wishes = {"plan": PLAN, "operating_system": SYSTEM, "hardware_reservation_id": reservation.id}
    device = m.create_device(project.id, "own", **wishes)
    is_(device.hardware_reservation_id, reservation.id)
    seen = m.get_hardware_reservation(reservation.id)
    is_((seen.provisionable, seen.device.id), (False, device.id))
    refused(lambda: m.create_device(project.id, "own", **wishes), 422, "cannot be provisioned")
    in_state(device, "active")
    device.delete()
    free = lambda: m.get_hardware_reservation(reservation.id).provisionable
    until("the server is wiped and can be ordered again", free)


@thing
def a_device_is_bought_at_the_price_of_the_hour():
    price = until("there is a price", lambda: m.get_spot_market_prices()[FACILITY].get(PLAN))["price"]
    refused(lambda: order("cheap", spot_instance=True, spot_price_max=0.000001), 422, "below the spot market price")
    device = order("spot", spot_instance=True, spot_price_max=price * 2)
    is_((device.spot_instance, round(device.spot_price_max, 6)), (True, round(price * 2, 6)))
    device = in_state(device, "active")
    device.spot_instance = False
    device.update()
    is_(m.get_device(device.id).spot_instance, False)
    device.delete()


@thing
def a_device_ends_when_it_is_said_to():
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    # The library sends the end of devices of the spot market only.
    price = m.get_spot_market_prices()[FACILITY][PLAN]["price"]
    device = order("short", spot_instance=True, spot_price_max=price * 2, termination_time=end)
    is_(device.termination_time, end)
    gone(device)


@thing
def a_device_is_removed():
    device = kept["device"]
    refused(kept["project"].delete, 422)
    device.delete()
    is_(m.list_devices(kept["project"].id), [])
    until("the device is no more", lambda: missing(lambda: m.get_device(device.id)))
    until("the project is empty", lambda: done(kept["project"].delete))
    refused(lambda: m.get_project(kept["project"].id), 404)


run()
