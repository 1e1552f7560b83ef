//! Contacts of networks in the copy of the public peering database.

use meetme_model::mirror::{PdbContact, PdbNetwork};
use meetme_store::Resource as _;

use super::{network, visible, words::ROLES};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbContact;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "NetworkContact",
        verbose: "network contact",
        app: "peeringdb",
        path: "network-contacts",
        old: &[],
        number: 105,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &["id", "display", "role", "visible", "name", "phone", "email", "url", "net"],
        order: &["pdb_id"],
        filters: &[
            Sieve::new("id", How::Number("pdb_id")),
            Sieve::new("name", How::Text("name")),
            Sieve::new("email", How::Text("email")),
            Sieve::new("role", How::Choice("role", ROLES)),
            Sieve::new("net_id", How::Row("net", PdbNetwork::KIND, "pdb_id")),
            Sieve::new("net_asn", How::Row("net", PdbNetwork::KIND, "asn")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name", "role", "email"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::number(),
        F::display(),
        F::text("role", "role", usize::MAX, |s| Some(&s.role), |_, _| {}).kept(),
        F::visible(|r| visible(&r.spec.visible)),
        F::text("name", "name", 254, |s| Some(&s.name), |_, _| {}).kept(),
        F::text("phone", "", 100, |s| Some(&s.phone), |_, _| {}).kept(),
        F::text("email", "email", 254, |s| Some(&s.email), |_, _| {}).kept(),
        F::text("url", "", 255, |s| Some(&s.url), |_, _| {}).kept(),
        F::one("net", "net", &network::MODEL, |s| s.net, |_, _| {}).kept(),
    ],
};
