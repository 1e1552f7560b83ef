//! The templates that come with Meetme, one for each make of daemon, and putting them into a book.

use meetme_base::RawId;
use meetme_model::routing::{Template, TemplatePurpose};
use meetme_store::{Filter, Tx};

use crate::Error;

/// A template that comes with Meetme.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name in a book.
    pub name: &'static str,
    /// The make of daemon whose language it writes, as equipment spells it.
    pub make: &'static str,
    /// A line for people.
    pub description: &'static str,
    /// The text.
    pub text: &'static str,
}

/// The templates that come with Meetme.
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        name: "Meetme BIRD 2",
        make: "bird",
        description: "BIRD 2 by good practice: RFC 7454, 8212, 9234, 8326, 7999, IRR, RPKI, limits",
        text: include_str!("../../../../templates/bird2.j2"),
    },
    Shipped {
        name: "Meetme FRR",
        make: "frr",
        description: "FRR by good practice: RFC 7454, 8212, 9234, 8326, 7999, IRR, RPKI, limits",
        text: include_str!("../../../../templates/frr.j2"),
    },
    Shipped {
        name: "Meetme GoBGP",
        make: "gobgp",
        description: "GoBGP by good practice: RFC 7454, 8212, 8326, IRR, RPKI, limits",
        text: include_str!("../../../../templates/gobgp.j2"),
    },
    Shipped {
        name: "Meetme OpenBGPD",
        make: "openbgpd",
        description: "OpenBGPD by good practice: RFC 7454, 8212, 9234, 8326, 7999, IRR, RPKI, limits",
        text: include_str!("../../../../templates/openbgpd.j2"),
    },
];

/// Puts the templates that come with Meetme into a book, and brings those that are there up to date. Answers how many rows were
/// written. They keep their names: who wants another text copies one and gives the copy another name.
///
/// # Errors
/// When the caller may not write templates there.
pub fn install(tx: &mut Tx<'_>, tenant: RawId) -> Result<usize, Error> {
    let mut written = 0;
    for shipped in SHIPPED {
        let spec = Template {
            name: shipped.name.to_owned(),
            purpose: TemplatePurpose::Router,
            text: shipped.text.to_owned(),
            trim: true,
            lstrip: true,
            description: Some(shipped.description.to_owned()),
            ..Template::default()
        };
        let here = Filter::eq("tenant", tenant).and(Filter::eq("name", shipped.name));
        match tx.one::<Template>(&here.and(Filter::eq("purpose", "router")))? {
            None => {
                tx.create(tenant, spec)?;
                written += 1;
            }
            Some(row) if row.spec.text == spec.text && row.spec.trim && row.spec.lstrip => {}
            Some(mut row) => {
                let spec = Template { comments: row.spec.comments.clone(), tags: row.spec.tags.clone(), ..spec };
                tx.save(&mut row, spec)?;
                written += 1;
            }
        }
    }
    Ok(written)
}
