"""What people do with equinix-metal, the library generated from the later deployment's document, done to a running server at $URL with
$TOKEN.

It looks at each answer: a field of the wrong type, or a word that is not in its lists, ends the script. Each function is one thing and
its name says what holds. They run in the order they stand in.

What the library cannot do itself, and is therefore not here or asked for without its models: addresses in a device's metadata, which
it takes for text where machines read objects; prices of plans that came after those it names. What it makes of custom data, of traffic,
of bandwidth and of BGP's changes is nothing, so only that they are answered is seen. A second factor it enables by messages to
telephones alone. It has no volumes, which had ended when it was made. VRFs, interconnections, invoices, incidents, firmware sets
and self-service reservations are calls it has and the server has not.
"""

import base64
import json
import os
import sys
import time
from datetime import datetime, timedelta, timezone

import equinix_metal as em
from equinix_metal.exceptions import ForbiddenException, NotFoundException, UnauthorizedException

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from things import is_, run, thing, until

URL = os.environ["URL"] + "/metal/v1"


def client(token):
    return em.ApiClient(em.Configuration(host=URL, api_key={"x_auth_token": token}))


api = client(os.environ["TOKEN"])
devices, ips, ports, vlans = em.DevicesApi(api), em.IPAddressesApi(api), em.PortsApi(api), em.VLANsApi(api)
bgp, events, projects, keys = em.BGPApi(api), em.EventsApi(api), em.ProjectsApi(api), em.SSHKeysApi(api)
organizations, spot, batches = em.OrganizationsApi(api), em.SpotMarketApi(api), em.BatchesApi(api)
reservations, gateways, capacity = em.HardwareReservationsApi(api), em.MetalGatewaysApi(api), em.CapacityApi(api)
users, plans = em.UsersApi(api), em.PlansApi(api)

#: What later things need of earlier ones.
kept = {}
FACILITY, METRO, PLAN, SYSTEM = "sjc1", "sv", "baremetal_2", "ubuntu_22_04"


def refused(call, status, words="", error=em.ApiException):
    """The error that a call ends in, which must be of this class, have this status and say these words."""
    try:
        call()
    except error as found:
        is_(found.status, status)
        said = json.loads(found.body)
        assert words in " ".join(said["errors"]), said
        return found
    raise AssertionError(f"it was not refused with {status}")


def missing(call):
    return refused(call, 404, "Not found", NotFoundException)


def is_missing(call):
    try:
        call()
    except NotFoundException:
        return True
    return False


def public_key(n):
    """The public half of a key that nobody has the other half of."""
    body = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes([n] * 32)
    return f"ssh-ed25519 {base64.b64encode(body).decode()} client{n}"


def device(include=None):
    """The device as it is now."""
    return devices.find_device_by_id(kept["device"], include=include)


def in_state(state, id=None):
    id = id or kept["device"]
    return until(f"the device is {state}", lambda: (d := devices.find_device_by_id(id)).state == state and d)


def order(hostname, **wishes):
    wishes = {"metro": METRO, "plan": PLAN, "operating_system": SYSTEM} | wishes
    wish = em.DeviceCreateInMetroInput(hostname=hostname, **wishes)
    return devices.create_device(kept["project"], em.CreateDeviceRequest(wish))


def port(name):
    return next(p for p in device().network_ports if p.name == name)


def act(type, **more):
    devices.perform_action(kept["device"], em.DeviceActionInput(type=type, **more))


def until_done(what, call, *refusals):
    """Calls until it is not refused with one of these statuses any more."""

    def attempt():
        try:
            call()
        except em.ApiException as error:
            assert error.status in refusals, error
            return False
        return True

    until(what, attempt)


@thing
def the_catalogue_is_read():
    facilities = {f.code: f for f in em.FacilitiesApi(api).find_facilities().facilities}
    assert "baremetal" in facilities[FACILITY].features, facilities[FACILITY]
    metros = em.MetrosApi(api)
    metro = next(m for m in metros.find_metros().metros if m.code == METRO)
    is_(metros.get_metro(metro.id).name, "Silicon Valley")
    all_plans = {p.slug: p for p in plans.find_plans(include=["available_in", "available_in_metros"]).plans}
    is_((all_plans[PLAN].line, all_plans[PLAN].specs.cpus[0].count), ("baremetal", 1))
    systems = {s.slug: s for s in em.OperatingSystemsApi(api).find_operating_systems().operating_systems}
    is_((systems[SYSTEM].distro, systems[SYSTEM].version), ("ubuntu", "22.04"))
    assert em.OperatingSystemsApi(api).find_operating_system_version().operating_systems is None
    is_(plans.find_plans(slug=PLAN).plans[0].slug, PLAN)


@thing
def without_a_good_token_nobody_gets_in():
    stranger = em.ProjectsApi(client("0" * 40))
    refused(stranger.find_projects, 401, error=UnauthorizedException)
    missing(lambda: projects.find_project_by_id("7c6a4c2e-0000-4000-8000-000000000000"))


@thing
def people_and_their_keys_are_read_and_made():
    me = users.find_current_user(include=["emails", "memberships"])
    is_((me.full_name, me.email), ("Dana Demo", "demo@meetme.example"))
    is_(users.update_current_user(em.UserUpdateInput(title="Tester")).full_name, "Dana Demo")
    is_([u.id for u in users.find_users().users], [me.id])
    auth = em.AuthenticationApi(api)
    key = auth.create_api_key(em.AuthTokenInput(description="ci", read_only=True))
    reader = em.ProjectsApi(client(key.token))
    assert reader.find_projects().projects
    refused(lambda: reader.create_project(em.ProjectCreateFromRootInput(name="x")), 403, error=ForbiddenException)
    assert key.id in [k.id for k in auth.find_api_keys(search="ci").api_keys]
    auth.delete_user_api_key(key.id)
    refused(reader.find_projects, 401, error=UnauthorizedException)
    ssh = keys.create_ssh_key(em.SSHKeyCreateInput(label="client", key=public_key(5)))
    is_(keys.update_ssh_key(ssh.id, em.SSHKeyInput(label="customer")).label, "customer")
    is_([k.label for k in keys.find_ssh_keys(search="custom").ssh_keys], ["customer"])
    refused(lambda: keys.create_ssh_key(em.SSHKeyCreateInput(label="again", key=public_key(5))), 422)
    keys.delete_ssh_key(ssh.id)
    missing(lambda: keys.find_ssh_key_by_id(ssh.id))
    emails = em.EmailsApi(api)
    email = emails.create_email(em.CreateEmailInput(address="client@meetme.example"))
    is_(emails.update_email(email.id, em.UpdateEmailInput(default=False)).address, "client@meetme.example")
    emails.delete_email(email.id)
    missing(lambda: emails.find_email_by_id(email.id))


@thing
def projects_are_made_in_organizations():
    organization = organizations.find_organizations().organizations[0]
    is_(organizations.find_organization_by_id(organization.id, include=["projects"]).name, organization.name)
    wish = em.ProjectCreateFromRootInput(name="Client", organization_id=organization.id, customdata={"a": 1}, tags=["one"])
    project = projects.create_project(wish)
    is_((project.name, project.customdata), ("Client", {"a": 1}))
    kept["project"], kept["organization"] = project.id, organization.id
    is_(projects.update_project(project.id, em.ProjectUpdateInput(name="Customer")).name, "Customer")
    is_([p.id for p in projects.find_projects(name="Customer").projects], [project.id])
    other = organizations.create_organization_project(organization.id, em.ProjectCreateInput(name="Other"))
    both = {other.id, project.id}
    assert both <= {p.id for p in organizations.find_organization_projects_all_pages(organization.id, per_page=2).projects}
    assert both <= {p.id for p in projects.find_projects_all_pages(per_page=2).projects}
    projects.delete_project(other.id)
    missing(lambda: projects.find_project_by_id(other.id))
    key = keys.create_project_ssh_key(project.id, em.SSHKeyCreateInput(label="shared", key=public_key(6)))
    is_([k.id for k in keys.find_project_ssh_keys(project.id).ssh_keys], [key.id])
    is_([m.roles for m in projects.find_project_memberships(project.id).memberships], [["owner"]])
    token = em.AuthenticationApi(api).create_project_api_key(project.id, em.AuthTokenInput(description="robot"))
    is_([p.id for p in em.ProjectsApi(client(token.token)).find_projects().projects], [project.id])
    is_([t.id for t in em.AuthenticationApi(api).find_project_api_keys(project.id).api_keys], [token.id])
    em.AuthenticationApi(api).delete_api_key(token.id)


@thing
def somebody_is_invited_and_a_project_offered():
    wish = em.InvitationInput(invitee="guest@example.net", roles=["collaborator"], message="Come in.")
    invitation = projects.create_project_invitation(kept["project"], wish)
    is_([i.id for i in projects.find_project_invitations(kept["project"]).invitations], [invitation.id])
    em.InvitationsApi(api).decline_invitation(invitation.id)
    missing(lambda: em.InvitationsApi(api).find_invitation_by_id(invitation.id))
    to = organizations.create_organization(em.OrganizationInput(name="Buyer"))
    transfer = projects.create_transfer_request(kept["project"], em.TransferRequestInput(target_organization_id=to.id))
    transfers = em.TransferRequestsApi(api)
    is_(transfers.find_transfer_request_by_id(transfer.id).target_organization.href.rsplit("/", 1)[-1], to.id)
    is_([t.id for t in organizations.find_organization_transfers(to.id).transfers], [transfer.id])
    transfers.decline_transfer_request(transfer.id)
    missing(lambda: transfers.find_transfer_request_by_id(transfer.id))
    # Who owns both sides accepts for the other one.
    gift = projects.create_project(em.ProjectCreateFromRootInput(name="Gift", organization_id=kept["organization"]))
    transfer = projects.create_transfer_request(gift.id, em.TransferRequestInput(target_organization_id=to.id))
    transfers.accept_transfer_request(transfer.id)
    is_([p.id for p in organizations.find_organization_projects(to.id).projects], [gift.id])
    projects.delete_project(gift.id)
    organizations.delete_organization(to.id)


@thing
def methods_of_payment_are_kept():
    payments = em.PaymentMethodsApi(api)
    made = organizations.create_payment_method(kept["organization"], em.PaymentMethodCreateInput(name="Card", nonce="abc"))
    is_([p.id for p in organizations.find_organization_payment_methods(kept["organization"]).payment_methods], [made.id])
    is_(payments.update_payment_method(made.id, em.PaymentMethodUpdateInput(name="Cards")).name, "Cards")
    payments.delete_payment_method(made.id)
    missing(lambda: payments.find_payment_method_by_id(made.id))


@thing
def capacity_is_asked_for():
    assert capacity.find_capacity_for_facility().capacity
    assert capacity.find_capacity_for_metro().capacity
    assert capacity.find_organization_capacity_per_facility(kept["organization"]).capacity
    ask = lambda **where: em.CapacityInput(servers=[em.ServerInfo(plan=PLAN, quantity=n, **where) for n in ("2", "2000")])
    checked = capacity.check_capacity_for_facility(ask(facility=FACILITY)).servers
    is_([s.available for s in checked], [True, False])
    is_([s.available for s in capacity.check_capacity_for_metro(ask(metro=METRO)).servers], [True, False])


@thing
def a_device_is_ordered_and_comes_up():
    made = order("web1", tags=["web"], customdata={"role": "web"}, userdata="#cloud-config\n")
    is_((made.hostname, made.state, made.metro.code, made.facility.code), ("web1", "queued", METRO, FACILITY))
    kept["device"] = made.id
    up = in_state("active")
    is_((up.tags, up.customdata, up.operating_system.slug, up.plan.slug), (["web"], {"role": "web"}, SYSTEM, PLAN))
    is_(sorted((a.address_family, a.public, a.management) for a in up.ip_addresses), [(4, False, True), (4, True, True), (6, True, True)])
    is_(device(["project"]).project.name, "Customer")
    is_([d.id for d in devices.find_project_devices(kept["project"], hostname="web1").devices], [made.id])
    is_([d.id for d in devices.find_organization_devices(kept["organization"], tag="web").devices], [made.id])
    is_(devices.find_project_devices(kept["project"], has_termination_time=True).devices, [])
    is_(len(keys.find_device_ssh_keys(made.id).ssh_keys), 2)
    places = em.FacilityInputFacility([FACILITY, "any"])
    wish = em.DeviceCreateInFacilityInput(facility=places, plan="baremetal_0", operating_system=SYSTEM)
    second = devices.create_device(kept["project"], em.CreateDeviceRequest(wish))
    is_((second.hostname, second.facility.code), (f"{second.short_id}.packethost.net", FACILITY))
    in_state("active", second.id)
    devices.delete_device(second.id, force_delete=True)


@thing
def what_cannot_be_ordered_is_refused_by_name():
    for wrong in ({"plan": "nosuch"}, {"metro": "nosuch"}, {"operating_system": "nosuch"}, {"hostname": "bad name"}):
        name, = wrong
        wishes = {"hostname": "x"} | wrong
        refused(lambda: order(**wishes), 422, name)
    refused(lambda: order("x", billing_cycle="hourly", features=["sauna"]), 422, "with sauna at sjc1")


@thing
def a_device_is_changed_and_locked():
    change = em.DeviceUpdateInput(hostname="web2", description="A web server", tags=["front"], locked=True, customdata={"role": "front"})
    changed = devices.update_device(kept["device"], change)
    is_((changed.hostname, changed.description, changed.tags, changed.locked), ("web2", "A web server", ["front"], True))
    refused(lambda: devices.delete_device(kept["device"]), 422, "locked")
    refused(lambda: act("reboot"), 422, "locked")
    is_(devices.update_device(kept["device"], em.DeviceUpdateInput(locked=False)).locked, False)
    devices.find_device_customdata(kept["device"])
    is_(devices.find_device_userdata_by_id(kept["device"]).userdata, "#cloud-config\n")
    em.UserdataApi(api).validate_userdata(userdata="#cloud-config\npackages: [nginx]\n")
    document = json.loads(devices.find_device_metadata_by_id_without_preload_content(kept["device"]).data)
    is_((document["hostname"], len(document["network"]["addresses"])), ("web2", 3))


@thing
def power_is_switched_and_a_system_put_on():
    refused(lambda: act("power_on"), 422, "must be powered off")
    act("power_off")
    in_state("inactive")
    act("power_on")
    in_state("active")
    act("reboot")
    # The word `rebooting` is not in the library's list.
    is_(device().state, "powering_on")
    in_state("active")
    act("rescue")
    in_state("active")
    act("reinstall", operating_system="debian_12", preserve_data=True, deprovision_fast=True)
    is_(device().state, "reinstalling")
    is_(in_state("active").operating_system.slug, "debian_12")
    refused(lambda: act("reinstall", operating_system="nosuch"), 422, "operating_system")


@thing
def events_tell_what_happened():
    listed = events.find_device_events_all_pages(kept["device"], per_page=10).events
    types = [e.type for e in listed]
    assert {"instance.queued", "provisioning.109", "power.200", "power.202", "power.203", "power.204"} <= set(types), types
    is_(len({e.id for e in listed}), len(listed))
    is_(events.find_event_by_id(listed[-1].id).type, "instance.queued")
    assert events.find_project_events(kept["project"]).meta.total > len(listed)
    assert events.find_organization_events(kept["organization"], per_page=1).events
    assert "power.200" in [e.type for e in events.find_events_all_pages(per_page=100).events], "what the caller asked for"


@thing
def what_a_device_is_and_uses_is_told():
    is_(devices.get_device_health_rollup(kept["device"]).health_rollup, "ok")
    now = int(time.time())
    devices.find_instance_bandwidth(kept["device"], str(now - 600), str(now))
    devices.find_traffic(kept["device"], "inbound", "day")
    assert em.UsagesApi(api).find_device_usages(kept["device"]).usages is not None
    assert em.UsagesApi(api).find_project_usage(kept["project"]).usages is not None


@thing
def addresses_are_reserved_assigned_and_given_back():
    wish = em.IPReservationRequestInput(type="public_ipv4", quantity=4, metro=METRO, tags=["front"], details="Four", customdata={"a": 1})
    block = ips.request_ip_reservation(kept["project"], em.RequestIPReservationRequest(wish)).actual_instance
    is_((block.type, block.cidr, block.state, block.metro.code, block.tags), ("public_ipv4", 30, "created", METRO, ["front"]))
    listed = [one.actual_instance for one in ips.find_ip_reservations(kept["project"], types=["public_ipv4"]).ip_addresses]
    assert block.id in [one.id for one in listed] and {one.type for one in listed} == {"public_ipv4"}
    is_(len(ips.find_ip_availabilities(block.id, "32").available), 4)
    wish = em.IPAssignmentInput(address=f"{block.network}/32")
    one = devices.create_ip_assignment(kept["device"], wish)
    is_((one.address, one.assigned_to.href), (block.network, f"/metal/v1/devices/{kept['device']}"))
    assert one.id in [a.id for a in devices.find_ip_assignments(kept["device"]).ip_addresses]
    is_(type(ips.find_ip_address_by_id(one.id).actual_instance), em.IPAssignment)
    is_(type(ips.find_ip_address_by_id(block.id).actual_instance), em.IPReservation)
    is_(len(ips.find_ip_availabilities(block.id, "32").available), 3)
    changed = ips.update_ip_address(block.id, ip_assignment_update_input=em.IPAssignmentUpdateInput(details="Three", tags=["back"]))
    is_((changed.actual_instance.details, changed.actual_instance.tags), ("Three", ["back"]))
    refused(lambda: devices.create_ip_assignment(kept["device"], wish), 422)
    refused(lambda: ips.delete_ip_address(block.id), 422)
    ips.delete_ip_address(one.id)
    ips.delete_ip_address(block.id)
    missing(lambda: ips.find_ip_address_by_id(block.id))
    own = [a for a in device().ip_addresses if a.management]
    refused(lambda: ips.delete_ip_address(own[0].id), 422)


@thing
def sessions_are_opened_once_the_project_speaks_bgp():
    session = em.BGPSessionInput(address_family="ipv4", default_route=True)
    refused(lambda: devices.create_bgp_session(kept["device"], session), 422)
    bgp.request_bgp_config(kept["project"], em.BgpConfigRequestInput(asn=65000, deployment_type="local", md5="BetweenUs20"))
    config = bgp.find_bgp_config_by_project(kept["project"])
    is_((config.status, config.asn, config.md5), ("enabled", 65000, "BetweenUs20"))
    made = devices.create_bgp_session(kept["device"], session)
    is_((made.address_family, made.default_route), ("ipv4", True))
    bgp.update_bgp_session(made.id, False)
    is_(bgp.find_bgp_session_by_id(made.id).default_route, False)
    is_([s.id for s in devices.find_bgp_sessions(kept["device"]).bgp_sessions], [made.id])
    is_([s.id for s in bgp.find_project_bgp_sessions(kept["project"]).bgp_sessions], [made.id])
    neighbor = devices.get_bgp_neighbor_data(kept["device"]).bgp_neighbors[0]
    is_((neighbor.customer_as, neighbor.peer_ips, neighbor.multihop), (65000, ["169.254.255.1", "169.254.255.2"], True))
    is_(bgp.find_global_bgp_ranges(kept["project"]).global_bgp_ranges, [])
    bgp.delete_bgp_session(made.id)
    missing(lambda: bgp.find_bgp_session_by_id(made.id))


@thing
def networks_are_made_and_put_on_ports():
    first = vlans.create_virtual_network(kept["project"], em.VirtualNetworkCreateInput(metro=METRO, description="First", tags=["a"]))
    second = vlans.create_virtual_network(kept["project"], em.VirtualNetworkCreateInput(metro=METRO, vxlan=1234))
    kept["vlans"] = first.id, second.id
    is_((first.description, first.metro_code, second.vxlan), ("First", METRO, 1234))
    is_(vlans.update_virtual_network(first.id, em.VirtualNetworkUpdateInput(description="One")).description, "One")
    is_({v.id for v in vlans.find_virtual_networks(kept["project"], metro=METRO).virtual_networks}, {first.id, second.id})
    eth1 = port("eth1").id
    refused(lambda: ports.assign_port(eth1, em.PortAssignInput(vnid=first.id)), 422)
    is_(ports.disbond_port(eth1, bulk_disable=False).network_type, "hybrid")
    ports.assign_port(eth1, em.PortAssignInput(vnid=first.id))
    is_([n.href for n in ports.assign_port(eth1, em.PortAssignInput(vnid="1234")).virtual_networks], [first.href, second.href])
    is_(ports.assign_native_vlan(eth1, second.id).native_virtual_network.href, second.href)
    assigned = ports.find_port_vlan_assignments(eth1).vlan_assignments
    is_([(a.vlan, a.native, a.state) for a in assigned], [(first.vxlan, False, "assigned"), (1234, True, "assigned")])
    is_(ports.find_port_vlan_assignment_by_port_id_and_assignment_id(eth1, assigned[0].id).vlan, first.vxlan)
    is_(ports.delete_native_vlan(eth1).native_virtual_network, None)
    is_([i.href for i in vlans.get_virtual_network(first.id).instances], [f"/metal/v1/devices/{kept['device']}"])
    refused(lambda: vlans.delete_virtual_network(first.id), 422)
    change = em.PortVlanAssignmentBatchCreateInputVlanAssignmentsInner
    wish = [change(vlan=first.id, state="unassigned"), change(vlan="1234", state="unassigned")]
    batch = ports.create_port_vlan_assignment_batch(eth1, em.PortVlanAssignmentBatchCreateInput(vlan_assignments=wish))
    find = lambda: ports.find_port_vlan_assignment_batch_by_port_id_and_batch_id(eth1, batch.id).state
    until("the batch is completed", lambda: find() == "completed")
    is_([b.id for b in ports.find_port_vlan_assignment_batches(eth1).batches], [batch.id])
    refused(lambda: ports.unassign_port(eth1, em.PortAssignInput(vnid=first.id)), 422, "not assigned")
    is_(ports.bond_port(eth1, bulk_enable=False).network_type, "layer3")


@thing
def a_device_goes_through_all_modes_and_comes_back():
    first, second = kept["vlans"]
    bond = port("bond0").id
    is_(ports.assign_port(bond, em.PortAssignInput(vnid=first)).network_type, "hybrid-bonded")
    ports.unassign_port(bond, em.PortAssignInput(vnid=first))
    is_(ports.convert_layer2(bond, em.PortAssignInput(vnid=first)).network_type, "layer2-bonded")
    is_([a for a in device().ip_addresses if a.management], [])
    wishes = [em.PortConvertLayer3InputRequestIpsInner(address_family=f, public=p) for f, p in ((4, True), (4, False), (6, True))]
    layer3 = lambda: ports.convert_layer3(bond, port_convert_layer3_input=em.PortConvertLayer3Input(request_ips=wishes))
    refused(layer3, 422)
    ports.unassign_port(bond, em.PortAssignInput(vnid=first))
    is_(ports.disbond_port(bond, bulk_disable=True).network_type, "layer2-individual")
    ports.assign_port(port("eth0").id, em.PortAssignInput(vnid=second))
    ports.unassign_port(port("eth0").id, em.PortAssignInput(vnid=second))
    is_(ports.bond_port(bond, bulk_enable=True).network_type, "layer2-bonded")
    is_(layer3().network_type, "layer3")
    is_((ports.find_port_by_id(bond).network_type, len(device().ip_addresses)), ("layer3", 3))


@thing
def a_network_is_given_a_gateway():
    first, second = kept["vlans"]
    wish = em.MetalGatewayCreateInput(virtual_network_id=first, private_ipv4_subnet_size=8)
    made = gateways.create_metal_gateway(kept["project"], em.CreateMetalGatewayRequest(wish)).actual_instance
    find = lambda: gateways.find_metal_gateway_by_id(made.id).actual_instance
    until("the gateway is ready", lambda: find().state in ("ready", "active"))
    is_([g.actual_instance.id for g in gateways.find_metal_gateways_by_project(kept["project"]).metal_gateways], [made.id])
    gateways.delete_metal_gateway(made.id)
    until("the gateway is gone", lambda: is_missing(find))
    for vlan in (first, second):
        until_done("the network is on nothing any more", lambda: vlans.delete_virtual_network(vlan), 422)
        missing(lambda: vlans.get_virtual_network(vlan))


@thing
def many_devices_are_ordered_together():
    wish = em.InstancesBatchCreateInputBatchesInner(
        hostname="many{{index}}", quantity=3, plan="baremetal_1", operating_system=SYSTEM, metro=METRO,
        facility=em.FacilityInputFacility(FACILITY),
    )
    ask = lambda one: batches.create_device_batch(kept["project"], em.InstancesBatchCreateInput(batches=[one]))
    batch = ask(wish).batches[0]
    done = until("the batch is completed", lambda: (b := batches.find_batch_by_id(batch.id)).state == "completed" and b)
    is_((len(done.devices), done.error_messages), (3, []))
    is_([b.id for b in batches.find_batches_by_project(kept["project"]).batches], [batch.id])
    is_(len(devices.find_project_devices_all_pages(kept["project"], search="many", per_page=2).devices), 3)
    refused(lambda: ask(wish.model_copy(update={"plan": "nosuch"})), 422, "plan")
    batches.delete_batch(batch.id, remove_associated_instances=True)
    missing(lambda: batches.find_batch_by_id(batch.id))
    is_(devices.find_project_devices(kept["project"], search="many").devices, [])


@thing
def a_server_of_ones_own_is_moved_and_used():
    home, other = (next(p for p in projects.find_projects(name=n).projects if p.name == n) for n in ("Project 1", "Project 2"))
    own = reservations.find_project_hardware_reservations(home.id).hardware_reservations[0]
    is_((own.provisionable, own.spare, own.plan.slug), (True, False, PLAN))
    move = lambda to: reservations.move_hardware_reservation(own.id, em.MoveHardwareReservationRequest(project_id=to))
    is_(move(other.id).project.href, other.href)
    is_([r.id for r in reservations.find_project_hardware_reservations_all_pages(other.id).hardware_reservations], [own.id])
    wish = em.DeviceCreateInMetroInput(metro=METRO, plan=PLAN, operating_system=SYSTEM, hardware_reservation_id="next-available")
    used = devices.create_device(other.id, em.CreateDeviceRequest(wish))
    is_(used.hardware_reservation.href, own.href)
    seen = reservations.find_hardware_reservation_by_id(own.id, include=["device"])
    is_((seen.provisionable, seen.device.id), (False, used.id))
    refused(lambda: move(home.id), 422)
    refused(lambda: reservations.activate_hardware_reservation(own.id), 422, "active")
    in_state("active", used.id)
    devices.delete_device(used.id)
    free = lambda: reservations.find_hardware_reservation_by_id(own.id).provisionable
    until("the server is wiped and can be used again", free)
    is_(move(home.id).project.href, home.href)


@thing
def the_spot_market_is_bought_from():
    reported = lambda: spot.find_spot_market_prices(facility=FACILITY, plan=PLAN).spot_market_prices
    until("there is a price", reported)
    price = raw_price()
    assert spot.find_metro_spot_market_prices(metro=METRO, plan=PLAN).spot_market_prices
    now = int(time.time())
    history = spot.find_spot_market_prices_history(FACILITY, PLAN, str(now - 3600), str(now + 60))
    assert history.prices_history is not None
    wish = em.SpotMarketRequestCreateInput(
        devices_min=1, devices_max=2, max_bid_price=price * 2, metro=METRO, end_at=datetime.now(timezone.utc) + timedelta(days=1),
        instance_parameters=em.SpotMarketRequestCreateInputInstanceParameters(
            plan=PLAN, operating_system=SYSTEM, hostname="spot", tags=["spot"]
        ),
    )
    request = spot.create_spot_market_request(kept["project"], wish)
    is_((request.devices_min, request.devices_max, request.metro.code), (1, 2, METRO))
    is_([r.id for r in spot.list_spot_market_requests(kept["project"]).spot_market_requests], [request.id])
    bought = lambda: [d for d in devices.find_project_devices(kept["project"], tag="spot").devices if d.state == "active"]
    both = until("both are bought", lambda: len(b := bought()) == 2 and b)
    is_([d.spot_instance for d in both], [True, True])
    spot.delete_spot_market_request(request.id, force_termination=True)
    missing(lambda: spot.find_spot_market_request_by_id(request.id))
    is_(devices.find_project_devices(kept["project"], tag="spot").devices, [])


def raw_price():
    """The price of an hour; the library's own model of prices names plans that are long gone, and drops the others."""
    answer = spot.find_spot_market_prices_without_preload_content(facility=FACILITY, plan=PLAN)
    return json.loads(answer.data)["spot_market_prices"][FACILITY][PLAN]["price"]


@thing
def a_device_ends_when_it_is_said_to():
    end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=3)
    short = order("short", termination_time=end)
    is_(short.termination_time, end)
    until("the device is gone", lambda: is_missing(lambda: devices.find_device_by_id(short.id)))


@thing
def a_device_is_removed():
    refused(lambda: projects.delete_project(kept["project"]), 422)
    devices.delete_device(kept["device"])
    is_(devices.find_project_devices(kept["project"]).devices, [])
    until("the device is no more", lambda: is_missing(device))
    until_done("the project is empty", lambda: projects.delete_project(kept["project"]), 422)
    missing(lambda: projects.find_project_by_id(kept["project"]))


run()
