//! Where on Earth something is.

use meetme_base::Invalid;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check;

/// A point on Earth (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Geo {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

impl Geo {
    /// Whether there is such a point.
    ///
    /// # Errors
    /// Names the coordinate under `field`.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        check::range(&format!("{field}.latitude"), self.latitude, -90.0, 90.0)?;
        check::range(&format!("{field}.longitude"), self.longitude, -180.0, 180.0)
    }
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PostalAddress {
    /// Street and number, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// The city.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// The state, province or canton.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The country code of ISO 3166-1, two capital letters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub country: String,
}

impl PostalAddress {
    /// Whether the values are good in themselves. An empty country is not known yet.
    ///
    /// # Errors
    /// Names the part under `field`.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        for (i, line) in self.lines.iter().enumerate() {
            check::length(&format!("{field}.lines.{i}"), line, 255)?;
        }
        check::length(&format!("{field}.city"), &self.city, 255)?;
        check::length(&format!("{field}.state"), self.state.as_deref().unwrap_or_default(), 255)?;
        check::length(&format!("{field}.postal_code"), self.postal_code.as_deref().unwrap_or_default(), 50)?;
        if self.country.is_empty() {
            return Ok(());
        }
        super::check_country(&format!("{field}.country"), &self.country)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_off_the_globe_is_refused_by_its_coordinate() {
        let point = |latitude, longitude| Geo { latitude, longitude }.check("geo").map_err(|e| e.field);
        assert_eq!(point(-90.0, 180.0), Ok(()));
        assert_eq!(point(90.5, 0.0), Err("geo.latitude".into()));
        assert_eq!(point(0.0, -181.0), Err("geo.longitude".into()));
    }
}
