"""What people do with apache-libcloud's driver `equinixmetal`, done to a running server whose HTTPS is at $DOOR (host and port), with
$TOKEN.

The driver takes no host when it is made; its connection has one, which is set afterwards. $SSL_CERT_FILE names the certificate it is
to trust. Each function is one thing and its name says what holds. They run in the order they stand in.

What the driver cannot do itself, and is therefore not here: batches, reservations of hardware, the spot market, networks and ports, volumes,
changes of projects, and listing nodes of all projects (it defines a coroutine in a way that Python gave up). It takes 200 alone for
success of an action: whatever is accepted with 202, or done with 204, it calls False, and what came of it is looked up.
"""

import base64
import os
import sys
import time

from libcloud.common.types import InvalidCredsError
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from things import is_, run, thing, until

HOST, PORT = os.environ["DOOR"].rsplit(":", 1)
METRO, SIZE, IMAGE = "sv", "baremetal_1", "ubuntu_22_04"

#: What later things need of earlier ones.
kept = {}


def connected(token, project=None):
    driver = get_driver(Provider.EQUINIXMETAL)(token, project=project)
    driver.connection.host, driver.connection.port = HOST, int(PORT)
    # It was connected when it was made.
    driver.connection.connect()
    return driver


driver = connected(os.environ["TOKEN"], "Project 1")


def refused(call, words=""):
    """What a call is refused with: the driver raises nothing more special than an exception that holds the list of errors."""
    try:
        call()
    except Exception as error:  # noqa: BLE001
        assert type(error) is Exception, error
        assert words in str(error), error
        return error
    raise AssertionError("it was not refused")


def public_key(n):
    """The public half of a key that nobody has the other half of."""
    body = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes([n] * 32)
    return f"ssh-ed25519 {base64.b64encode(body).decode()} client{n}"


def node():
    """The node as it is now."""
    return next(node for node in driver.list_nodes() if node.id == kept["node"].id)


def in_state(state):
    return until(f"the node is {state}", lambda: (n := node()).state == state and n)


@thing
def the_projects_are_found():
    is_([p.name for p in driver.projects], ["Project 1", "Project 2"])
    is_(driver.project_id, driver.projects[0].id)
    kept["project"] = driver.projects[0]


@thing
def without_a_good_token_nobody_gets_in():
    try:
        connected("0" * 40).ex_list_projects()
    except InvalidCredsError as error:
        assert str(error), "the error says something"
        return
    raise AssertionError("somebody got in")


@thing
def the_catalogue_is_read():
    metros = {location.extra["code"]: location for location in driver.list_locations()}
    is_(metros[METRO].name, "Silicon Valley")
    images = {image.id: image for image in driver.list_images()}
    is_((images[IMAGE].name, images[IMAGE].extra["version"]), ("Ubuntu 22.04 LTS", "22.04"))
    sizes = {size.id: size for size in driver.list_sizes()}
    size = sizes[SIZE]
    is_((size.ram, size.disk, size.price, size.extra["cpus"], size.extra["line"]), (32 * 1024, 240, 0.4, 1, "baremetal"))
    is_(sizes["baremetal_s"].disk, 24_000)
    kept.update(location=metros[METRO], image=images[IMAGE], size=size)


@thing
def key_pairs_are_made_and_removed():
    key = driver.create_key_pair("client", public_key(3))
    is_((key.extra["label"], key.public_key), ("client", public_key(3)))
    assert key.name in [k.name for k in driver.list_key_pairs()]
    refused(lambda: driver.create_key_pair("again", public_key(3)))
    is_(driver.delete_key_pair(key), True)
    assert key.name not in [k.name for k in driver.list_key_pairs()]
    refused(lambda: driver.delete_key_pair(key), "Not found")


@thing
def a_node_is_made_and_comes_up():
    made = driver.create_node("web1", kept["size"], kept["image"], kept["location"], cloud_init="#cloud-config\n", tags=["web"])
    is_((made.name, made.state, made.size.id, made.image.id), ("web1", NodeState.PENDING, SIZE, IMAGE))
    is_(made.extra["userdata"], "#cloud-config\n")
    kept["node"] = made
    up, public = driver.wait_until_running([made], wait_period=0.2, timeout=30)[0]
    is_((up.id, up.state), (made.id, NodeState.RUNNING))
    is_((len(up.public_ips), len(up.private_ips), public), (2, 1, up.public_ips[:1]))
    is_((up.extra["metro"]["code"], up.extra["plan"]), (METRO, SIZE))
    is_([n.id for n in driver.ex_list_nodes_for_project(kept["project"].id)], [made.id])


@thing
def what_cannot_be_made_is_refused_in_words():
    arguments = kept["size"], kept["image"], kept["location"]
    refused(lambda: driver.create_node("bad name", *arguments), "hostname")
    refused(lambda: driver.create_node("x", *arguments, features=["sauna"]), "with sauna at sjc1")
    # What is added to an order goes with it; a list of wishes about addresses too.
    refused(lambda: driver.create_node("x", *arguments, ip_addresses=[{"address_family": 5, "public": True}]), "ip_addresses")
    is_(len(driver.list_nodes()), 1)


@thing
def a_node_is_changed_in_the_query():
    is_(driver.ex_update_node(kept["node"], description="A web server", hostname="web2", locked=True), True)
    changed = node()
    is_((changed.name, changed.extra["description"], changed.extra["locked"]), ("web2", "A web server", True))
    refused(lambda: driver.destroy_node(changed), "locked")
    is_(driver.ex_update_node(changed, locked=False), True)
    refused(lambda: driver.ex_update_node(changed, billing_cycle="never"), "billing_cycle")


@thing
def power_is_switched():
    refused(lambda: driver.start_node(kept["node"]), "must be powered off")
    is_(driver.stop_node(kept["node"]), False)
    in_state(NodeState.STOPPED)
    refused(lambda: driver.reboot_node(kept["node"]), "must be powered on")
    is_(driver.ex_start_node(kept["node"]), False)
    in_state(NodeState.RUNNING)
    is_(driver.reboot_node(kept["node"]), False)
    is_(node().state, NodeState.REBOOTING)
    in_state(NodeState.RUNNING)
    is_(driver.ex_rescue_node(kept["node"]), False)
    in_state(NodeState.RUNNING)
    is_(driver.ex_reinstall_node(kept["node"]), False)
    # The driver does not know the word for it.
    is_(node().state, NodeState.UNKNOWN)
    in_state(NodeState.RUNNING)


@thing
def events_are_listed_page_by_page():
    first = driver.ex_list_events_for_node(kept["node"], per_page=5)
    is_((len(first["events"]), first["meta"]["current_page"]), (5, 1))
    pages = [driver.ex_list_events_for_node(kept["node"], page=n, per_page=5) for n in range(1, first["meta"]["last_page"] + 1)]
    types = [event["type"] for page in pages for event in page["events"]]
    is_((len(types), types[-1]), (first["meta"]["total"], "instance.queued"))
    assert {"power.200", "power.202", "power.203", "power.204", "provisioning.109"} <= set(types), types
    project = driver.ex_list_events_for_project(kept["project"], include="user", per_page=1000)
    assert "instance.queued" in [event["type"] for event in project["events"]]


@thing
def bandwidth_is_told():
    now = int(time.time())
    told = driver.ex_get_node_bandwidth(kept["node"], now - 600, now)["bandwidth"]
    is_([series["target"] for series in told], ["inbound", "outbound"])
    assert len(told[0]["datapoints"]) >= 10


@thing
def addresses_are_reserved_and_associated():
    project = kept["project"].id
    own = driver.ex_list_ip_assignments_for_node(kept["node"])["ip_addresses"]
    is_([ip["management"] for ip in own], [True] * 3)
    block = driver.ex_request_address_reservation(project, METRO, "public_ipv4", 4, comments="Four", customdata='{"a": 1}')
    is_((block["cidr"], block["metro"]["code"], block["customdata"]), (30, METRO, {"a": 1}))
    is_(driver.ex_describe_address(block["id"])["network"], block["network"])
    one = driver.ex_associate_address_with_node(kept["node"], f"{block['network']}/32")
    is_((one["address"], one["assigned_to"]["href"].rsplit("/", 1)[-1]), (block["network"], kept["node"].id))
    used = driver.ex_describe_all_addresses_for_project(project, only_associated=True)
    assert block["id"] in [a["id"] for a in used]
    assert block["id"] in [a["id"] for a in driver.ex_describe_all_addresses()]
    refused(lambda: driver.ex_disassociate_address(block["id"]))
    driver.ex_disassociate_address(one["id"])
    driver.ex_disassociate_address(block["id"])
    refused(lambda: driver.ex_describe_address(block["id"]), "Not found")
    anywhere = driver.ex_request_address_reservation(project)
    is_((anywhere["type"], anywhere["cidr"]), ("global_ipv4", 32))
    driver.ex_disassociate_address(anywhere["id"])
    refused(lambda: driver.ex_request_address_reservation(project, METRO, "nosuch"), "type")


@thing
def sessions_are_opened_once_the_project_speaks_bgp():
    refused(lambda: driver.ex_create_bgp_session(kept["node"]))
    # The driver asks for sessions and cannot ask for BGP itself; the raw request goes over its connection.
    body = {"deployment_type": "local", "asn": 65000}
    driver.connection.request(f"/metal/v1/projects/{kept['project'].id}/bgp-configs", params=body, method="POST")
    is_([config["status"] for config in driver.ex_get_bgp_config()], ["enabled"])
    session = driver.ex_create_bgp_session(kept["node"], "ipv6")
    is_((session["address_family"], session["default_route"]), ("ipv6", False))
    is_(driver.ex_get_bgp_session(session["id"])["id"], session["id"])
    is_([s["id"] for s in driver.ex_list_bgp_sessions_for_node(kept["node"])["bgp_sessions"]], [session["id"]])
    is_([s["id"] for s in driver.ex_list_bgp_sessions()], [session["id"]])
    is_(driver.ex_delete_bgp_session(session["id"]), False)
    is_(driver.ex_list_bgp_sessions(), [])


@thing
def a_node_is_removed():
    is_(driver.destroy_node(kept["node"]), False)
    is_(driver.list_nodes(), [])


run()
