//! What can be put on a machine or started as a virtual appliance.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, OnDelete, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, plan::strip_dots};
use crate::{
    Ext, Nothing, check,
    edge::{ids, without},
};

/// An operating system or an appliance in one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Image {
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Who makes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// What its maker calls the product.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// The distribution, in one word; empty for appliances.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub distro: String,
    /// The version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The maker's product code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The name of the first user on the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// Whether it needs a licence that is paid for.
    pub licensed: bool,
    /// Whether machines may wait with it already installed.
    pub preinstall: bool,
    /// Whether its maker has released it for everyone.
    pub released: bool,
    /// Whether it is meant when none is named.
    pub default: bool,
    /// What the machine starts from.
    pub boot: Boot,
    /// Where it is fetched from when it is installed; absent where its equipment knows it by its short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ImageSource>,
    /// The plans it runs on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<Id<Plan>>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// Where a machine fetches an image from, and what it must be to be written to its disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ImageSource {
    /// Its address, which machines reach without a name service: `http://198.51.100.7/debian-12.raw.gz`.
    pub url: String,
    /// The SHA-256 of what is fetched, as 64 hexadecimal digits.
    pub sha256: String,
    /// What is fetched.
    pub form: ImageForm,
}

/// The form of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageForm {
    /// A whole disk, byte by byte.
    #[default]
    Raw,
    /// The same, packed by gzip (RFC 1952).
    Gzip,
    /// The disk image form of QEMU; one that builds on another file is refused by the machine that is installed.
    Qcow2,
}

impl ImageForm {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["raw", "gzip", "qcow2"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl ImageSource {
    fn check(&self) -> Result<(), Invalid> {
        check::length("source.url", &self.url, 1024)?;
        // What stands here is read by a shell: nothing but what an address is made of.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@!&()*+,;=%".contains(c);
        let is_address = ["http://", "https://"].iter().any(|scheme| self.url.starts_with(scheme));
        if !is_address || !self.url.chars().all(is_plain) {
            return Err(Invalid::format("source.url", "an http or https URL"));
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Invalid::format("source.sha256", "64 hexadecimal digits"));
        }
        Ok(())
    }
}

/// What a machine with an image starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Boot {
    /// Its own disk, on which the image is installed.
    #[default]
    Disk,
    /// A script of the customer's over the network; nothing is installed.
    Script,
}

impl Boot {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["disk", "script"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Resource for Image {
    const KIND: Kind = Kind::new("image");
    const AREA: &'static str = "place";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("vendor", FieldType::Text, |s: &Self| s.vendor.as_str().into()).searchable(),
        Field::new("product", FieldType::Text, |s: &Self| s.product.as_str().into()).searchable(),
        Field::new("distro", FieldType::Text, |s| s.distro.as_str().into()),
        Field::new("image_version", FieldType::Text, |s| s.version.as_str().into()),
        Field::new("code", FieldType::Text, |s| s.code.clone().into()),
        Field::new("licensed", FieldType::Bool, |s| s.licensed.into()),
        Field::new("preinstall", FieldType::Bool, |s| s.preinstall.into()),
        Field::new("released", FieldType::Bool, |s| s.released.into()),
        Field::new("default", FieldType::Bool, |s| s.default.into()),
        Field::new("boot", FieldType::Text, |s: &Self| s.boot.word().into()).words(Boot::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] =
        &[Edge::many("plans", &[Plan::KIND], OnDelete::Detach, |s| ids(&s.plans), |s, id| without(&mut s.plans, id))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::slug("slug", &strip_dots(&self.slug), 100)?;
        check::name("name", &self.name, 255)?;
        for (field, text) in [
            ("vendor", self.vendor.as_str()),
            ("product", &self.product),
            ("distro", &self.distro),
            ("version", &self.version),
            ("code", self.code.as_deref().unwrap_or_default()),
        ] {
            check::length(field, text, 255)?;
        }
        self.source.as_ref().map_or(Ok(()), ImageSource::check)?;
        // 32 characters is the longest login name that every system takes.
        check::length("login", self.login.as_deref().unwrap_or_default(), 32)
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_fetched_from_an_address_and_must_be_what_is_expected() {
        let image = |url: &str, sha256: &str| Image {
            slug: "x".into(),
            name: "X".into(),
            source: Some(ImageSource { url: url.into(), sha256: sha256.into(), form: ImageForm::Gzip }),
            ..Image::default()
        };
        let digits = "0a".repeat(32);
        let field = |image: Image| image.check(None).err().map(|e| e.field).unwrap_or_default();
        assert_eq!(field(image("http://198.51.100.7/x.gz?v=1", &digits)), "");
        for bad in ["ftp://x/y", "http://x/$(reboot)", "http://x/a b", "http://x/`id`", "http://x/'"] {
            assert_eq!(field(image(bad, &digits)), "source.url", "{bad}");
        }
        assert_eq!(field(image("https://x/y", &digits[1..])), "source.sha256");
    }
}
