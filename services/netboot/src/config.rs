//! The part of the configuration about machines that start: `[metal]`.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use meetme_base::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

/// Where machines ask what to start from and who they are. A listener of its own, because it takes no credential: who asks is known
/// by the address they ask from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses for plain HTTP, in the machines' network. Default none, and no machine is answered.
    pub listen: Vec<SocketAddr>,
    /// The address under which machines reach this: `http://198.18.0.1:8081`. Default: the first of `listen`.
    pub url: Option<String>,
    /// The site whose machines ask here, by its short name. Default: those of every site, which then must not have addresses in common.
    pub site: Option<String>,
    /// Networks whose `X-Forwarded-For` and `X-Real-IP` are believed. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// The directory with the installation system (`vmlinuz` and `initrd`) and whatever else machines may fetch. Default none.
    pub files: Option<PathBuf>,
    /// What the installation system's kernel is told besides. Default `console=tty0 console=ttyS0,115200 quiet`.
    pub arguments: String,
    /// Addresses for machines that start, handed out by dnsmasq. Default none: somebody else does.
    pub dhcp: Option<DhcpConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            url: None,
            site: None,
            trusted_proxies: Vec::new(),
            files: None,
            arguments: "console=tty0 console=ttyS0,115200 quiet".to_owned(),
            dhcp: None,
        }
    }
}

/// dnsmasq, which is started and kept running by the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DhcpConfig {
    /// The interface to the machines' network.
    pub interface: String,
    /// That network. Addresses are taken from the pools of the site with the purpose `machine_boot`, which lie in it.
    pub network: Ipv4Net,
    /// The way out of it. Default none.
    #[serde(default)]
    pub router: Option<Ipv4Addr>,
    /// The directory with `undionly.kpxe` and, for UEFI, `snponly.efi`, for cards whose own program is not iPXE. Default none, and such
    /// cards do not get further, unless they fetch by HTTP: then `snponly.efi` is taken from `files`.
    #[serde(default)]
    pub tftp: Option<PathBuf>,
    /// How long an address is lent, in seconds. Default 3600.
    #[serde(default = "hour")]
    pub lease_seconds: u32,
    /// The program. Default `dnsmasq`, as the system finds it.
    #[serde(default = "dnsmasq")]
    pub program: PathBuf,
    /// Whom the program runs as once it has its ports; it must be able to read its files in the data directory. Default `root`.
    #[serde(default = "root")]
    pub user: String,
}

const fn hour() -> u32 {
    3600
}

fn dnsmasq() -> PathBuf {
    PathBuf::from("dnsmasq")
}

fn root() -> String {
    "root".to_owned()
}

impl DhcpConfig {
    /// Addresses of the network that are somebody's already.
    pub(crate) fn taken(&self, listen: &[SocketAddr]) -> BTreeSet<IpAddr> {
        let ours = listen.iter().map(SocketAddr::ip);
        ours.chain(self.router.map(IpAddr::V4))
            .chain([self.network.network().into(), self.network.broadcast().into()])
            .collect()
    }
}

impl Config {
    /// Whether anything is to be answered.
    pub const fn is_on(&self) -> bool {
        !self.listen.is_empty()
    }

    /// Where machines reach this listener.
    pub fn base(&self) -> String {
        let first = || self.listen.first().map(|at| format!("http://{at}")).unwrap_or_default();
        self.url.clone().unwrap_or_else(first).trim_end_matches('/').to_owned()
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// Names the key that cannot.
    pub fn check(&self) -> Result<(), String> {
        let Some(dhcp) = &self.dhcp else { return Ok(()) };
        if self.site.is_none() {
            return Err("metal.site: name the site whose machines are given addresses".to_owned());
        }
        if !self.is_on() {
            return Err("metal.listen: machines that are given addresses must be answered too".to_owned());
        }
        if self.url.is_none() && self.listen.first().is_some_and(|at| at.ip().is_unspecified()) {
            return Err("metal.url: say how machines reach a listener on every address".to_owned());
        }
        // These are lines of a file in which a line is a setting.
        let texts = [&dhcp.interface, &dhcp.user, &self.base()];
        let paths = [dhcp.tftp.as_deref(), Some(dhcp.program.as_path())];
        let is_odd = |text: &str| text.is_empty() || text.chars().any(|c| c.is_control() || c == ',');
        if texts.iter().any(|text| is_odd(text)) || paths.iter().flatten().any(|path| is_odd(&path.to_string_lossy())) {
            return Err("metal.dhcp: a text is empty or holds a comma or a line break".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let dhcp = DhcpConfig {
            interface: "eth1".into(),
            network: "198.18.0.0/24".parse().unwrap(),
            router: None,
            tftp: None,
            lease_seconds: hour(),
            program: dnsmasq(),
            user: root(),
        };
        let listen = vec!["198.18.0.1:8081".parse().unwrap()];
        Config { listen, site: Some("ewr1".into()), dhcp: Some(dhcp), ..Config::default() }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        assert_eq!(config().check(), Ok(()));
        assert_eq!(config().base(), "http://198.18.0.1:8081");
        let wrong = |edit: fn(&mut Config)| {
            let mut config = config();
            edit(&mut config);
            config.check().unwrap_err()
        };
        assert!(wrong(|c| c.site = None).starts_with("metal.site"));
        assert!(wrong(|c| c.listen.clear()).starts_with("metal.listen"));
        assert!(wrong(|c| c.listen = vec!["0.0.0.0:8081".parse().unwrap()]).starts_with("metal.url"));
        assert!(wrong(|c| c.url = Some("http://x\ndhcp-script=/bin/sh".into())).starts_with("metal.dhcp"));
    }
}
