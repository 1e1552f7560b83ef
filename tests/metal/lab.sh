#!/usr/bin/env bash
# A place with one empty server on one machine, for docs/bare-metal.md: a network namespace with the machines' network in it, and in it a
# QEMU machine that is off, behind a management controller (tests/machine). Root only.
#
#   tests/metal/lab.sh up DIR      starts it and keeps everything in DIR
#   tests/metal/lab.sh down DIR    stops it and removes the namespace
#
#   SPACE=NAME       the namespace, mm-metal without
#   FIRMWARE=FILE    the machine's firmware, an image of UEFI; a BIOS without
#
# needs: qemu-system-x86 ipxe-qemu iproute2, and meetme-testmachine on the path
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

action="${1:-}"
dir="${2:-}"
if [ -z "$dir" ] || { [ "$action" != up ] && [ "$action" != down ]; }; then
    sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
fi
space="${SPACE:-mm-metal}"

down() {
    local file
    for file in "$dir"/*.pid; do
        if [ -s "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
    done
    if ip netns list | grep -q "^$space\b"; then
        for pid in $(ip netns pids "$space"); do kill "$pid" 2>/dev/null || true; done
        ip netns del "$space" 2>/dev/null || true
    fi
}

if [ "$action" = down ]; then
    down
    exit 0
fi

mkdir -p "$dir/machine"
down
ip netns add "$space"
ip -n "$space" link set lo up
ip -n "$space" link add boot type bridge
# Whoever is on it is heard at once: nothing here can make a loop.
ip -n "$space" link set boot type bridge stp_state 0 forward_delay 0
ip -n "$space" addr add 198.18.0.1/24 dev boot
ip -n "$space" link set boot up
ip netns exec "$space" ip tuntap add dev server1 mode tap
ip -n "$space" link set server1 master boot up
truncate -s 128M "$dir/machine/disk.raw"
ip netns exec "$space" meetme-testmachine --listen 127.0.0.1:8443 --login operator:s3cret --serial QEMU-0001 \
    --mac 52:54:00:aa:bb:07 --tap server1 --disk "$dir/machine/disk.raw" --directory "$dir/machine" \
    ${FIRMWARE:+--firmware "$FIRMWARE"} \
    >"$dir/machine/controller.log" 2>&1 &
echo $! >"$dir/machine.pid"
for _ in $(seq 100); do
    if ip netns exec "$space" curl -fs -o /dev/null http://127.0.0.1:8443/redfish/v1/; then
        echo "lab: a server that is off stands behind http://127.0.0.1:8443 in the namespace $space"
        exit 0
    fi
    sleep 0.1
done
echo "lab: the controller does not answer" >&2
cat "$dir/machine/controller.log" >&2
exit 1
