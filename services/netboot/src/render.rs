//! dnsmasq's files.

use std::{fmt::Write as _, net::IpAddr, path::Path};

use meetme_base::MacAddr;

use crate::DhcpConfig;

/// A machine that is given an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// Any of its interfaces may ask; it is one machine, so it is one address.
    pub macs: Vec<MacAddr>,
    /// The address.
    pub address: IpAddr,
    /// Its name in the log.
    pub name: String,
}

/// The file that does not change.
pub(crate) fn configuration(dhcp: &DhcpConfig, base: &str, directory: &Path) -> String {
    let (network, mask, seconds) = (dhcp.network.network(), dhcp.network.netmask(), dhcp.lease_seconds);
    let file = |name: &str| directory.join(name).display().to_string();
    let mut out = String::from("# Written by Meetme; what is changed here is lost.\n");
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    // No name service.
    line("port=0".into());
    line(format!("interface={}", dhcp.interface));
    line("bind-interfaces".into());
    line("no-ping".into());
    line("dhcp-authoritative".into());
    line("log-dhcp".into());
    line(format!("user={}", dhcp.user));
    line(format!("dhcp-leasefile={}", file("leases")));
    line(format!("dhcp-hostsfile={}", file("hosts")));
    // Only who is in the file of hosts is answered at all.
    line(format!("dhcp-range={network},static,{mask},{seconds}"));
    line("dhcp-ignore=tag:!known".into());
    // An empty option says that there is none; without it dnsmasq would name itself.
    line(dhcp.router.map_or_else(|| "dhcp-option=option:router".into(), |r| format!("dhcp-option=option:router,{r}")));
    line("dhcp-option=option:dns-server".into());
    // iPXE says who it is (its user class), and goes on by HTTP. What is not iPXE gets it by TFTP, or by HTTP where UEFI can: with UEFI the one
    // that works with the firmware's own drivers, because it gives the card back whole when the disk is to be started from.
    line("dhcp-userclass=set:ipxe,iPXE".into());
    line("dhcp-match=set:uefi,option:client-arch,7".into());
    line("dhcp-match=set:uefi,option:client-arch,9".into());
    line("dhcp-match=set:http,option:client-arch,16".into());
    line("dhcp-option-force=tag:http,tag:!ipxe,option:vendor-class,HTTPClient".into());
    line(format!("dhcp-boot=tag:ipxe,{base}/auto.ipxe"));
    line(format!("dhcp-boot=tag:!ipxe,tag:http,{base}/files/snponly.efi"));
    if let Some(tftp) = &dhcp.tftp {
        line("enable-tftp".into());
        line(format!("tftp-root={}", tftp.display()));
        line("dhcp-boot=tag:!ipxe,tag:uefi,snponly.efi".into());
        line("dhcp-boot=tag:!ipxe,tag:!uefi,tag:!http,undionly.kpxe".into());
    }
    out
}

/// The file of hosts: a line each.
pub(crate) fn hosts(hosts: &[Host]) -> String {
    let mut out = String::new();
    for host in hosts {
        for mac in &host.macs {
            write!(out, "{mac},").unwrap_or_default();
        }
        // Writing into a String cannot fail.
        writeln!(out, "{},{}", host.address, host.name).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dhcp() -> DhcpConfig {
        DhcpConfig {
            interface: "eth1".into(),
            network: "198.18.0.0/24".parse().unwrap(),
            router: None,
            tftp: Some("/srv/tftp".into()),
            lease_seconds: 600,
            program: "dnsmasq".into(),
            user: "root".into(),
        }
    }

    #[test]
    fn only_entered_machines_are_answered_and_ipxe_goes_on_by_http() {
        insta::assert_snapshot!(configuration(&dhcp(), "http://198.18.0.1:8081", Path::new("/data/netboot")));
    }

    #[test]
    fn a_machine_is_one_host_whichever_interface_asks() {
        let mac = |last| MacAddr([2, 0, 0x5e, 0x10, 0, last]);
        let host = Host { macs: vec![mac(1), mac(2)], address: "198.18.0.65".parse().unwrap(), name: "s7".into() };
        assert_eq!(hosts(&[host]), "02:00:5e:10:00:01,02:00:5e:10:00:02,198.18.0.65,s7\n");
    }
}
