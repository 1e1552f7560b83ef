//! A server that a project has for itself, whether or not anything runs on it.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Server;
use crate::{
    Ext, Nothing, Term, check,
    place::{Money, Plan, Site},
};

/// A server kept for the project it hangs on. The claim on the server is the reservation's; a machine that is ordered on it only
/// borrows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reservation {
    /// The server.
    pub server: Id<Server>,
    /// The plan it was reserved as; settled when it was reserved.
    pub plan: Id<Plan>,
    /// Where it stands; settled when it was reserved.
    pub site: Id<Site>,
    /// Whether it is kept to replace another: nothing is put on it before it is made active.
    #[serde(default)]
    pub spare: bool,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How often it is paid for.
    pub term: Term,
    /// For how many of these terms it was reserved; for as long as it is not given back when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<u16>,
    /// What one term costs, where that was agreed on; else the plan's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Money>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it shall be given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_at: Option<Time>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

impl Resource for Reservation {
    const KIND: Kind = Kind::new("reservation");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("spare", FieldType::Bool, |s| s.spare.into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("started_at", FieldType::Time, |s| s.started_at.into()),
        Field::new("remove_at", FieldType::Time, |s| s.remove_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("server", &[Server::KIND], |s| Some(s.server.any())),
        Edge::refuse("plan", &[Plan::KIND], |s| Some(s.plan.any())),
        Edge::refuse("site", &[Site::KIND], |s| Some(s.site.any())),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["server"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        if before.is_some_and(|b| (b.server, b.plan, b.site) != (self.server, self.plan, self.site)) {
            return Err(Invalid::rule("server", "A reservation stays with its server."));
        }
        if let Some(intervals) = self.intervals {
            check::range("intervals", intervals, 1, 1200)?;
        }
        if let Some(rate) = &self.rate {
            rate.check("rate")?;
            check::range("rate.micros", rate.micros, 0, i64::MAX)?;
        }
        match (self.started_at, self.remove_at) {
            (Some(start), Some(end)) if end <= start => {
                Err(Invalid::rule("remove_at", "A reservation ends after it begins."))
            }
            _ => Ok(()),
        }
    }

    fn title(&self) -> String {
        self.description.clone().unwrap_or_else(|| format!("server {}", self.server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_stays_with_its_server_and_ends_after_it_begins() {
        let one = Reservation {
            server: Id::new(1),
            plan: Id::new(2),
            site: Id::new(3),
            spare: false,
            description: None,
            term: Term::Months(1),
            intervals: Some(12),
            rate: None,
            started_at: Some(Time(5)),
            remove_at: None,
            ext: Ext::new(),
        };
        let field = |after: Reservation| after.check(Some(&one)).err().map(|e| e.field).unwrap_or_default();
        assert_eq!(field(Reservation { spare: true, remove_at: Some(Time(6)), ..one.clone() }), "");
        assert_eq!(field(Reservation { server: Id::new(9), ..one.clone() }), "server");
        assert_eq!(field(Reservation { remove_at: Some(Time(5)), ..one.clone() }), "remove_at");
        assert_eq!(field(Reservation { intervals: Some(0), ..one.clone() }), "intervals");
    }
}
