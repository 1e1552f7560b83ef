#!/usr/bin/env bash
# Installs the programs that the tests use, on Debian as root; elsewhere names those that are missing and what for.
# A test whose program is missing says SKIPPED, so this never fails the run for the lack of one.
#
# No daemon is started by installing it: the tests start their own, unprivileged or in namespaces of their own.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

# package | how to see that it is there | what it is for
needs='
bird2|command -v bird && command -v birdc|the BIRD agent against a real daemon
frr|test -x /usr/lib/frr/bgpd && command -v vtysh|the FRR agent, and a peer for the other daemons
frr-pythontools|test -f /usr/lib/frr/frr-reload.py|the reloader with which the FRR agent takes away what somebody added by hand
bgpq4|command -v bgpq4|what routing registries say of a set
openbgpd|command -v bgpd && command -v bgpctl|the OpenBGPD agent against a real daemon
exabgp|command -v exabgp|a peer that announces what a test wants
gobgpd|command -v gobgpd && command -v gobgp|the GoBGP agent against a real daemon
iproute2|command -v ip|network namespaces and links of the labs
iputils-ping|command -v ping|whether packets cross a circuit
python3-venv|/usr/bin/python3 -c "import venv, ensurepip"|third-party clients of the Python package index
python3-requests|/usr/bin/python3 -c "import requests"|clients that are Python scripts
jq|command -v jq|reading answers in the scripts of third-party clients
wrk|command -v wrk|load for the measurements
qemu-system-x86|command -v qemu-system-x86_64|a server that is installed over the network
ipxe-qemu|test -e /usr/lib/ipxe/qemu/efi-virtio.rom -o -e /usr/share/qemu/pxe-virtio.rom|what the network card of that server starts with
ovmf|test -e /usr/share/ovmf/OVMF.fd|a server with the firmware that new servers have
ipxe|test -e /usr/lib/ipxe/snponly.efi|what that firmware fetches over the network
dnsmasq-base|command -v dnsmasq|addresses for servers that start over the network
busybox-static|busybox modprobe --help|the system that servers run from memory
dropbear-bin|command -v dropbear|logging in to that system
cpio|command -v cpio|packing that system
kmod|command -v depmod|which drivers that system takes along
fdisk|command -v sfdisk|partitions of the disks of servers
dosfstools|command -v mkfs.fat|what a server reads at its first start
mtools|command -v mcopy|an image that is installed
qemu-utils|command -v qemu-img|images of servers in the form qcow2
systemd-boot-efi|test -e /usr/lib/systemd/boot/efi/systemd-bootx64.efi|an image that starts from a disk by UEFI
syslinux|command -v syslinux|an image that starts from a disk
syslinux-common|test -e /usr/lib/syslinux/mbr/mbr.bin|an image that starts from a disk
openssh-server|test -x /usr/sbin/sshd|repositories that are read over SSH
openssh-client|command -v ssh|logging in to a server that was installed
postgresql|ls /usr/lib/postgresql/*/bin/initdb|the second store: the tests start a cluster of their own
curl|command -v curl|clients that are shell scripts
ca-certificates|test -s /etc/ssl/certs/ca-certificates.crt|clients that speak TLS
'

# Prints the lines of what is missing.
missing() {
    local package probe purpose
    while IFS='|' read -r package probe purpose; do
        if [ -n "$package" ] && ! (eval "$probe") >/dev/null 2>&1; then
            printf '%s|%s\n' "$package" "$purpose"
        fi
    done <<<"$needs"
}

# Prints each missing package with its purpose.
name() {
    local package purpose
    while IFS='|' read -r package purpose; do
        printf 'install: %-16s is missing: %s\n' "$package" "$purpose"
    done <<<"$1"
}

lacking="$(missing)"
if [ -z "$lacking" ]; then
    echo "install: everything the tests use is there"
    exit 0
fi
if [ "$(id -u)" != 0 ] || [ ! -e /etc/debian_version ] || ! command -v apt-get >/dev/null; then
    name "$lacking"
    echo "install: only root on Debian can install them; the tests that need them will say SKIPPED"
    exit 0
fi

# Debian starts what it installs unless a policy says no. Ours lasts as long as this script.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
mapfile -t packages < <(cut -d '|' -f 1 <<<"$lacking")
echo "install: ${packages[*]}"
apt-get update -q || echo "install: the package lists could not be refreshed"
# All together if possible, else one by one, so that a package that cannot be had does not keep the others away.
if ! apt-get install -q -y --no-install-recommends "${packages[@]}"; then
    for package in "${packages[@]}"; do
        apt-get install -q -y --no-install-recommends "$package" || true
    done
fi

lacking="$(missing)"
if [ -n "$lacking" ]; then
    name "$lacking"
    echo "install: the tests that need them will say SKIPPED"
fi
