#!/usr/bin/env bash
# Builds the system that machines run from memory while they are installed, rescued or wiped: DIRECTORY/vmlinuz and DIRECTORY/initrd,
# and DIRECTORY/qcow2.tar.gz, which only the installation of an image of that form fetches.
# Everything in it is Debian's: a kernel package that is unpacked and never installed, busybox, dropbear, sfdisk, mkfs.fat and qemu-img.
#
# usage: install/build.sh DIRECTORY
#   KERNEL=PACKAGE     the kernel to fetch (default linux-image-cloud-amd64, for virtual machines; linux-image-amd64 for real ones)
#   KERNEL_TREE=DIR    an unpacked kernel package (boot/ and lib/modules/) in place of fetching one
#   EXTRA=DIR          files that are laid over the system's own, such as firmware in lib/firmware
# needs: busybox-static cpio kmod dropbear-bin dosfstools fdisk qemu-utils, and apt-get with a source of packages where no tree is given
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="${1:?usage: install/build.sh DIRECTORY}"
mkdir -p "$out"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export PATH="$PATH:/usr/sbin:/sbin"

# What a server's disks and cards need. What a kernel does not have as a module is left out; modules that these need come along.
modules='
virtio_pci virtio_net virtio_blk virtio_scsi
nvme ahci sd_mod megaraid_sas mpt3sas hpsa smartpqi
e1000 e1000e igb igc ixgbe i40e ice bnxt_en bnx2x mlx4_en mlx5_core tg3 r8169 be2net
vfat nls_cp437 nls_ascii nls_utf8 nls_iso8859-1 ext4 xfs
'

tree="${KERNEL_TREE:-}"
if [ -z "$tree" ]; then
    package="${KERNEL:-linux-image-cloud-amd64}"
    (
        cd "$work"
        apt-get download -q "$package" >/dev/null
        # The package itself is empty and names the one with the kernel.
        real="$(dpkg-deb -f "$package"_*.deb Depends | tr ',' '\n' | awk '$1 ~ /^linux-image-/ {print $1; exit}')"
        if [ -n "$real" ]; then
            rm "$package"_*.deb
            apt-get download -q "$real" >/dev/null
        fi
        dpkg-deb -x linux-image-*.deb tree
    )
    tree="$work/tree"
fi
version="$(ls "$tree/lib/modules")"
root="$work/root"
mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,run,mnt,etc/dropbear,root/.ssh,lib/modules/"$version"}

cp "$(command -v busybox)" "$root/bin/busybox"
if "$root/bin/busybox" modprobe --help 2>&1 | grep -q 'applet not found'; then
    echo "build: this busybox has no modprobe; install busybox-static" >&2
    exit 1
fi

# Modules by name, each with those that it needs, and the tables by which a machine finds its own.
depmod -b "$tree" "$version"
for module in $modules; do
    modprobe -d "$tree" -S "$version" --show-depends "$module" 2>/dev/null | awk '$1 == "insmod" {print $2}' || true
done | sort -u | while read -r file; do
    install -D -m 644 "$file" "$root/lib/modules/$version/kernel/${file#*/kernel/}"
done
for table in modules.order modules.builtin modules.builtin.modinfo; do
    if [ -e "$tree/lib/modules/$version/$table" ]; then
        cp "$tree/lib/modules/$version/$table" "$root/lib/modules/$version/"
    fi
done
depmod -b "$root" "$version"

# Puts a program into a directory, with the libraries it loads.
carry() {
    local file
    file="$(command -v "$2")"
    install -D -m 755 "$file" "$1/sbin/$2"
    ldd "$file" | grep -o '/[^ )]*' | while read -r library; do
        install -D -m 755 "$library" "$1$library"
    done
}

for program in dropbear sfdisk mkfs.fat; do
    carry "$root" "$program"
done
# Its libraries weigh as much as all the rest, and few installations need them.
carry "$work/qcow2" qemu-img
tar -C "$work/qcow2" --owner=0 --group=0 -czf "$out/qcow2.tar.gz.new" .

install -m 755 "$here/init" "$root/init"
install -m 755 "$here/dhcp.sh" "$root/etc/dhcp.sh"
echo 'root:*:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
echo /bin/sh >"$root/etc/shells"
chmod 700 "$root/root" "$root/root/.ssh"
if [ -n "${EXTRA:-}" ]; then
    cp -a "$EXTRA/." "$root/"
fi

(cd "$root" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -6) >"$out/initrd.new"
cp "$tree/boot/vmlinuz-$version" "$out/vmlinuz.new"
chmod 644 "$out/initrd.new" "$out/vmlinuz.new" "$out/qcow2.tar.gz.new"
mv "$out/initrd.new" "$out/initrd"
mv "$out/vmlinuz.new" "$out/vmlinuz"
mv "$out/qcow2.tar.gz.new" "$out/qcow2.tar.gz"
echo "build: $out/vmlinuz ($version) and $out/initrd ($(wc -c <"$out/initrd") bytes)"
