#!/usr/bin/env bash
# Builds a small disk image that starts by itself, for tests and for docs/bare-metal.md: one partition with boot loaders for BIOS and UEFI,
# a kernel and a system in memory (busybox, dropbear, BIRD) that does with its seed (NoCloud) what cloud-init would: name, keys, addresses,
# and calling home.
#
# usage: tests/metal/image.sh DIRECTORY FILE    DIRECTORY as install/build.sh made it; FILE.raw.gz and FILE.qcow2 are written
# needs: syslinux systemd-boot-efi mtools dosfstools fdisk cpio bird2 qemu-utils
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
system="${1:?usage: image.sh DIRECTORY FILE}"
out="${2:?usage: image.sh DIRECTORY FILE}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export PATH="$PATH:/usr/sbin:/sbin"

# The same programs and modules as the system in memory, with a beginning of its own.
mkdir "$work/root"
(cd "$work/root" && gzip -dc <"$system/initrd" | cpio -i --quiet)
install -m 755 "$here/init" "$work/root/init"
for program in bird birdc; do
    file="$(command -v "$program")"
    install -D -m 755 "$file" "$work/root/sbin/$program"
    ldd "$file" | grep -o '/[^ )]*' | while read -r library; do
        install -D -m 755 "$library" "$work/root$library"
    done
done
(cd "$work/root" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$work/initrd"

size=32 # MiB
truncate -s "$((size - 1))M" "$work/part"
mkdosfs -F 16 -n SYSTEM "$work/part" >/dev/null
printf 'DEFAULT x\nPROMPT 0\nTIMEOUT 0\nLABEL x\nKERNEL vmlinuz\nAPPEND initrd=initrd console=ttyS0 quiet\n' >"$work/syslinux.cfg"
mcopy -i "$work/part" "$system/vmlinuz" "$work/initrd" "$work/syslinux.cfg" ::
syslinux --install "$work/part"
printf 'timeout 0\n' >"$work/loader.conf"
printf 'title x\nlinux /vmlinuz\ninitrd /initrd\noptions console=ttyS0 quiet\n' >"$work/x.conf"
mmd -i "$work/part" ::/EFI ::/EFI/BOOT ::/loader ::/loader/entries
mcopy -i "$work/part" /usr/lib/systemd/boot/efi/systemd-bootx64.efi ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$work/part" "$work/loader.conf" ::/loader/loader.conf
mcopy -i "$work/part" "$work/x.conf" ::/loader/entries/x.conf
truncate -s "${size}M" "$work/disk"
echo 'start=2048, type=e, bootable' | sfdisk -q "$work/disk"
dd if="$work/part" of="$work/disk" bs=1M seek=1 conv=notrunc status=none
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$work/disk" conv=notrunc status=none
gzip -1 <"$work/disk" >"$out.raw.gz"
qemu-img convert -q -f raw -O qcow2 -c "$work/disk" "$out.qcow2"
for file in "$out.raw.gz" "$out.qcow2"; do
    echo "image: $file $(sha256sum <"$file" | cut -d ' ' -f 1)"
done
