#!/usr/bin/env bash
# A small internet exchange on one machine, for docs/peering.md: one LAN, a router of ours that nobody has configured yet, four members
# that wait for us, and a PeeringDB and an IRR that know them. Network namespaces and real daemons; root only.
#
#   tests/exchange/exchange.sh up DIR      starts it and keeps everything in DIR
#   tests/exchange/exchange.sh down DIR    stops it and removes the namespaces
#
# needs: bird2 frr iproute2 python3
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
action="${1:-}"
dir="${2:-}"
if [ -z "$dir" ] || { [ "$action" != up ] && [ "$action" != down ]; }; then
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
fi

# Namespaces, and who is at which end of the exchange's addresses.
spaces='mmx-lan mmx-edge mmx-one mmx-two mmx-three mmx-four'

down() {
    local file space
    for file in "$dir"/*.pid "$dir"/frr/*.pid; do
        if [ -s "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
    done
    for space in $spaces; do ip netns del "$space" 2>/dev/null || true; done
}

# A namespace with a leg on the exchange's LAN.
member() {
    local space="$1" number="$2"
    ip netns add "$space"
    ip -n "$space" link set lo up
    ip -n mmx-lan link add "port$number" type veth peer name eth0 netns "$space"
    ip -n mmx-lan link set "port$number" master lan up
    ip -n "$space" addr add "192.0.2.$number/24" dev eth0
    ip -n "$space" addr add "2001:db8:0:1::$number/64" dev eth0 nodad
    ip -n "$space" link set eth0 up
}

# A member that runs BIRD: it announces prefixes of its own and takes what we send.
bird_member() {
    local space="$1" number="$2" asn="$3" v4="$4" v6="$5" name="${1#mmx-}"
    member "$space" "$number"
    cat >"$dir/$name.conf" <<EOF
log "$dir/$name.log" all;
router id 192.0.2.$number;
protocol device {}
protocol static own4 { ipv4; $(for net in $v4; do echo "route $net blackhole;"; done) }
protocol static own6 { ipv6; $(for net in $v6; do echo "route $net blackhole;"; done) }
template bgp meetme {
    local as $asn; connect delay time 1; connect retry time 2; error wait time 1, 4; hold time 30;
}
protocol bgp meetme4 from meetme { neighbor 192.0.2.1 as 4199000000; ipv4 { import all; export all; }; }
protocol bgp meetme6 from meetme { neighbor 2001:db8:0:1::1 as 4199000000; ipv6 { import all; export all; }; }
EOF
    ip netns exec "$space" bird -c "$dir/$name.conf" -s "$dir/$name.ctl" -P "$dir/$name.pid"
}

# A member that runs FRR.
frr_member() {
    local space="$1" number="$2" asn="$3" v4="$4" v6="$5" daemon
    member "$space" "$number"
    mkdir -p "$dir/frr"
    touch "$dir/frr/vtysh.conf"
    chown -R frr:frr "$dir/frr"
    for daemon in zebra bgpd; do
        ip netns exec "$space" "/usr/lib/frr/$daemon" -d --vty_socket "$dir/frr" -i "$dir/frr/$daemon.pid" \
            -z "$dir/frr/zserv.api" -A 127.0.0.1 -P 0 --log "file:$dir/frr/$daemon.log"
    done
    cat >"$dir/two.conf" <<EOF
route-map ALL permit 10
exit
router bgp $asn
 bgp router-id 192.0.2.$number
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor 192.0.2.1 remote-as 4199000000
 neighbor 192.0.2.1 timers connect 2
 neighbor 2001:db8:0:1::1 remote-as 4199000000
 neighbor 2001:db8:0:1::1 timers connect 2
 address-family ipv4 unicast
  network $v4
  neighbor 192.0.2.1 activate
  neighbor 192.0.2.1 route-map ALL in
  neighbor 192.0.2.1 route-map ALL out
 exit-address-family
 address-family ipv6 unicast
  network $v6
  neighbor 2001:db8:0:1::1 activate
  neighbor 2001:db8:0:1::1 route-map ALL in
  neighbor 2001:db8:0:1::1 route-map ALL out
 exit-address-family
exit
EOF
    vtysh --vty_socket "$dir/frr" -f "$dir/two.conf"
}

up() {
    mkdir -p "$dir"
    dir="$(cd "$dir" && pwd)"
    chmod 755 "$dir"
    down
    ip netns add mmx-lan
    ip -n mmx-lan link add lan type bridge
    ip -n mmx-lan link set lan up
    # Our router: BIRD with nothing in it but a name. Meetme writes the rest.
    member mmx-edge 1
    printf 'log "%s/edge.log" all;\nrouter id 192.0.2.1;\nprotocol device {}\n' "$dir" >"$dir/edge.conf"
    ip netns exec mmx-edge bird -c "$dir/edge.conf" -s "$dir/edge.ctl" -P "$dir/edge.pid"
    # The third member announces more than its set of the IRR holds.
    bird_member mmx-one 11 4199000001 '203.0.113.0/24' '2001:db8:1100::/40'
    frr_member mmx-two 12 4199000002 '198.51.100.0/24' '2001:db8:1200::/40'
    bird_member mmx-three 13 4199000003 '198.18.13.0/24 198.18.99.0/24' '2001:db8:1300::/40'
    bird_member mmx-four 14 4199000004 '198.18.14.0/24' '2001:db8:1400::/40'
    for service in peeringdb irr; do
        python3 "$here/$service.py" >"$dir/$service.log" 2>&1 &
        echo $! >"$dir/$service.pid"
    done
    cp "$here/roas.json" "$dir/roas.json"
    cat <<EOF
The exchange is up.
  our router   BIRD, control socket $dir/edge.ctl, configuration $dir/edge.conf, addresses 192.0.2.1 and 2001:db8:0:1::1
  PeeringDB    http://127.0.0.1:18090/api
  IRR          127.0.0.1 port 18043
  ROAs         $dir/roas.json
EOF
}

case "$action" in
up) up ;;
down) down ;;
esac
