//! The mark that tells a session of ours: the description of its peer.
//!
//! gobgpd knows a peer by its address alone, and can change its description only by ending the session. The description
//! therefore holds what never changes without one: the session's key, and the local address that was asked for, which the daemon
//! does not tell of a session that is up. The words that people wrote stay with the people who wrote them.

use std::net::IpAddr;

use meetme_agent::router::SessionKey;

/// What the description of a peer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The session.
    pub key: SessionKey,
    /// The address it is to leave from; the daemon's choice when absent.
    pub local: Option<IpAddr>,
}

/// What the name of everything begins with that belongs to one session.
pub const PEER: &str = "peer_";

/// The description of a session's peer.
pub fn write(mark: &Mark) -> String {
    match mark.local {
        Some(local) => format!("{PEER}{} from {local}", mark.key),
        None => format!("{PEER}{}", mark.key),
    }
}

/// What a description says; none for a peer of somebody else's.
pub fn read(description: &str) -> Option<Mark> {
    let mut words = description.split(' ');
    let key = words.next()?.strip_prefix(PEER)?.parse().ok()?;
    match (words.next(), words.next(), words.next()) {
        (None, ..) => Some(Mark { key, local: None }),
        (Some("from"), Some(local), None) => Some(Mark { key, local: Some(local.parse().ok()?) }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_reads_back_and_no_other_is_taken_for_ours() {
        for local in [None, Some("192.0.2.1".parse().unwrap()), Some("2001:db8::1".parse().unwrap())] {
            let mark = Mark { key: "s1".parse().unwrap(), local };
            assert_eq!(read(&write(&mark)), Some(mark));
        }
        for other in ["", "Example", "peer_", "peer_S1", "peer_s1 from", "peer_s1 from x", "peer_s1 to 192.0.2.1"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
