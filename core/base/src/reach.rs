//! Which addresses a server may call on behalf of people: those of the Internet at large, and those that the operator opened. A
//! customer's address must not lead to the machine itself or to what stands beside it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What may be called. By itself: only addresses that are anybody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Networks that are open besides.
    pub allow: Vec<IpNet>,
}

impl Reach {
    /// Whether this address may be called.
    pub fn permits(&self, ip: IpAddr) -> bool {
        let ip = plain(ip);
        is_public(ip) || self.allow.iter().any(|net| net.contains(&ip))
    }
}

/// An address that carries another one stands for that one: mapped (RFC 4291), translated (RFC 6052), 6to4 (RFC 3056).
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => v4(g, h),
        (0x2002, ..) => v4(b, c),
        _ => ip,
    }
}

/// Whether an address is one of the Internet's. The special ones are those of RFC 6890 and its registries.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public4(v4),
        IpAddr::V6(v6) => is_public6(v6),
    }
}

fn is_public4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!((a, b, c), (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99));
    !(special
        || a == 0
        || a >= 224
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only 2000::/3 is given out; of it, these are kept for protocols and for books.
    (a & 0xe000) == 0x2000 && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8)) && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_anybodys_is_not_called() {
        let reach = Reach::default();
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
        ] {
            assert!(!reach.permits(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "198.20.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "2001:470::1"] {
            assert!(reach.permits(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn the_operator_opens_networks() {
        let reach = Reach { allow: vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()] };
        for open in ["10.1.2.3", "::ffff:10.1.2.3", "::1"] {
            assert!(reach.permits(open.parse().unwrap()), "{open}");
        }
        assert!(!reach.permits("192.168.1.1".parse().unwrap()));
    }
}
