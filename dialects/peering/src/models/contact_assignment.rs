//! Which contact belongs to which object.

use meetme_app::Error;
use meetme_base::{Id, RawId};
use meetme_model::ops::{Contact, ContactAssignment, ContactRole};
use meetme_store::{Filter, Object, Resource as _, Tx};

use super::{contact, contact_role, content_type};
use crate::{
    model::{About, Field, How, Model, Need, Sieve, everything},
    query,
    scene::{Loaded, Scene},
};

type Of = ContactAssignment;
type F = Field<Of>;

fn fresh() -> Of {
    Of { object: RawId::new(0), sort: String::new(), contact: Id::new(0), role: None }
}

/// `Jane Doe (NOC)`.
fn display(row: &Object<Of>, loaded: &Loaded) -> String {
    let contact = loaded.name("Contact", row.spec.contact.any()).unwrap_or_default();
    match row.spec.role.and_then(|role| loaded.name("ContactRole", role.any())) {
        Some(role) => format!("{contact} ({role})"),
        None => contact.to_owned(),
    }
}

/// Roles by name or slug: clients of both habits are about.
fn role(tx: &mut Tx<'_>, _: &Scene, suffix: &str, values: &[&str]) -> Result<Result<Filter, String>, Error> {
    let mut ids = Vec::new();
    for value in values {
        let found = tx.ids::<ContactRole>(&Filter::eq("slug", *value).or(Filter::eq("name", *value)))?;
        if found.is_empty() {
            return Ok(Err(query::no_choice(value)));
        }
        ids.extend(found);
    }
    let has = Filter::is_in("role", ids);
    Ok(Ok(if suffix == "n" { has.not() } else { has }))
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "ContactAssignment",
        verbose: "contact assignment",
        app: "messaging",
        path: "contact-assignments",
        old: &[],
        number: 43,
        kind: Of::KIND,
        brief: &["id", "url", "display", "contact", "role"],
        order: &["contact.name", "role.name"],
        filters: &[
            Sieve::new("content_type", How::Type("sort")),
            Sieve::new("content_type_id", How::Type("sort")),
            Sieve::new("object_id", How::Number("object")),
            Sieve::new("contact_id", How::Row("contact", Contact::KIND, "id")),
            Sieve::new("role_id", How::Row("role", ContactRole::KIND, "id")),
            Sieve::new("role", How::Asked(&["", "n"], role)),
        ],
        aliases: &[],
        read_only: false,
        tagged: false,
        only: everything,
        search: |_| Filter::All,
    },
    needs: &[
        Need { of: &contact::MODEL, edge: "contact", get: |s| Some(s.contact.any()) },
        Need { of: &contact_role::MODEL, edge: "role", get: |s| s.role.map(Id::any) },
    ],
    display,
    fresh: Some(fresh),
    fields: &[
        F::id(),
        F::url(),
        F::display(),
        F::parsed(
            "content_type",
            "sort",
            |s| content_type::spelled(&s.sort),
            |s, t| {
                s.sort = content_type::read(t)?;
                Ok(())
            },
        )
        .required(),
        F::integer(
            "object_id",
            "object",
            0,
            i32::MAX as i64,
            |r| Some(r.spec.object.get()),
            |d, n| {
                d.spec.object = RawId::new(n.unwrap_or_default());
            },
        )
        .required(),
        F::object("object", |s| &s.sort, |s| s.object),
        F::one(
            "contact",
            "contact.name",
            &contact::MODEL,
            |s| Some(s.contact.any()),
            |s, id| s.contact = id.map_or(s.contact, |id| id.of()),
        )
        .required(),
        F::one(
            "role",
            "role.name",
            &contact_role::MODEL,
            |s| s.role.map(Id::any),
            |s, id| s.role = id.map(|id| id.of()),
        )
        .nullable(),
        F::created(),
        F::updated(),
    ],
};
