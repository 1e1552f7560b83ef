//! Hidden peers: networks that are not offered at an exchange.

use meetme_app::{Error, peering::Ruled};
use meetme_model::mirror::{HiddenPeer, PdbLan, PdbNetwork};
use meetme_store::{Filter, Op, Resource as _, Tx};

use crate::{
    json,
    model::{About, Field, How, Model, Sieve, everything},
    query::{self, no_choice, truth},
};

type Of = HiddenPeer;
type F = Field<Of>;

/// The answer of a filter: the text of a refusal is inside.
type Found = Result<Result<Filter, String>, Error>;

fn is_expired(tx: &mut Tx<'_>, values: &[&str]) -> Found {
    let past = Filter::is("until", Op::Le(tx.now().into()));
    Ok(Ok(match values.last().and_then(|text| truth(text)) {
        Some(true) => past,
        Some(false) => past.not(),
        None => Filter::All,
    }))
}

/// Rows that name one of those rows of the copy: `field` of theirs has these values.
fn named<R: Ruled>(tx: &mut Tx<'_>, own: &str, field: &str, values: &[&str]) -> Found {
    let mut numbers = Vec::new();
    for value in values {
        let Ok(number) = value.parse::<i64>() else { return Ok(Err(no_choice(value))) };
        let found = tx.as_system(|tx| tx.ids_by::<R>("pdb_id", &Filter::eq(field, number)))?;
        if found.is_empty() {
            return Ok(Err(no_choice(value)));
        }
        numbers.extend(found.into_keys());
    }
    Ok(Ok(Filter::is_in(own, numbers)))
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "HiddenPeer",
        verbose: "hidden peer",
        app: "peeringdb",
        path: "hidden-peers",
        old: &[],
        number: 113,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "peeringdb_network", "peeringdb_ixlan", "until"],
        order: &["network", "lan"],
        filters: &[
            Sieve::new("until", How::Number("until")),
            Sieve::new("is_expired", How::Asked(&[""], |tx, _, _, values| is_expired(tx, values))),
            Sieve::new(
                "peeringdb_network_id",
                How::Asked(&[""], |tx, _, _, v| named::<PdbNetwork>(tx, "network", "pdb_id", v)),
            ),
            Sieve::new(
                "peeringdb_network_asn",
                How::Asked(&[""], |tx, _, _, v| named::<PdbNetwork>(tx, "network", "asn", v)),
            ),
            Sieve::new("peeringdb_ixlan_id", How::Asked(&[""], |tx, _, _, v| named::<PdbLan>(tx, "lan", "pdb_id", v))),
        ],
        aliases: &[],
        read_only: false,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["comments"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(Of::default),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::integer("peeringdb_network", "network", 1, i32::MAX as i64, |r| r.spec.network, |d, n| d.spec.network = n)
            .nullable(),
        F::integer("peeringdb_ixlan", "lan", 1, i32::MAX as i64, |r| r.spec.lan, |d, n| d.spec.lan = n).nullable(),
        F::moment("until", "until", |r| r.spec.until, Some(|d, time| d.spec.until = time)),
        F::comments(|s| Some(&s.comments), |s, t| s.comments = t.unwrap_or_default()),
        F::made("is_expired", "boolean", |r, scene, _, out| {
            json::boolean(out, r.spec.is_expired(scene.app.now()));
        }),
    ],
};
