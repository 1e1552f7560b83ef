#!/bin/sh
# What udhcpc calls when it has an address, or has lost it.
case "$1" in
bound | renew)
    ip address flush dev "$interface"
    ip address add "$ip/${mask:-24}" dev "$interface"
    for way in $router; do
        # A way out that is not in the network itself is reached on the link.
        ip route replace "$way" dev "$interface"
        ip route replace default via "$way" dev "$interface"
        break
    done
    ;;
deconfig)
    ip address flush dev "$interface"
    ip link set "$interface" up
    ;;
esac
exit 0
