//! How numbers of the interface are written in a configuration's text: as the words people know them by.

use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

use crate::wire::{Policy, Prefix};

fn write<S: Serializer>(words: &[&str], number: i32, serializer: S) -> Result<S::Ok, S::Error> {
    match usize::try_from(number).ok().and_then(|n| words.get(n)) {
        Some(word) => serializer.serialize_str(word),
        // A newer daemon may know more than we do; the number itself can be read back too.
        None => serializer.collect_str(&number),
    }
}

fn read<'de, D: Deserializer<'de>>(words: &[&str], deserializer: D) -> Result<i32, D::Error> {
    let word = String::deserialize(deserializer)?;
    let known = words.iter().position(|w| *w == word).and_then(|n| i32::try_from(n).ok());
    known.or_else(|| word.parse().ok()).ok_or_else(|| D::Error::custom(format!("{word:?} is none of {words:?}")))
}

macro_rules! numbers {
    ($($name:ident: $words:expr;)*) => {$(
        pub mod $name {
            use serde::{Deserializer, Serializer};
            const WORDS: &[&str] = &$words;
            pub fn serialize<S: Serializer>(number: &i32, serializer: S) -> Result<S::Ok, S::Error> {
                super::write(WORDS, *number, serializer)
            }
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
                super::read(WORDS, deserializer)
            }
        }
    )*};
}

numbers! {
    defined: ["prefix", "neighbor", "tag", "as-path", "community", "ext-community", "large-community", "next-hop"];
    matching: ["any", "all", "invert"];
    length: ["eq", "ge", "le"];
    route_type: ["", "internal", "external", "local"];
    action: ["", "accept", "reject"];
    community: ["add", "remove", "replace"];
    med: ["modify", "replace"];
    direction: ["", "import", "export"];
}

/// Ranges of prefixes as `192.0.2.0/24 24..28`.
pub mod prefixes {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    use super::Prefix;

    pub fn serialize<S: Serializer>(all: &[Prefix], serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(all.iter().map(|p| format!("{} {}..{}", p.ip_prefix, p.mask_length_min, p.mask_length_max)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Prefix>, D::Error> {
        let read = |text: &String| {
            let (ip_prefix, lengths) = text.split_once(' ')?;
            let (min, max) = lengths.split_once("..")?;
            let (mask_length_min, mask_length_max) = (min.parse().ok()?, max.parse().ok()?);
            Some(Prefix { ip_prefix: ip_prefix.to_owned(), mask_length_min, mask_length_max })
        };
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| read(text).ok_or_else(|| D::Error::custom(format!("{text:?} is no range")))).collect()
    }
}

/// Policies by their names alone.
pub mod names {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Policy;

    pub fn serialize<S: Serializer>(all: &[Policy], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(all.iter().map(|p| &p.name))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Policy>, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Ok(names.into_iter().map(|name| Policy { name, statements: Vec::new() }).collect())
    }
}
