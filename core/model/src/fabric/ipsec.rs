//! The values of an IPsec tunnel between us and the customer's router (RFC 7296; version 1 by RFC 2409).

use std::net::IpAddr;

use meetme_base::{Invalid, IpNet, Sealed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    check,
    fabric::{check_network, same_family},
};

/// A tunnel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ipsec {
    /// The version of the key exchange: 1 or 2.
    #[serde(default = "two")]
    pub version: u8,
    /// How keys are exchanged.
    #[serde(default)]
    pub ike: Ike,
    /// How traffic is protected.
    #[serde(default)]
    pub esp: Esp,
    /// The key both sides know; made up when it was not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psk: Option<Sealed>,
    /// Our address; allotted when it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<IpAddr>,
    /// The customer's router.
    pub remote: IpAddr,
    /// How we call ourselves; our address when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    /// How the customer's router must call itself; its address when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// Whether we wait for the customer's router to begin.
    #[serde(default)]
    pub passive: bool,
    /// Which traffic enters the tunnel, when no routing says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selectors: Vec<Selector>,
}

const fn two() -> u8 {
    2
}

/// How the keys of a tunnel are exchanged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ike {
    /// The cipher.
    pub encryption: Encryption,
    /// The check sum; a cipher that checks by itself has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<Integrity>,
    /// What keys are derived with, where the check sum does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prf: Option<Prf>,
    /// The Diffie-Hellman group.
    pub dh: DhGroup,
    /// How many seconds keys are used, 3600..=604800.
    #[serde(default = "day")]
    pub lifetime: u32,
    /// After how many idle seconds the other side is asked whether it lives, 0..=900; 0 is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpd_delay: Option<u32>,
    /// After how many seconds without an answer it is taken for dead, 0..=1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpd_timeout: Option<u32>,
}

/// How the traffic of a tunnel is protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Esp {
    /// The cipher.
    pub encryption: Encryption,
    /// The check sum; a cipher that checks by itself has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<Integrity>,
    /// The Diffie-Hellman group of new keys; keys are derived from the old ones when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dh: Option<DhGroup>,
    /// How many seconds keys are used, 600..=86400.
    #[serde(default = "hour")]
    pub lifetime: u32,
}

const fn day() -> u32 {
    86_400
}

const fn hour() -> u32 {
    3_600
}

impl Default for Ike {
    fn default() -> Self {
        Self {
            encryption: Encryption::Aes128,
            integrity: Some(Integrity::Sha256Hmac),
            prf: None,
            dh: DhGroup::Modp2048,
            lifetime: day(),
            dpd_delay: None,
            dpd_timeout: None,
        }
    }
}

impl Default for Esp {
    fn default() -> Self {
        Self {
            encryption: Encryption::Aes128,
            integrity: Some(Integrity::Sha256Hmac),
            dh: Some(DhGroup::Modp2048),
            lifetime: hour(),
        }
    }
}

/// A pair of networks whose traffic enters the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selector {
    /// The network at the customer's side.
    #[schemars(with = "String")]
    pub theirs: IpNet,
    /// The network at our side.
    #[schemars(with = "String")]
    pub ours: IpNet,
}

/// A cipher. The number after a mode is the length of its check sum in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Encryption {
    #[serde(rename = "null")]
    Null,
    #[serde(rename = "aes_128")]
    Aes128,
    #[serde(rename = "aes_192")]
    Aes192,
    #[serde(rename = "aes_256")]
    Aes256,
    #[serde(rename = "aes_128_ctr")]
    Aes128Ctr,
    #[serde(rename = "aes_192_ctr")]
    Aes192Ctr,
    #[serde(rename = "aes_256_ctr")]
    Aes256Ctr,
    #[serde(rename = "aes_128_gcm_64")]
    Aes128Gcm64,
    #[serde(rename = "aes_192_gcm_64")]
    Aes192Gcm64,
    #[serde(rename = "aes_256_gcm_64")]
    Aes256Gcm64,
    #[serde(rename = "aes_128_gcm_96")]
    Aes128Gcm96,
    #[serde(rename = "aes_192_gcm_96")]
    Aes192Gcm96,
    #[serde(rename = "aes_256_gcm_96")]
    Aes256Gcm96,
    #[serde(rename = "aes_128_gcm_128")]
    Aes128Gcm128,
    #[serde(rename = "aes_192_gcm_128")]
    Aes192Gcm128,
    #[serde(rename = "aes_256_gcm_128")]
    Aes256Gcm128,
    #[serde(rename = "aes_128_gmac")]
    Aes128Gmac,
    #[serde(rename = "aes_192_gmac")]
    Aes192Gmac,
    #[serde(rename = "aes_256_gmac")]
    Aes256Gmac,
}

impl Encryption {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &[
        "null",
        "aes_128",
        "aes_192",
        "aes_256",
        "aes_128_ctr",
        "aes_192_ctr",
        "aes_256_ctr",
        "aes_128_gcm_64",
        "aes_192_gcm_64",
        "aes_256_gcm_64",
        "aes_128_gcm_96",
        "aes_192_gcm_96",
        "aes_256_gcm_96",
        "aes_128_gcm_128",
        "aes_192_gcm_128",
        "aes_256_gcm_128",
        "aes_128_gmac",
        "aes_192_gmac",
        "aes_256_gmac",
    ];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
    /// Whether it checks by itself that nothing was altered, and so needs no check sum.
    pub const fn is_authenticated(self) -> bool {
        self as u8 >= Self::Aes128Gcm64 as u8
    }
    /// Whether it can protect the exchange of keys in this version: what does not encipher cannot, and version 1 knows the
    /// plain modes only.
    pub const fn fits_ike(self, version: u8) -> bool {
        match self {
            Self::Null | Self::Aes128Gmac | Self::Aes192Gmac | Self::Aes256Gmac => false,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => true,
            _ => version == 2,
        }
    }
}

/// A keyed check sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Integrity {
    Md5Hmac,
    Sha1Hmac,
    Sha256Hmac,
    Sha384Hmac,
    Sha512Hmac,
    AesXcbc,
}

impl Integrity {
    /// Every word.
    pub const WORDS: &'static [&'static str] =
        &["md5_hmac", "sha1_hmac", "sha256_hmac", "sha384_hmac", "sha512_hmac", "aes_xcbc"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// What keys are derived with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Prf {
    #[serde(rename = "md5")]
    Md5,
    #[serde(rename = "sha_1")]
    Sha1,
    #[serde(rename = "aes_xcbc")]
    AesXcbc,
    #[serde(rename = "sha_256")]
    Sha256,
    #[serde(rename = "sha_384")]
    Sha384,
    #[serde(rename = "sha_512")]
    Sha512,
}

impl Prf {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["md5", "sha_1", "aes_xcbc", "sha_256", "sha_384", "sha_512"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// A Diffie-Hellman group: its form and its size in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DhGroup {
    #[serde(rename = "modp_1024")]
    Modp1024,
    #[serde(rename = "modp_1536")]
    Modp1536,
    #[serde(rename = "modp_2048")]
    Modp2048,
    #[serde(rename = "modp_3072")]
    Modp3072,
    #[serde(rename = "modp_4096")]
    Modp4096,
    #[serde(rename = "modp_6144")]
    Modp6144,
    #[serde(rename = "modp_8192")]
    Modp8192,
    #[serde(rename = "ecp_192")]
    Ecp192,
    #[serde(rename = "ecp_224")]
    Ecp224,
    #[serde(rename = "ecp_256")]
    Ecp256,
    #[serde(rename = "ecp_384")]
    Ecp384,
    #[serde(rename = "ecp_521")]
    Ecp521,
}

impl DhGroup {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &[
        "modp_1024",
        "modp_1536",
        "modp_2048",
        "modp_3072",
        "modp_4096",
        "modp_6144",
        "modp_8192",
        "ecp_192",
        "ecp_224",
        "ecp_256",
        "ecp_384",
        "ecp_521",
    ];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

impl Ipsec {
    /// A tunnel to the customer's router with everything else as it usually is.
    pub fn new(remote: IpAddr) -> Self {
        Self {
            version: two(),
            ike: Ike::default(),
            esp: Esp::default(),
            psk: None,
            local: None,
            remote,
            local_id: None,
            remote_id: None,
            passive: false,
            selectors: Vec::new(),
        }
    }

    /// Whether the values are good together.
    ///
    /// # Errors
    /// The first that is not, by its name within the tunnel.
    pub fn check(&self) -> Result<(), Invalid> {
        check::range("version", self.version, 1, 2)?;
        self.ike.check(self.version).map_err(|e| e.under("ike"))?;
        self.esp.check().map_err(|e| e.under("esp"))?;
        if self.local.is_some_and(|l| l.is_ipv4() != self.remote.is_ipv4()) {
            return Err(Invalid::rule("local", "Both ends of a tunnel must be of one family."));
        }
        if self.local == Some(self.remote) {
            return Err(Invalid::rule("remote", "Both ends of a tunnel must differ."));
        }
        check::length("local_id", self.local_id.as_deref().unwrap_or_default(), 255)?;
        check::length("remote_id", self.remote_id.as_deref().unwrap_or_default(), 255)?;
        for (i, selector) in self.selectors.iter().enumerate() {
            check_network(&format!("selectors.{i}.theirs"), selector.theirs)?;
            check_network(&format!("selectors.{i}.ours"), selector.ours)?;
            if !same_family(selector.theirs, selector.ours) {
                return Err(Invalid::rule(format!("selectors.{i}"), "Both networks must be of one family."));
            }
        }
        Ok(())
    }
}

impl Ike {
    fn check(&self, version: u8) -> Result<(), Invalid> {
        if !self.encryption.fits_ike(version) {
            return Err(Invalid::choice("encryption", self.encryption.word()));
        }
        check_integrity(self.encryption, self.integrity)?;
        if version == 1 {
            if self.integrity == Some(Integrity::AesXcbc) {
                return Err(Invalid::choice("integrity", Integrity::AesXcbc.word()));
            }
            if self.prf.is_some() {
                return Err(Invalid::rule("prf", "Version 1 derives keys with its check sum."));
            }
        }
        if self.encryption.is_authenticated() && self.prf.is_none() {
            return Err(Invalid::required("prf"));
        }
        check::range("lifetime", self.lifetime, 3_600, 604_800)?;
        self.dpd_delay.map_or(Ok(()), |n| check::range("dpd_delay", n, 0, 900))?;
        self.dpd_timeout.map_or(Ok(()), |n| check::range("dpd_timeout", n, 0, 1_000))
    }
}

impl Esp {
    fn check(&self) -> Result<(), Invalid> {
        check_integrity(self.encryption, self.integrity)?;
        check::range("lifetime", self.lifetime, 600, 86_400)
    }
}

fn check_integrity(encryption: Encryption, integrity: Option<Integrity>) -> Result<(), Invalid> {
    match (encryption.is_authenticated(), integrity) {
        (true, Some(_)) => {
            Err(Invalid::rule("integrity", format!("{} checks by itself and takes no check sum.", encryption.word())))
        }
        (false, None) => Err(Invalid::required("integrity")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(spec: serde_json::Value) -> Option<String> {
        let mut whole = serde_json::json!({"remote": "203.0.113.9"});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        serde_json::from_value::<Ipsec>(whole).unwrap().check().err().map(|e| e.field)
    }

    fn ike(version: u8, encryption: &str, integrity: Option<&str>, prf: Option<&str>) -> Option<String> {
        let ike = serde_json::json!({"encryption": encryption, "integrity": integrity, "prf": prf, "dh": "ecp_256"});
        complaint(serde_json::json!({"version": version, "ike": ike}))
    }

    #[test]
    fn the_words_are_those_that_are_stored() {
        for word in Encryption::WORDS {
            assert_eq!(Encryption::parse(word).map(Encryption::word), Some(*word));
        }
        for word in Integrity::WORDS {
            assert_eq!(Integrity::parse(word).map(Integrity::word), Some(*word));
        }
        for word in Prf::WORDS {
            assert_eq!(Prf::parse(word).map(Prf::word), Some(*word));
        }
        for word in DhGroup::WORDS {
            assert_eq!(DhGroup::parse(word).map(DhGroup::word), Some(*word));
        }
    }

    #[test]
    fn a_cipher_that_checks_by_itself_takes_no_check_sum() {
        assert_eq!(complaint(serde_json::json!({})), None);
        assert_eq!(ike(2, "aes_256_gcm_128", None, Some("sha_256")), None);
        assert_eq!(ike(2, "aes_256_gcm_128", Some("sha256_hmac"), Some("sha_256")).as_deref(), Some("ike.integrity"));
        assert_eq!(ike(2, "aes_256_gcm_128", None, None).as_deref(), Some("ike.prf"));
        assert_eq!(ike(2, "aes_256", None, None).as_deref(), Some("ike.integrity"));
        let esp = serde_json::json!({"esp": {"encryption": "aes_128_gmac", "integrity": "md5_hmac"}});
        assert_eq!(complaint(esp).as_deref(), Some("esp.integrity"));
    }

    #[test]
    fn version_1_knows_the_plain_modes_only() {
        assert_eq!(ike(1, "aes_192", Some("sha1_hmac"), None), None);
        assert_eq!(ike(1, "aes_192_ctr", Some("sha1_hmac"), None).as_deref(), Some("ike.encryption"));
        assert_eq!(ike(1, "aes_192", Some("aes_xcbc"), None).as_deref(), Some("ike.integrity"));
        assert_eq!(ike(1, "aes_192", Some("sha1_hmac"), Some("sha_1")).as_deref(), Some("ike.prf"));
        assert_eq!(ike(2, "null", Some("sha1_hmac"), None).as_deref(), Some("ike.encryption"));
    }

    #[test]
    fn a_selector_pairs_networks_of_one_family() {
        let with =
            |theirs: &str| complaint(serde_json::json!({"selectors": [{"theirs": theirs, "ours": "10.2.0.0/16"}]}));
        assert_eq!(with("10.1.0.0/16"), None);
        assert_eq!(with("2001:db8::/32").as_deref(), Some("selectors.0"));
        assert_eq!(with("10.1.0.1/16").as_deref(), Some("selectors.0.theirs"));
    }
}
