//! What `show protocols` and `show protocols all` say about BGP sessions.

use std::{collections::HashMap, net::IpAddr};

use jiff::civil::{DateTime, Time as WallTime};
use meetme_agent::router::{BfdState, BgpState, SessionState};
use meetme_base::{Asn, Time};

use crate::{control::Answer, render::PEER};

/// The code of a protocol's row.
const ROW: u16 = 1002;
/// The code of the lines below a row in the long form.
const DETAIL: u16 = 1006;
/// The code of the lines about bidirectional forwarding detection.
const BFD: u16 = 1020;

/// The daemon's clock against ours: it shows local time without saying which zone it means.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Our time when the daemon was asked.
    pub now: Time,
    /// The daemon's time in its own zone at the same moment.
    pub daemon: Option<DateTime>,
}

impl Clocks {
    /// Reads the daemon's clock from `show status`.
    pub fn new(now: Time, status: &Answer) -> Self {
        let shown = status.lines.iter().find_map(|line| line.text.strip_prefix("Current server time is "));
        Self { now, daemon: shown.and_then(|text| text.trim().parse().ok()) }
    }

    /// When a time in one of BIRD's usual forms was: with date and time, with the time only (within the last day) or with
    /// the date only.
    fn moment(&self, text: &str) -> Option<Time> {
        let daemon = self.daemon?;
        let then = if let Ok(full) = text.parse::<DateTime>() {
            full
        } else {
            let today = daemon.date().to_datetime(text.parse::<WallTime>().ok()?);
            if today <= daemon { today } else { today.yesterday().ok()? }
        };
        let age = daemon.duration_since(then).as_millis();
        Some(self.now.plus_millis(-i64::try_from(age).ok()?))
    }
}

/// One BGP protocol of the daemon.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    /// Its name in the configuration.
    pub name: String,
    /// What it tells about its session.
    pub session: SessionState,
}

/// The BGP protocols of an answer in the short or long form, in the daemon's order.
pub fn protocols(answer: &Answer, clocks: &Clocks) -> Vec<Protocol> {
    let mut found: Vec<Protocol> = Vec::new();
    let mut is_bgp = false;
    for line in &answer.lines {
        match line.code {
            ROW => {
                let row = row(&line.text, clocks);
                is_bgp = row.is_some();
                found.extend(row);
            }
            DETAIL if is_bgp => {
                if let Some(protocol) = found.last_mut() {
                    detail(&mut protocol.session, line.text.trim());
                }
            }
            _ => {}
        }
    }
    found
}

/// A row: name, kind, table, state, since, and what the kind has to say. None for other kinds than BGP.
fn row(text: &str, clocks: &Clocks) -> Option<Protocol> {
    let mut rest = text;
    let (name, kind, _table, state) = (word(&mut rest)?, word(&mut rest)?, word(&mut rest)?, word(&mut rest)?);
    if kind != "BGP" {
        return None;
    }
    let mut since = word(&mut rest)?.to_owned();
    let is_date = since.len() == 10 && since.bytes().filter(|b| *b == b'-').count() == 2;
    if is_date && rest.split_whitespace().next().is_some_and(|word| word.contains(':')) {
        since = format!("{since} {}", word(&mut rest)?);
    }
    let (bgp_state, last_error) = told(state, rest.trim());
    let session = SessionState {
        key: name.strip_prefix(PEER).and_then(|key| key.parse().ok()),
        peer_address: None,
        peer_asn: None,
        enabled: state != "down",
        state: bgp_state,
        received: None,
        accepted: None,
        advertised: None,
        since: clocks.moment(&since),
        bfd: None,
        last_error: (!last_error.is_empty()).then(|| last_error.to_owned()),
    };
    Some(Protocol { name: name.to_owned(), session })
}

/// Takes the next word off the front.
fn word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start();
    let (word, after) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    *rest = after;
    (!word.is_empty()).then_some(word)
}

/// The session's state and last error out of the last column. A protocol that is down shows the error alone; its reason
/// for being down may be the hand of an operator, which is no error and is not shown.
fn told(state: &str, column: &str) -> (BgpState, String) {
    if state == "down" {
        return (BgpState::Idle, column.to_owned());
    }
    let (word, error) = column.split_once(char::is_whitespace).unwrap_or((column, ""));
    let state = match word {
        "Connect" => BgpState::Connect,
        // BIRD's own word for an Active session that only waits.
        "Active" | "Passive" => BgpState::Active,
        "OpenSent" => BgpState::OpenSent,
        "OpenConfirm" => BgpState::OpenConfirm,
        "Established" => BgpState::Established,
        _ => BgpState::Idle,
    };
    (state, error.trim().to_owned())
}

fn detail(session: &mut SessionState, line: &str) {
    let Some((name, value)) = line.split_once(':') else { return };
    let value = value.trim();
    match name {
        "Neighbor address" => {
            let address = value.split('%').next().unwrap_or_default();
            session.peer_address = address.parse::<IpAddr>().ok();
        }
        "Neighbor AS" => session.peer_asn = value.parse::<Asn>().ok(),
        "Routes" => routes(session, value),
        _ => {}
    }
}

/// `3 imported, 1 filtered, 2 exported, 0 preferred`; a session with several channels gets the sum.
fn routes(session: &mut SessionState, value: &str) {
    let count = |word: &str| {
        let part = value.split(',').find(|part| part.trim().ends_with(word))?;
        part.trim().split(' ').next()?.parse::<u32>().ok()
    };
    let add = |to: &mut Option<u32>, n: u32| *to = Some(to.unwrap_or(0).saturating_add(n));
    let (imported, filtered) = (count("imported").unwrap_or(0), count("filtered").unwrap_or(0));
    add(&mut session.received, imported.saturating_add(filtered));
    add(&mut session.accepted, imported);
    add(&mut session.advertised, count("exported").unwrap_or(0));
}

/// How the paths are that BIRD watches, by the addresses of their far ends, out of an answer to `show bfd sessions`: address,
/// interface, state, and more.
pub fn watched(answer: &Answer) -> HashMap<IpAddr, BfdState> {
    let row = |text: &str| {
        let mut words = text.split_whitespace();
        let address = words.next()?.parse().ok()?;
        let state = match words.nth(1)? {
            "AdminDown" => BfdState::AdminDown,
            "Down" => BfdState::Down,
            "Init" => BfdState::Init,
            "Up" => BfdState::Up,
            _ => return None,
        };
        Some((address, state))
    };
    answer.lines.iter().filter(|line| line.code == BFD).filter_map(|line| row(&line.text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Reader;

    /// Recorded from BIRD 2.0.12.
    const LONG: &str = "\
2002-Name       Proto      Table      State  Since         Info
1002-device1    Device     ---        up     2026-11-22 09:40:17.815  
1006-
1002-originated4 Static     master4    up     2026-11-22 09:40:17.815  
1006-  Channel ipv4
     State:          UP
     Routes:         1 imported, 0 exported, 1 preferred
 
1002-peer_s1    BGP        ---        up     2026-11-22 09:40:18.106  Established   
1006-  Description:    Routes: 9 imported
   BGP state:          Established
     Neighbor address: 192.0.2.2
     Neighbor AS:      64501
     Local AS:         64500
   Channel ipv4
     State:          UP
     Table:          master4
     Receive limit:  10
       Action:       restart
     Routes:         3 imported, 2 filtered, 1 exported, 3 preferred
     BGP Next hop:   192.0.2.1
 
1002-other      BGP        ---        start  2026-11-22 09:40:10.000  Active        Socket: Connection refused
1006-  BGP state:          Active
     Neighbor address: fe80::2%eth0
     Neighbor AS:      4200000000
 
0000 ";

    fn answer(text: &str) -> Answer {
        let mut reader = Reader::default();
        text.lines().find_map(|line| reader.push(line).unwrap()).unwrap()
    }

    fn read(text: &str, now: &str) -> Vec<Protocol> {
        protocols(&answer(text), &Clocks { now: Time(1_000_000_000), daemon: Some(now.parse().unwrap()) })
    }

    #[test]
    fn the_long_form_tells_everything() {
        let found = read(LONG, "2026-11-22 09:40:20.106");
        assert_eq!(found.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["peer_s1", "other"]);
        let ours = &found[0].session;
        assert_eq!(ours.key.as_ref().map(|k| k.as_str()), Some("s1"));
        assert_eq!((ours.state, ours.enabled, ours.last_error.as_deref()), (BgpState::Established, true, None));
        assert_eq!((ours.received, ours.accepted, ours.advertised), (Some(5), Some(3), Some(1)));
        assert_eq!((ours.peer_address, ours.peer_asn.map(Asn::get)), (Some("192.0.2.2".parse().unwrap()), Some(64501)));
        assert_eq!(ours.since, Some(Time(1_000_000_000 - 2_000)));
        let other = &found[1].session;
        assert_eq!((other.key.clone(), other.state), (None, BgpState::Active));
        assert_eq!(other.last_error.as_deref(), Some("Socket: Connection refused"));
        assert_eq!(other.peer_address, Some("fe80::2".parse().unwrap()));
    }

    #[test]
    fn paths_that_are_watched_are_told_by_their_far_ends() {
        // Recorded from BIRD 2.0.12, the third row shortened.
        let said = "1020-bfd1:\n \
             IP address                Interface  State      Since         Interval  Timeout\n \
             192.0.2.2                 eth0       Up         2026-11-26 06:43:09.978    0.200    1.000\n \
             192.0.2.3                 eth0       Down       2026-11-26 06:43:14.245    1.000    0.000\n \
             2001:db8::9               ---        Init       06:43:14.245    1.000    0.000\n \
             192.0.2.4                 eth0\n0000 ";
        let found = watched(&answer(said));
        let of = |address: &str| found.get(&address.parse().unwrap()).copied();
        assert_eq!((of("192.0.2.2"), of("192.0.2.3")), (Some(BfdState::Up), Some(BfdState::Down)));
        assert_eq!((of("2001:db8::9"), found.len()), (Some(BfdState::Init), 3));
        assert!(watched(&answer("9001 There is no BFD protocol running")).is_empty());
    }

    #[test]
    fn the_short_form_tells_states_and_errors() {
        let found = read(
            "2002-Name       Proto      Table      State  Since         Info\n\
             1002-peer_a     BGP        ---        start  09:40:17.815  Idle          Automatic shutdown: Route limit exceeded\n \
             peer_b     BGP        ---        down   23:59:00.000  Automatic shutdown: Route limit exceeded\n \
             peer_c     BGP        ---        down   2026-11-20    \n \
             peer_d     BGP        ---        start  09:40:17.815  Passive       \n0000 ",
            "2026-11-22 10:00:00.000",
        );
        let told: Vec<_> =
            found.iter().map(|p| (p.session.enabled, p.session.state, p.session.last_error.is_some())).collect();
        assert_eq!(
            told,
            [
                (true, BgpState::Idle, true),
                (false, BgpState::Idle, true),
                (false, BgpState::Idle, false),
                (true, BgpState::Active, false)
            ]
        );
        let hours = |p: &Protocol| p.session.since.map(|t| (1_000_000_000 - t.0) / 3_600_000);
        assert_eq!((hours(&found[1]), hours(&found[2])), (Some(10), Some(58)));
    }
}
