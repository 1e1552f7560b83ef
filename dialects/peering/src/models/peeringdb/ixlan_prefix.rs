//! Networks that members of exchanges have addresses in in the copy of the public peering database.

use meetme_model::mirror::{PdbLan, PdbPrefix};
use meetme_store::{Filter, Resource as _};

use super::ixlan;
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbPrefix;
type F = Field<Of>;

/// A network is found by itself, written in whatever way.
fn search(text: &str) -> Filter {
    let found = text.parse::<meetme_base::IfAddr>().map(|net| Filter::eq("prefix", net));
    found.unwrap_or(query::holds(&["ixlan.ix.name"], text))
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "IXLanPrefix",
        verbose: "ixlan prefix",
        app: "peeringdb",
        path: "ixlan-prefixes",
        old: &[],
        number: 109,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &["id", "notes", "protocol", "prefix", "in_dfz", "ixlan"],
        order: &["prefix"],
        filters: &[
            Sieve::new("id", How::Number("pdb_id")),
            Sieve::new("ixlan_id", How::Row("ixlan", PdbLan::KIND, "pdb_id")),
            Sieve::new("in_dfz", How::Flag("in_dfz")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search,
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::number(),
        F::text("notes", "", 255, |s| Some(&s.notes), |_, _| {}).kept(),
        F::text("protocol", "protocol", usize::MAX, |s| Some(&s.protocol), |_, _| {}).kept(),
        F::parsed("prefix", "prefix", |s| Some(s.prefix.to_string()), |_, _| Ok(())).kept(),
        F::flag("in_dfz", "in_dfz", |s| s.in_dfz.0, |_, _| {}).kept(),
        F::one("ixlan", "ixlan", &ixlan::MODEL, |s| s.ixlan, |_, _| {}).kept(),
    ],
};
