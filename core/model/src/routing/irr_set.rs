//! What the routing registries answer to one question: which prefixes, or which AS numbers, stand behind a set. The question is
//! kept apart from the ASs it is asked for, so that two that name one set share its answer, and one that cannot be had leaves
//! the others alone. An answer stays until a better one has come.

use meetme_base::{Asn, Id, Invalid, Kind, NetRange, Time};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    check,
    edge::{ids, without},
    routing::AutonomousSystem,
};

/// A question to the routing registries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct IrrSet {
    /// The set that is asked about: `AS-EXAMPLE`, `AS64500:AS-EXAMPLE`, `RIPE::AS-EXAMPLE`, or an AS by its number.
    pub set: String,
    /// What is asked about it.
    pub what: IrrQuestion,
    /// The registries to ask, separated by commas; the installation's own choice when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sources: String,
    /// Further arguments; the installation's own when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub args: String,
    /// The ASs it is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<Id<AutonomousSystem>>,
    /// When somebody last wanted an answer that is not older than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Time>,
    /// Until when it is kept though no AS needs it: somebody asked once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// What can be asked about a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IrrQuestion {
    /// The IPv4 prefixes that its members may announce.
    #[default]
    Prefixes4,
    /// The IPv6 prefixes that its members may announce.
    Prefixes6,
    /// The numbers of its members.
    Numbers,
}

impl IrrQuestion {
    /// Every question.
    pub const ALL: &'static [Self] = &[Self::Prefixes4, Self::Prefixes6, Self::Numbers];
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["prefixes4", "prefixes6", "numbers"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct IrrSetStatus {
    /// Counts the answers that differed from the one before, from 1; 0 while there is none.
    pub version: u32,
    /// SHA-256 of the answer in lower-case hexadecimal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// When the answer in use was last given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Time>,
    /// When the registries were last asked, answered or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Time>,
    /// Why the last attempt brought no answer that could be used, in words; absent when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Since when the registries answer with nothing where there was something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_since: Option<Time>,
    /// How many prefixes or numbers the answer has.
    pub count: u32,
    /// The prefixes, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<NetRange>,
    /// The numbers, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<Asn>,
}

/// The sets that a text names, as people and public databases write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IrrNames {
    /// Those a registry can be asked about, each once.
    pub sets: Vec<String>,
    /// Words that name no set.
    pub strange: Vec<String>,
}

impl IrrSet {
    /// The longest name of a set.
    const LONGEST: usize = 255;

    /// The sets in a text: words between blanks, commas, `&` and `/`, with or without `ipv4:` or `ipv6:` before them. Names know no
    /// case (RFC 2622 section 2).
    pub fn names(text: &str) -> IrrNames {
        let mut out = IrrNames::default();
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '&' | '/'));
        for word in words.filter(|word| !word.is_empty()) {
            let upper = word.to_ascii_uppercase();
            let name = upper.strip_prefix("IPV4:").or_else(|| upper.strip_prefix("IPV6:")).unwrap_or(&upper).to_owned();
            let list = if is_set(&name) { &mut out.sets } else { &mut out.strange };
            if !list.contains(&name) {
                list.push(name);
            }
        }
        out
    }

    /// Whether further arguments are of those that change which prefixes are named, and of no others: `-A` (put together), `-w`
    /// (only numbers with routes), and `-R`, `-r`, `-m` (lengths) and `-L` (depth) with a number.
    ///
    /// # Errors
    /// When there are others; no field is named.
    pub fn args(text: &str) -> Result<Vec<String>, Invalid> {
        let bad = || Invalid::format("", "some of -A, -w, -R n, -r n, -m n and -L n");
        let mut out = Vec::new();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            if matches!(word, "-A" | "-w") {
                out.push(word.to_owned());
                continue;
            }
            let (flag, number) = word.split_at_checked(2).ok_or_else(bad)?;
            let number = if number.is_empty() { words.next().ok_or_else(bad)? } else { number };
            let is_length = number.bytes().all(|b| b.is_ascii_digit()) && number.parse::<u8>().is_ok_and(|n| n <= 128);
            if !matches!(flag, "-R" | "-r" | "-m" | "-L") || !is_length {
                return Err(bad());
            }
            out.extend([flag.to_owned(), number.to_owned()]);
        }
        Ok(out)
    }

    /// Whether a text names registries: words of letters, digits, `-` and `_` between commas.
    ///
    /// # Errors
    /// When it does not; no field is named.
    pub fn sources(text: &str) -> Result<(), Invalid> {
        if text.is_empty() || text.split(',').all(is_word) {
            return Ok(());
        }
        Err(Invalid::format("", "names of registries, separated by commas"))
    }

    /// Whether registries can know the number: none that is reserved for documentation, private use or by the protocol
    /// (RFC 5398, RFC 6996, RFC 7300, RFC 7607, RFC 4893).
    pub const fn is_public(asn: Asn) -> bool {
        !matches!(asn.get(), 0 | 23_456 | 64_496..=131_071 | 4_200_000_000..)
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether an upper-case name is an as-set's or an AS's, perhaps of one source: `SOURCE::AS1:AS-X`.
fn is_set(name: &str) -> bool {
    let (source, name) = name.split_once("::").map_or((None, name), |(source, name)| (Some(source), name));
    let is_source = |source: &str| is_word(source) && source.as_bytes()[0].is_ascii_alphabetic();
    let is_upper = !name.bytes().any(|b| b.is_ascii_lowercase());
    if name.len() > IrrSet::LONGEST || !is_upper || !source.is_none_or(is_source) {
        return false;
    }
    let number = |part: &str| part.strip_prefix("AS")?.parse::<Asn>().ok().filter(|n| IrrSet::is_public(*n));
    let is_name = |part: &str| part.strip_prefix("AS-").is_some_and(|rest| !rest.starts_with('-') && is_word(rest));
    let parts: Vec<&str> = name.split(':').collect();
    match parts[..] {
        [one] => is_name(one) || number(one).is_some(),
        // A hierarchical name (RFC 2622 section 5): numbers may stand before names, and one name there must be.
        _ => parts.iter().any(|part| is_name(part)) && parts.iter().all(|part| is_name(part) || of_number(part)),
    }
}

/// Whether a part of a name is `AS` and a number, whichever.
fn of_number(part: &str) -> bool {
    part.strip_prefix("AS").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()) && n.parse::<u32>().is_ok())
}

impl Resource for IrrSet {
    const KIND: Kind = Kind::new("irr_set");
    const AREA: &'static str = "routing";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("set", FieldType::Text, |s: &Self| s.set.as_str().into()).searchable(),
        Field::new("what", FieldType::Text, |s: &Self| s.what.word().into()).words(IrrQuestion::WORDS),
        Field::new("sources", FieldType::Text, |s: &Self| s.sources.as_str().into()),
        Field::new("args", FieldType::Text, |s: &Self| s.args.as_str().into()),
        Field::new("until", FieldType::Time, |s: &Self| s.until.into()),
        Field::status("answer", FieldType::Int, |s: &Self::Status| s.version.into()),
        Field::status("fetched_at", FieldType::Time, |s: &Self::Status| s.fetched_at.into()),
        Field::status("tried_at", FieldType::Time, |s: &Self::Status| s.tried_at.into()),
        Field::status("failing", FieldType::Bool, |s: &Self::Status| s.failure.is_some().into()),
        Field::status("count", FieldType::Int, |s: &Self::Status| s.count.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::many(
        "systems",
        &[AutonomousSystem::KIND],
        OnDelete::Detach,
        |s| ids(&s.systems),
        |s, id| without(&mut s.systems, id),
    )];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "set", "what", "sources", "args"]];
    // It mirrors what others publish.
    const LOGGED: bool = false;
    type Status = IrrSetStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::length("set", &self.set, Self::LONGEST)?;
        if !is_set(&self.set) {
            return Err(Invalid::format("set", "the name of an as-set or the number of an AS"));
        }
        check::length("sources", &self.sources, 255)?;
        Self::sources(&self.sources).map_err(|e| e.under("sources"))?;
        check::length("args", &self.args, 255)?;
        Self::args(&self.args).map_err(|e| e.under("args"))?;
        let asks = |s: &Self| (s.set.clone(), s.what, s.sources.clone(), s.args.clone());
        if before.is_some_and(|b| asks(b) != asks(self)) {
            return Err(Invalid::rule("set", "A question is settled when it is first asked."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} {}", self.set, self.what.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn names(text: &str, sets: &[&str], strange: &[&str]) {
        let found = IrrSet::names(text);
        assert_eq!(
            (found.sets, found.strange),
            (sets.iter().map(|s| (*s).to_owned()).collect(), strange.iter().map(|s| (*s).to_owned()).collect())
        );
    }

    #[test]
    fn sets_are_found_however_people_write_them() {
        names("AS-ONE", &["AS-ONE"], &[]);
        names(
            "RIPE::AS-ONE & as-two, AS3333/AS-ONE:AS-SUB  ",
            &["RIPE::AS-ONE", "AS-TWO", "AS3333", "AS-ONE:AS-SUB"],
            &[],
        );
        names("ipv4:AS-ONE ipv6:AS-ONE", &["AS-ONE"], &[]);
        names("AS64500:AS-CUSTOMERS", &["AS64500:AS-CUSTOMERS"], &[]);
        names("", &[], &[]);
    }

    #[test]
    fn words_that_no_registry_should_see_are_kept_apart() {
        names("-h evil.example AS-ONE;id $(id)", &[], &["-H", "EVIL.EXAMPLE", "AS-ONE;ID", "$(ID)"]);
        names("AS64500 AS0 AS4294967296 AS23456", &[], &["AS64500", "AS0", "AS4294967296", "AS23456"]);
        names("::AS-X RIPE:: RIPE::RS-X AS1:AS2 AS-", &[], &["::AS-X", "RIPE::", "RIPE::RS-X", "AS1:AS2", "AS-"]);
    }

    #[test]
    fn only_arguments_about_prefixes_are_taken() {
        assert_eq!(IrrSet::args("-A  -R24 -r 16").unwrap(), ["-A", "-R", "24", "-r", "16"]);
        assert_eq!(IrrSet::args("").unwrap(), Vec::<String>::new());
        for text in ["-h x", "-R", "-R 129", "-R -A", "--help", "AS-X", "-A;id", "é", "-F %n"] {
            assert!(IrrSet::args(text).is_err(), "{text}");
        }
        assert!(IrrSet::sources("RIPE,RADB").is_ok() && IrrSet::sources("").is_ok());
        assert!(IrrSet::sources("RIPE, RADB").is_err() && IrrSet::sources("-h").is_ok());
    }

    #[test]
    fn a_question_stays_what_it_is() {
        let asked = IrrSet { set: "AS-ONE".into(), ..IrrSet::default() };
        assert_eq!(asked.check(None), Ok(()));
        let other = IrrSet { what: IrrQuestion::Numbers, ..asked.clone() };
        assert_eq!(other.check(Some(&asked)).unwrap_err().field, "set");
        assert!(IrrSet { set: "AS-one".into(), ..IrrSet::default() }.check(None).is_err());
    }
}
