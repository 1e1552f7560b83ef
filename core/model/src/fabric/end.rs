//! An end of a leg: what it is attached to, how its frames are tagged, and, where it is routed, its layer 3 interfaces.

use std::net::IpAddr;

use meetme_base::{Id, IfAddr, Invalid, IpNet, RawId, VlanId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    check,
    fabric::{Ipsec, Network, Port, Segment, check_network},
    metal::Device,
    place::{Offer, Zone},
    routing::Router,
};

/// One of the two ends of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndName {
    /// The customer's end.
    A,
    /// The far end.
    Z,
}

impl EndName {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["a", "z"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// An end of a leg.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct End {
    /// What it is attached to; nothing of ours at the far end of a tunnel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Target>,
    /// The tag that was asked for.
    pub tag: VlanTag,
    /// The tag it has: the one asked for, or the one allotted. Absent when untagged, or not allotted yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<VlanId>,
    /// The inner tag, when two are stacked (IEEE 802.1ad).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inner: Option<VlanId>,
    /// Which of the device's network interfaces, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nic: Option<u8>,
    /// The zone it was asked to be in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Its layer 3 interfaces; only ends in a network or router have any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faces: Vec<Face>,
}

/// What an end can be attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A port, ours, the customer's or another's.
    Port(Id<Port>),
    /// A routed domain.
    Network(Id<Network>),
    /// An ordered router.
    Router(Id<Router>),
    /// A device.
    Device(Id<Device>),
    /// A layer 2 network.
    Segment(Id<Segment>),
    /// Whatever an offer sells: a cloud, a partner.
    Offer(Id<Offer>),
}

impl Target {
    /// The id, whatever it is of.
    pub const fn any(self) -> RawId {
        match self {
            Self::Port(id) => id.any(),
            Self::Network(id) => id.any(),
            Self::Router(id) => id.any(),
            Self::Device(id) => id.any(),
            Self::Segment(id) => id.any(),
            Self::Offer(id) => id.any(),
        }
    }
    /// Whether it is routed there, so that the end has layer 3 interfaces.
    pub const fn is_routed(self) -> bool {
        matches!(self, Self::Network(_) | Self::Router(_))
    }
}

/// The tag an end was asked to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VlanTag {
    /// Whichever is free.
    #[default]
    Choose,
    /// None.
    Untagged,
    /// This one.
    Vlan(VlanId),
}

/// A layer 3 interface of an end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Face {
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The tag that tells it from other interfaces of the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<VlanId>,
    /// The link network between us and the other side; allotted unless it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Our addresses on it, where they were given one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IfAddr>,
    /// Static routes over it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<StaticRoute>,
    /// Addresses that what leaves over it is translated to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nat: Vec<IpAddr>,
    /// The largest packet, in octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// The tunnel it is the inside of; a plain interface when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<Ipsec>,
}

/// The network between the two sides of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// The network.
    #[schemars(with = "String")]
    pub subnet: IpNet,
    /// Our address in it.
    pub ours: IpAddr,
    /// The other side's address in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<IpAddr>,
    /// The address that both legs of the circuit answer for, one at a time (VRRP, RFC 9568).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<IpAddr>,
}

/// A static route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaticRoute {
    /// Where to.
    #[schemars(with = "String")]
    pub prefix: IpNet,
    /// By whom.
    pub next_hop: IpAddr,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl End {
    /// Whether the values are good together, under `field`.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        let under = |name: &str| format!("{field}.{name}");
        match (self.tag, self.vlan) {
            (VlanTag::Untagged, Some(_)) => {
                return Err(Invalid::rule(under("vlan"), "An untagged end has no VLAN."));
            }
            (VlanTag::Vlan(asked), Some(given)) if asked != given => {
                return Err(Invalid::rule(under("vlan"), "The VLAN is another than the one that was asked for."));
            }
            _ => {}
        }
        if self.inner.is_some() && self.tag == VlanTag::Untagged {
            return Err(Invalid::rule(under("inner"), "An inner VLAN needs an outer one."));
        }
        if self.nic.is_some() && !matches!(self.at, Some(Target::Device(_))) {
            return Err(Invalid::rule(under("nic"), "Only an end on a device names a network interface."));
        }
        if !self.faces.is_empty() && self.at.is_some_and(|at| !at.is_routed()) {
            return Err(Invalid::rule(under("faces"), "Only an end in a network or router has layer 3 interfaces."));
        }
        self.faces.iter().enumerate().try_for_each(|(i, face)| face.check(&format!("{field}.faces.{i}")))
    }
}

impl Face {
    fn check(&self, field: &str) -> Result<(), Invalid> {
        check::length(&format!("{field}.text"), self.text.as_deref().unwrap_or_default(), 255)?;
        if let Some(link) = &self.link {
            link.check(&format!("{field}.link"))?;
        }
        for (i, address) in self.addresses.iter().enumerate() {
            if !address.is_host() {
                return Err(Invalid::rule(
                    format!("{field}.addresses.{i}"),
                    format!("{address} is the address of a network or a broadcast address."),
                ));
            }
        }
        for (i, route) in self.routes.iter().enumerate() {
            route.check(&format!("{field}.routes.{i}"))?;
        }
        // 1280 is the least that IPv6 allows (RFC 8200).
        self.mtu.map_or(Ok(()), |n| check::range(&format!("{field}.mtu"), n, 1280, 9216))?;
        self.tunnel.as_ref().map_or(Ok(()), |t| t.check().map_err(|e| e.under(&format!("{field}.tunnel"))))
    }
}

impl Link {
    /// Whether the addresses are hosts of the network and differ, under `field`.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        check_network(&format!("{field}.subnet"), self.subnet)?;
        let mut seen = Vec::new();
        for (name, ip) in [("ours", Some(self.ours)), ("theirs", self.theirs), ("shared", self.shared)] {
            let Some(ip) = ip else { continue };
            let field = format!("{field}.{name}");
            let host = IpNet::new(ip, self.subnet.prefix_len()).is_ok_and(|net| IfAddr(net).is_host());
            if !self.subnet.contains(&ip) || !host {
                return Err(Invalid::rule(field, format!("{ip} is not the address of a host in {}.", self.subnet)));
            }
            if seen.contains(&ip) {
                return Err(Invalid::rule(field, "The addresses of a link must differ."));
            }
            seen.push(ip);
        }
        Ok(())
    }

    /// Our address with the length of the network.
    pub fn our_interface(&self) -> Option<IfAddr> {
        IpNet::new(self.ours, self.subnet.prefix_len()).ok().map(IfAddr)
    }

    /// The other side's address with the length of the network.
    pub fn their_interface(&self) -> Option<IfAddr> {
        IpNet::new(self.theirs?, self.subnet.prefix_len()).ok().map(IfAddr)
    }
}

impl StaticRoute {
    fn check(&self, field: &str) -> Result<(), Invalid> {
        check_network(&format!("{field}.prefix"), self.prefix)?;
        if self.prefix.addr().is_ipv4() != self.next_hop.is_ipv4() {
            return Err(Invalid::rule(format!("{field}.next_hop"), "The next hop must be of the prefix's family."));
        }
        check::length(&format!("{field}.text"), self.text.as_deref().unwrap_or_default(), 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(subnet: &str, ours: &str, theirs: &str) -> Link {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        Link { subnet: subnet.parse().unwrap(), ours: ip(ours), theirs: Some(ip(theirs)), shared: None }
    }

    #[test]
    fn the_addresses_of_a_link_are_two_hosts_of_its_network() {
        let complaint = |l: Link| l.check("link").err().map(|e| e.field);
        assert_eq!(complaint(link("169.254.8.0/30", "169.254.8.1", "169.254.8.2")), None);
        assert_eq!(complaint(link("169.254.8.0/31", "169.254.8.0", "169.254.8.1")), None);
        assert_eq!(complaint(link("169.254.8.0/30", "169.254.8.1", "169.254.8.3")).as_deref(), Some("link.theirs"));
        assert_eq!(complaint(link("169.254.8.0/30", "169.254.8.1", "169.254.8.1")).as_deref(), Some("link.theirs"));
        assert_eq!(complaint(link("169.254.8.0/30", "169.254.8.5", "169.254.8.2")).as_deref(), Some("link.ours"));
        assert_eq!(complaint(link("169.254.8.0/30", "2001:db8::1", "169.254.8.2")).as_deref(), Some("link.ours"));
        assert_eq!(complaint(link("169.254.8.1/30", "169.254.8.1", "169.254.8.2")).as_deref(), Some("link.subnet"));
    }

    #[test]
    fn the_interface_of_a_side_has_the_length_of_the_link() {
        let link = link("169.254.8.0/30", "169.254.8.1", "169.254.8.2");
        assert_eq!(link.our_interface().unwrap().to_string(), "169.254.8.1/30");
        assert_eq!(link.their_interface().unwrap().to_string(), "169.254.8.2/30");
    }

    #[test]
    fn tags_are_stored_as_words_or_numbers() {
        for (tag, json) in [
            (VlanTag::Choose, serde_json::json!("choose")),
            (VlanTag::Untagged, serde_json::json!("untagged")),
            (VlanTag::Vlan(VlanId::try_from(7).unwrap()), serde_json::json!({"vlan": 7})),
        ] {
            assert_eq!(serde_json::to_value(tag).unwrap(), json);
        }
        let at = Target::Port(Id::new(5));
        assert_eq!(serde_json::to_value(at).unwrap(), serde_json::json!({"port": 5}));
    }

    #[test]
    fn an_end_has_the_tag_it_was_asked_to_have() {
        let seven = VlanId::try_from(7).ok();
        let end = |tag| End { tag, vlan: seven, ..End::default() };
        assert_eq!(end(VlanTag::Choose).check("a"), Ok(()));
        assert_eq!(end(VlanTag::Untagged).check("a").unwrap_err().field, "a.vlan");
        assert_eq!(end(VlanTag::Vlan(VlanId::MAX)).check("a").unwrap_err().field, "a.vlan");
        let stacked = End { tag: VlanTag::Untagged, inner: seven, ..End::default() };
        assert_eq!(stacked.check("a").unwrap_err().field, "a.inner");
    }

    #[test]
    fn only_routed_ends_have_faces() {
        let end = |at| End { at: Some(at), faces: vec![Face::default()], ..End::default() };
        assert_eq!(end(Target::Network(Id::new(1))).check("a"), Ok(()));
        assert_eq!(end(Target::Port(Id::new(1))).check("a").unwrap_err().field, "a.faces");
    }
}
