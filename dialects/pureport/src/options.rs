//! The algorithms a tunnel can be made of, by list. Clients show them as choices.

use meetme_app::Error;
use meetme_base::Kind;
use meetme_http::{Cx, Reply};
use serde::Serialize;

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Choice {
    value: &'static str,
    description: String,
    default: bool,
    #[serde(rename = "unsafe")]
    is_unsafe: bool,
    aead: bool,
}

const AES: &[&str] = &["AES_128", "AES_192", "AES_256"];
const COUNTER: &[&str] = &["AES_128_CTR", "AES_192_CTR", "AES_256_CTR"];
const GCM: &[&str] = &[
    "AES_128_GCM_64",
    "AES_192_GCM_64",
    "AES_256_GCM_64",
    "AES_128_GCM_96",
    "AES_192_GCM_96",
    "AES_256_GCM_96",
    "AES_128_GCM_128",
    "AES_192_GCM_128",
    "AES_256_GCM_128",
];
const GMAC: &[&str] = &["AES_128_GMAC", "AES_192_GMAC", "AES_256_GMAC"];
const NULL: &[&str] = &["NULL"];
const HMAC: &[&str] = &["MD5_HMAC", "SHA1_HMAC", "SHA256_HMAC", "SHA384_HMAC", "SHA512_HMAC"];
const XCBC: &[&str] = &["AES_XCBC"];
const PRF: &[&str] = &["MD5", "SHA_1", "AES_XCBC", "SHA_256", "SHA_384", "SHA_512"];
const GROUPS: &[&str] = &[
    "MODP_1024",
    "MODP_1536",
    "MODP_2048",
    "MODP_3072",
    "MODP_4096",
    "MODP_6144",
    "MODP_8192",
    "ECP_192",
    "ECP_224",
    "ECP_256",
    "ECP_384",
    "ECP_521",
];

/// The lists in their order.
const LISTS: &[(&str, &[&[&str]])] = &[
    ("IKEV1IKEEncryption", &[AES]),
    ("IKEV1IKEIntegrity", &[HMAC]),
    ("IKEV1IKEDHGroup", &[GROUPS]),
    ("IKEV1ESPEncryption", &[NULL, AES, COUNTER, GCM, GMAC]),
    ("IKEV1ESPIntegrity", &[HMAC, XCBC]),
    ("IKEV1ESPDHGroup", &[GROUPS]),
    ("IKEV2IKEEncryption", &[NULL, AES, COUNTER, GCM]),
    ("IKEV2IKEPRF", &[PRF]),
    ("IKEV2IKEIntegrity", &[HMAC, XCBC]),
    ("IKEV2IKEDHGroup", &[GROUPS]),
    ("IKEV2ESPEncryption", &[NULL, AES, COUNTER, GCM, GMAC]),
    ("IKEV2ESPIntegrity", &[HMAC, XCBC]),
    ("IKEV2ESPDHGroup", &[GROUPS]),
];

/// What clients take when nothing is chosen.
const DEFAULTS: &[&str] = &["AES_128", "SHA256_HMAC", "SHA_256", "MODP_2048"];
/// What RFC 8221, RFC 8247 and RFC 9395 advise against, or what does not encipher at all.
const UNSAFE: &[&str] =
    &["NULL", "MD5_HMAC", "SHA1_HMAC", "MD5", "SHA_1", "MODP_1024", "MODP_1536", "ECP_192", "ECP_224"];

fn choice(value: &'static str) -> Choice {
    Choice {
        value,
        description: value.replace('_', " "),
        default: DEFAULTS.contains(&value),
        is_unsafe: UNSAFE.contains(&value),
        aead: GCM.contains(&value) || GMAC.contains(&value),
    }
}

fn list(name: &str) -> Option<Vec<Choice>> {
    let (_, parts) = LISTS.iter().find(|(n, _)| *n == name)?;
    Some(parts.iter().copied().flatten().map(|value| choice(value)).collect())
}

/// `GET /options`.
pub async fn find_all(cx: Cx) -> Result<Reply, Error> {
    let wanted: Vec<&str> = cx.query.all("type").flat_map(|v| v.split(',')).collect();
    let names = LISTS.iter().map(|(name, _)| *name).filter(|name| wanted.is_empty() || wanted.contains(name));
    let map: std::collections::BTreeMap<&str, Vec<Choice>> =
        names.filter_map(|name| list(name).map(|choices| (name, choices))).collect();
    Ok(Reply::ok(&map))
}

/// `GET /options/{type}`.
pub async fn get(cx: Cx) -> Result<Reply, Error> {
    let name = cx.param("type");
    let choices = list(name).ok_or_else(|| Error::missing(Kind::new("option"), name))?;
    Ok(Reply::ok(&choices))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_one_default_that_is_not_advised_against() {
        for (name, _) in LISTS {
            let choices = list(name).unwrap();
            let defaults: Vec<_> = choices.iter().filter(|c| c.default).collect();
            assert!(matches!(defaults[..], [one] if !one.is_unsafe), "{name}");
        }
    }
}
