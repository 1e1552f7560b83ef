//! The dialect's words for the core's.

use jiff::tz::TimeZone;
use meetme_base::{Invalid, Time};
use meetme_model::{LifeStatus, Phase, Term, fabric::VlanTag, place::Zone};

/// How a product's life is called.
pub fn status(life: &LifeStatus) -> &'static str {
    match life.phase {
        Phase::Draft => "DESIGN",
        Phase::Asking => "ON_HOLD",
        Phase::Queued if life.reason.as_ref().is_some_and(|r| r.code == "no_room") => "NEW",
        Phase::Queued | Phase::Building => "DEPLOYABLE",
        Phase::Ready => "CONFIGURED",
        Phase::Up | Phase::Down | Phase::Off | Phase::Changing => "LIVE",
        Phase::Failed => match life.step.as_deref() {
            Some("change") => "LIVE",
            Some("removal") => "CANCELLED",
            _ => "FAILED",
        },
        Phase::Removing if life.reason.as_ref().is_some_and(|r| r.code == "parent") => "CANCELLED_PARENT",
        Phase::Ending | Phase::Removing => "CANCELLED",
        Phase::Gone => "DECOMMISSIONED",
    }
}

/// The zones' names.
pub fn zone(zone: Option<Zone>) -> &'static str {
    match zone {
        Some(Zone::A) => "red",
        Some(Zone::B) => "blue",
        None => "",
    }
}

/// Reads a zone's name; nothing asked for when empty.
pub fn parse_zone(text: Option<&str>) -> Result<Option<Zone>, Invalid> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("") => Ok(None),
        Some("red") => Ok(Some(Zone::A)),
        Some("blue") => Ok(Some(Zone::B)),
        Some(other) => Err(Invalid::choice("diversityZone", other)),
    }
}

/// A term in months; 1 also for what is bound for less.
pub fn months(term: Option<Term>) -> u16 {
    match term {
        Some(Term::Months(n)) => n,
        Some(Term::Hour | Term::Day) | None => 1,
    }
}

/// The terms there are, in months.
pub const TERMS: &[u16] = &[1, 12, 24, 36, 48, 60];

/// Reads a term; monthly when absent.
pub fn parse_term(months: Option<i64>) -> Result<Term, Invalid> {
    let months = months.unwrap_or(1);
    let known = u16::try_from(months).ok().filter(|n| TERMS.contains(n));
    known.map(Term::Months).ok_or_else(|| Invalid::choice("term", months))
}

/// A VLAN as it is sent: -1 for none, 0 for one that is yet to be chosen.
pub fn vlan(tag: VlanTag, given: Option<meetme_base::VlanId>) -> i64 {
    match (tag, given) {
        (_, Some(vlan)) => i64::from(vlan.get()),
        (VlanTag::Untagged, None) => -1,
        (VlanTag::Vlan(asked), None) => i64::from(asked.get()),
        (VlanTag::Choose, None) => 0,
    }
}

/// Reads a VLAN: absent or 0 is for us to choose.
pub fn parse_vlan(sent: Option<i64>) -> Result<VlanTag, Invalid> {
    match sent {
        None | Some(0) => Ok(VlanTag::Choose),
        Some(-1) => Ok(VlanTag::Untagged),
        Some(n) => Ok(VlanTag::Vlan(meetme_base::VlanId::try_from(n)?)),
    }
}

/// How a provider or partner is called, by the core's word. Words not known here are partners like any other.
const CONNECT: &[(&str, &[&str])] = &[
    ("aws", &["AWS", "AWSHC"]),
    ("azure", &["AZURE"]),
    ("google", &["GOOGLE"]),
    ("oracle", &["ORACLE"]),
    ("ibm", &["IBM"]),
    ("alibaba", &["ALIBABA"]),
    ("nutanix", &["NUTANIX"]),
    ("salesforce", &["SALESFORCE"]),
    ("sap", &["SAP"]),
    ("transit", &["TRANSIT"]),
    ("franceix", &["FRANCEIX"]),
    ("outscale", &["OUTSCALE"]),
    ("cloudflare", &["CLOUDFLARE"]),
];

/// The connect types under which a provider or partner is offered. One of them is reached in two ways, each with a type of its own.
pub fn connect_types(far: Option<&str>) -> &'static [&'static str] {
    let found = CONNECT.iter().find(|(ours, _)| Some(*ours) == far);
    found.map_or(&["DEFAULT"], |(_, theirs)| theirs)
}

/// Whether a company wants its networks among its products; it says no in its own corner.
pub fn shows_networks(company: &meetme_model::access::Organization) -> bool {
    company.ext.get("megaport").and_then(|corner| corner.get("virtual_routers"))
        != Some(&serde_json::Value::Bool(false))
}

/// The milliseconds of a moment, or null.
pub fn millis(time: Option<Time>) -> Option<i64> {
    time.map(|t| t.0)
}

/// The day a contract ends: so many months after it began, on the same day of the month where there is one.
pub fn contract_end(began: Option<Time>, term: Option<Term>) -> Option<Time> {
    let began = began?;
    let stamp = jiff::Timestamp::from_millisecond(began.0).ok()?;
    let months = jiff::Span::new().months(i64::from(months(term)));
    let end = stamp.to_zoned(TimeZone::UTC).checked_add(months).ok()?;
    Some(Time(end.timestamp().as_millisecond()))
}

const LANGUAGES: &[(&str, &str)] = &[
    ("de", "German"),
    ("en", "English"),
    ("es", "Spanish"),
    ("fr", "French"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("nl", "Dutch"),
    ("pt", "Portuguese"),
    ("zh", "Chinese"),
];

/// A language by its code; the code itself when it is none we know.
pub fn language(code: &str) -> &str {
    let base = code.split(['-', '_']).next().unwrap_or(code);
    LANGUAGES.iter().find(|(known, _)| known.eq_ignore_ascii_case(base)).map_or(code, |(_, name)| name)
}

const COUNTRIES: &[(&str, &str)] = &[
    ("AU", "Australia"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("CH", "Switzerland"),
    ("DE", "Germany"),
    ("ES", "Spain"),
    ("FR", "France"),
    ("GB", "United Kingdom"),
    ("HK", "Hong Kong"),
    ("IE", "Ireland"),
    ("IN", "India"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("MX", "Mexico"),
    ("NL", "Netherlands"),
    ("NZ", "New Zealand"),
    ("SE", "Sweden"),
    ("SG", "Singapore"),
    ("US", "United States"),
];

/// A country by its code; the code itself when it is none we know.
pub fn country(code: &str) -> &str {
    COUNTRIES.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

/// The country of a locale such as `en-AU`.
pub fn country_of_locale(locale: &str) -> &str {
    match locale.split(['-', '_']).next_back() {
        Some(code) if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) => country(code),
        _ => locale,
    }
}

/// The offset of a time zone from UTC as hours and minutes: `1000`, `-0330`. The name itself when it is no zone the system knows.
pub fn offset(zone: &str, now: Time) -> String {
    let known = TimeZone::get(zone).ok().zip(jiff::Timestamp::from_millisecond(now.0).ok());
    let Some((zone, now)) = known else { return if zone == "UTC" { "0000".to_owned() } else { zone.to_owned() } };
    let minutes = zone.to_offset(now).seconds() / 60;
    let sign = if minutes < 0 { "-" } else { "" };
    format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_ends_on_the_same_day_of_a_later_month() {
        let time = |text: &str| text.parse::<Time>().unwrap();
        let end = |began, n| contract_end(Some(time(began)), Some(Term::Months(n)));
        assert_eq!(end("2026-01-31T10:00:00Z", 1), Some(time("2026-02-28T10:00:00Z")));
        assert_eq!(end("2026-03-15T10:00:00Z", 12), Some(time("2027-03-15T10:00:00Z")));
        assert_eq!(contract_end(None, None), None);
    }

    #[test]
    fn a_person_reads_their_own_language_and_clock() {
        let now = "2026-07-01T00:00:00Z".parse().unwrap();
        assert_eq!((language("en"), language("en-AU"), language("tlh")), ("English", "English", "tlh"));
        assert_eq!(
            (country_of_locale("en-AU"), country_of_locale("en-XX"), country_of_locale("")),
            ("Australia", "XX", "")
        );
        assert_eq!((offset("UTC", now), offset("No/Where", now)), ("0000".to_owned(), "No/Where".to_owned()));
    }

    #[test]
    fn every_phase_has_a_word_that_tells_what_to_wait_for() {
        let word = |phase, step: Option<&str>, reason: Option<&str>| {
            let reason = reason.map(|code| meetme_model::Reason { code: code.to_owned(), text: String::new() });
            status(&LifeStatus { phase, step: step.map(str::to_owned), reason, ..LifeStatus::default() })
        };
        assert_eq!(word(Phase::Queued, None, None), "DEPLOYABLE");
        assert_eq!(word(Phase::Queued, None, Some("no_room")), "NEW");
        assert_eq!(word(Phase::Failed, Some("change"), None), "LIVE");
        assert_eq!(word(Phase::Failed, Some("build"), None), "FAILED");
        assert_eq!(word(Phase::Removing, None, Some("parent")), "CANCELLED_PARENT");
        assert_eq!((word(Phase::Ending, None, None), word(Phase::Gone, None, None)), ("CANCELLED", "DECOMMISSIONED"));
    }

    #[test]
    fn a_vlan_is_chosen_none_or_a_number() {
        for sent in [-1, 0, 2, 4093] {
            assert_eq!(vlan(parse_vlan(Some(sent)).unwrap(), None), sent);
        }
        assert!(parse_vlan(Some(4095)).is_err() && parse_vlan(Some(-2)).is_err());
    }

    #[test]
    fn a_term_is_one_of_a_list() {
        assert_eq!(parse_term(None), Ok(Term::Months(1)));
        assert!(parse_term(Some(13)).is_err() && parse_term(Some(-1)).is_err());
    }
}
