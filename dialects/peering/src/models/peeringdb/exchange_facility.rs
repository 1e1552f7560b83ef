//! Presences of exchanges in facilities in the copy of the public peering database.

use meetme_model::mirror::{PdbExchange, PdbExchangeFacility, PdbFacility};
use meetme_store::Resource as _;

use super::{exchange, facility};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbExchangeFacility;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "InternetExchangeFacility",
        verbose: "internet exchange facility",
        app: "peeringdb",
        path: "internet-exchange-facilities",
        old: &[],
        number: 107,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &["id", "ix", "fac"],
        order: &["pdb_id"],
        filters: &[
            Sieve::new("id", How::Number("pdb_id")),
            Sieve::new("ix_id", How::Row("ix", PdbExchange::KIND, "pdb_id")),
            Sieve::new("fac_id", How::Row("fac", PdbFacility::KIND, "pdb_id")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["ix.name", "fac.name"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::number(),
        F::one("ix", "ix", &exchange::MODEL, |s| s.ix, |_, _| {}).kept(),
        F::one("fac", "fac", &facility::MODEL, |s| s.fac, |_, _| {}).kept(),
    ],
};
