//! Words: what a phase, a term, a peering and a provider are called here, both ways.

use meetme_base::{Asn, Invalid, IpNet, Mbps, Time, VlanId};
use meetme_model::{
    Ext, LifeStatus, PeerStatus, Phase, Term,
    fabric::VlanTag,
    place::{LongHaul, Peering, Per},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::DIALECT;

/// The rates that have a word here.
pub const SPEEDS: &[u32] = &[50, 100, 200, 300, 400, 500, 1000, 2000, 3000, 4000, 5000, 10_000];

/// The largest listed rate that is not above this one; the smallest for one below all.
pub fn speed(rate: Mbps) -> u32 {
    SPEEDS.iter().rev().find(|s| **s <= rate.get()).or(SPEEDS.first()).copied().unwrap_or_default()
}

/// A rate that was sent.
pub fn rate(speed: u32) -> Result<Mbps, Invalid> {
    if !SPEEDS.contains(&speed) {
        return Err(Invalid::choice("speed", speed));
    }
    Mbps::try_from(i64::from(speed))
}

/// Types of connections with the far ends they reach. A type that a port's or a tunnel's ends decide reaches none.
const TYPES: &[(&str, &str)] = &[
    ("AWS_DIRECT_CONNECT", "aws"),
    ("AZURE_EXPRESS_ROUTE", "azure"),
    ("GOOGLE_CLOUD_INTERCONNECT", "google"),
    ("ORACLE_FAST_CONNECT", "oracle"),
    ("PACKET_FABRIC", "packetfabric"),
    ("EQUINIX_CLOUD_EXCHANGE", "equinix"),
    ("COMCAST", "comcast"),
    ("COX_COMMUNICATIONS", "cox"),
    ("ELEMENT_CRITICAL", "elementcritical"),
    ("PACKET", "packet"),
    ("ZAYO", "zayo"),
];

/// The far end that a type of connection reaches.
pub fn far(kind: &str) -> Option<&'static str> {
    TYPES.iter().find(|(name, _)| *name == kind).map(|(_, far)| *far)
}

/// The type of connection that reaches a far end.
pub fn kind(far: &str) -> Option<&'static str> {
    TYPES.iter().find(|(_, name)| *name == far).map(|(kind, _)| *kind)
}

/// Clouds, as regions name them.
const PROVIDERS: &[(&str, &str)] = &[
    ("aws", "AWS"),
    ("azure", "AZURE"),
    ("google", "GOOGLE_CLOUD"),
    ("oracle", "ORACLE"),
    ("packetfabric", "PACKET_FABRIC"),
];

/// A cloud's word here.
pub fn provider(name: &str) -> Option<&'static str> {
    PROVIDERS.iter().find(|(ours, _)| *ours == name).map(|(_, theirs)| *theirs)
}

/// A billing term's word.
pub fn term(term: Option<Term>) -> &'static str {
    match term {
        None | Some(Term::Hour | Term::Day) => "HOURLY",
        Some(Term::Months(0..12)) => "MONTHLY",
        Some(Term::Months(12..24)) => "ONE_YEAR",
        Some(Term::Months(_)) => "TWO_YEAR",
    }
}

/// The term of a word.
pub fn read_term(word: &str) -> Result<Term, Invalid> {
    Ok(match word {
        "HOURLY" => Term::Hour,
        "MONTHLY" => Term::Months(1),
        "ONE_YEAR" => Term::Months(12),
        "TWO_YEAR" => Term::Months(24),
        other => return Err(Invalid::choice("billingTerm", other)),
    })
}

/// A billing interval's word.
pub fn interval(per: Per) -> Option<&'static str> {
    match per {
        Per::Once => Some("ONCE"),
        Per::Day => Some("DAY"),
        Per::Month => Some("MONTH"),
        Per::Year => Some("YEAR"),
        // An hour's price is shown as a day's.
        Per::Hour => Some("DAY"),
        Per::Gb | Per::Mbps => None,
    }
}

/// A word for how distance is paid for.
pub fn long_haul(how: LongHaul) -> &'static str {
    match how {
        LongHaul::None => "NOT_APPLICABLE",
        LongHaul::Metro => "METRO",
        LongHaul::Usage => "USAGE",
        LongHaul::Dedicated => "DEDICATED",
    }
}

/// A peering's word.
pub fn peering(peering: Option<Peering>) -> &'static str {
    match peering {
        None | Some(Peering::Private) => "PRIVATE",
        Some(Peering::Public) => "PUBLIC",
        Some(Peering::Transit) => "TRANSIT",
    }
}

/// The peering of a word, in either case.
pub fn read_peering(word: &str) -> Result<Peering, Invalid> {
    Peering::parse(&word.to_ascii_lowercase()).ok_or_else(|| Invalid::choice("peering.type", word))
}

/// A network's state.
pub fn network_state(life: &LifeStatus) -> &'static str {
    match life.phase {
        Phase::Draft | Phase::Asking | Phase::Queued => "PENDING",
        Phase::Building => "PROVISIONING",
        Phase::Ready | Phase::Up | Phase::Down | Phase::Off | Phase::Changing | Phase::Ending => "ACTIVE",
        Phase::Failed => "ERROR",
        Phase::Removing => "DELETING",
        Phase::Gone => "DELETED",
    }
}

/// A connection's state; `INITIALIZING` is only the answer to its order.
pub fn connection_state(life: &LifeStatus) -> &'static str {
    match life.phase {
        Phase::Asking => "PENDING_APPROVAL",
        _ => gateway_state(life),
    }
}

/// A gateway's state.
pub fn gateway_state(life: &LifeStatus) -> &'static str {
    match life.phase {
        Phase::Draft | Phase::Asking | Phase::Queued => "WAITING_TO_PROVISION",
        Phase::Building => "PROVISIONING",
        Phase::Ready | Phase::Up | Phase::Ending => "ACTIVE",
        Phase::Down | Phase::Off => "DOWN",
        Phase::Changing => "UPDATING",
        Phase::Failed => match life.step.as_deref() {
            Some("change") => "FAILED_TO_UPDATE",
            Some("removal") => "FAILED_TO_DELETE",
            _ => "FAILED_TO_PROVISION",
        },
        Phase::Removing => "DELETING",
        Phase::Gone => "DELETED",
    }
}

/// The code of a failure, with `of` the part that failed: `CONNECTION` or `GATEWAY`.
pub fn failure(life: &LifeStatus, is_gateway: bool) -> Option<&'static str> {
    if life.phase != Phase::Failed {
        return None;
    }
    Some(match (life.step.as_deref(), is_gateway) {
        (Some("change"), true) => "GATEWAY_UPDATING_ERROR",
        (Some("change"), false) => "CONNECTION_UPDATING_ERROR",
        (Some("removal"), true) => "GATEWAY_DELETING_ERROR",
        (Some("removal"), false) => "CONNECTION_DELETING_ERROR",
        (_, true) => "GATEWAY_PROVISIONING_ERROR",
        (_, false) => "CONNECTION_PROVISIONING_ERROR",
    })
}

/// A BGP session's state: pending until it was up once.
pub fn bgp_state(status: Option<&PeerStatus>) -> &'static str {
    match status {
        Some(s) if s.state == Some(meetme_model::BgpState::Established) => "UP",
        Some(s) if s.last_up.is_some() => "DOWN",
        _ => "PENDING",
    }
}

/// A time.
pub fn time(time: Time) -> String {
    time.to_string()
}

/// A tag on a port: absent is any free one, 0 is untagged.
pub fn tag(field: &str, vlan: Option<i64>) -> Result<VlanTag, Invalid> {
    match vlan {
        None => Ok(VlanTag::Choose),
        Some(0) => Ok(VlanTag::Untagged),
        Some(n) => VlanId::try_from(n).map(VlanTag::Vlan).map_err(|e| Invalid { field: field.to_owned(), ..e }),
    }
}

/// An AS number; 0 means that none was sent.
pub fn asn(field: &str, sent: Option<i64>) -> Result<Option<Asn>, Invalid> {
    let sent = sent.filter(|n| *n != 0);
    sent.map(|n| Asn::try_from(n).map_err(|e| Invalid { field: field.to_owned(), ..e })).transpose()
}

/// A network; a bare address is one of full length.
pub fn net(field: &str, text: &str) -> Result<IpNet, Invalid> {
    let parsed = text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
    parsed.ok_or_else(|| Invalid::format(field, "a network such as 10.0.0.0/8"))
}

/// A member of what only this dialect can mean.
pub fn from_ext<T: DeserializeOwned>(own: Option<&Value>, member: &str) -> Option<T> {
    own.and_then(|v| v.get(member)).and_then(|v| serde_json::from_value(v.clone()).ok())
}

/// Keeps a member that only this dialect can mean, when it was sent.
pub fn into_ext<T: Serialize>(ext: &mut Ext, member: &str, value: Option<&T>) {
    let Some(value) = value.and_then(|v| serde_json::to_value(v).ok()) else { return };
    let own = ext.entry(DIALECT.to_owned()).or_insert_with(|| Value::Object(Default::default()));
    if let Value::Object(map) = own {
        map.insert(member.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_without_a_word_is_shown_as_the_next_lower_one() {
        let of = |n: i64| speed(Mbps::try_from(n).unwrap());
        assert_eq!([of(10), of(50), of(450), of(1000), of(40_000)], [50, 50, 400, 1000, 10_000]);
    }

    #[test]
    fn a_tag_of_zero_is_untagged() {
        assert_eq!(tag("v", Some(0)), Ok(VlanTag::Untagged));
        assert_eq!(tag("v", None), Ok(VlanTag::Choose));
        assert_eq!(tag("primaryVlan", Some(4096)).unwrap_err().field, "primaryVlan");
    }

    #[test]
    fn every_term_reads_back() {
        for word in ["HOURLY", "MONTHLY", "ONE_YEAR", "TWO_YEAR"] {
            assert_eq!(term(read_term(word).ok()), word);
        }
    }
}
