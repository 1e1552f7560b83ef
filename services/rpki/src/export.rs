//! The export of a validator, read as a stream: of some 80 megabytes of text only the packed table is ever held.

use std::{fmt, io::Read};

use meetme_app::rpki::{Builder, Table, Vrp};
use meetme_base::IpNet;
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// What an export holds.
#[derive(Debug, Default)]
pub struct Export {
    /// Its payloads.
    pub table: Table,
    /// How many payloads contradict themselves and are left out.
    pub left_out: u32,
}

/// Reads an export: an object whose member `roas` is a list of objects with `prefix`, `maxLength` and `asn`, the number as such
/// (rpki-client) or as `AS64500` (Routinator). Everything else in it is passed over.
///
/// # Errors
/// A sentence, when it is none, holds no payload, or has more that contradict themselves than one in a hundred.
pub fn read(from: impl Read) -> Result<Export, String> {
    let mut builder = Found::default();
    let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::with_capacity(1 << 16, from));
    (&mut json).deserialize_map(Top(&mut builder)).map_err(|e| format!("The export cannot be understood: {e}."))?;
    json.end().map_err(|e| format!("The export does not end where it should: {e}."))?;
    if builder.good == 0 {
        return Err("The export holds no ROA.".to_owned());
    }
    if u64::from(builder.bad) * 100 > u64::from(builder.good) {
        return Err(format!("{} ROAs of the export contradict themselves.", builder.bad));
    }
    Ok(Export { table: builder.builder.table(), left_out: builder.bad })
}

#[derive(Default)]
struct Found {
    builder: Builder,
    good: u32,
    bad: u32,
}

/// A payload as exports write it.
#[derive(Deserialize)]
struct Roa {
    prefix: IpNet,
    #[serde(rename = "maxLength", default)]
    longest: Option<u8>,
    asn: Number,
}

struct Number(u32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an AS number")
            }
            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Number, E> {
                u32::try_from(n).map(Number).map_err(|_| E::custom("an AS number has 32 bits"))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
                digits.parse().map(Number).map_err(|_| E::custom("an AS number is AS and a number"))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

struct Top<'f>(&'f mut Found);

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with roas")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "roas" {
                map.next_value_seed(List(&mut *self.0))?;
                found = true;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::custom("there is no list of roas")) }
    }
}

struct List<'f>(&'f mut Found);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of ROAs")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(roa) = list.next_element::<Roa>()? {
            let longest = roa.longest.unwrap_or(roa.prefix.prefix_len());
            if self.0.builder.push(Vrp { prefix: roa.prefix, longest, asn: roa.asn.0 }) {
                self.0.good += 1;
            } else {
                self.0.bad += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use meetme_app::rpki::Validity;
    use meetme_base::Asn;

    use super::*;

    /// As rpki-client writes it, shortened.
    const RPKI_CLIENT: &str = r#"{
        "metadata": {"buildmachine": "x", "roas": 3, "vrps": 2},
        "roas": [
            { "asn": 13335, "prefix": "1.0.0.0/24", "maxLength": 24, "ta": "apnic", "expires": 1790000000 },
            { "asn": 0, "prefix": "2001:db8::/32", "maxLength": 128, "ta": "ripe", "expires": 1790000000 }
        ],
        "bgpsec_keys": [], "aspas": [{"customer_asid": 970, "providers": [1, 2]}]
    }"#;
    /// As Routinator writes it, shortened.
    const ROUTINATOR: &str = r#"{"metadata": {"generated": 1790000000},
        "roas": [{ "asn": "AS13335", "prefix": "1.0.0.0/24", "maxLength": 24, "ta": "apnic" },
                 { "asn": "AS3333", "prefix": "193.0.0.0/21", "ta": "ripe" }]}"#;

    #[test]
    fn exports_of_both_validators_are_read() {
        let judge = |export: &Export, route: &str, asn: i64| {
            export.table.validity(route.parse().unwrap(), Asn::try_from(asn).ok())
        };
        let export = read(RPKI_CLIENT.as_bytes()).unwrap();
        assert_eq!((export.table.counts(), export.left_out), ((1, 1), 0));
        assert_eq!(judge(&export, "1.0.0.0/24", 13335), Validity::Valid);
        assert_eq!(judge(&export, "2001:db8:1::/48", 13335), Validity::Invalid);
        let export = read(ROUTINATOR.as_bytes()).unwrap();
        assert_eq!(judge(&export, "193.0.0.0/21", 3333), Validity::Valid);
        assert_eq!(judge(&export, "193.0.0.0/22", 3333), Validity::Invalid, "without a length only the prefix itself");
    }

    #[test]
    fn what_is_no_export_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"roas": []}"#,
            r#"{"roas": {}}"#,
            r#"{"roas": [{"prefix": "1.0.0.0/24", "maxLength": 24}]}"#,
            r#"{"roas": [{"prefix": "1.0.0.0/24", "maxLength": 23, "asn": 1}]}"#,
            r#"{"roas": [{"prefix": "1.0.0.0/24", "asn": "ASx"}]}"#,
            r#"{"roas": [{"prefix": "1.0.0.0/24", "asn": 4294967296}]}"#,
            r#"{"roas": [{"prefix": "1.0.0.0/24", "asn": 1}]"#,
            r#"{"roas": [{"prefix": "1.0.0.0/24", "asn": 1}]} x"#,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn one_bad_payload_among_many_is_left_out() {
        let good = r#"{"prefix": "1.0.0.0/24", "asn": 1},"#.repeat(200);
        let text = format!(r#"{{"roas": [{good}{{"prefix": "1.0.0.0/24", "maxLength": 20, "asn": 1}}]}}"#);
        let export = read(text.as_bytes()).unwrap();
        assert_eq!((export.table.counts().0, export.left_out), (1, 1));
    }
}
