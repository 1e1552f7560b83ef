//! Autonomous systems.

use meetme_app::irr::Registered;
use meetme_base::{Asn, NetRange};
use meetme_model::routing::AutonomousSystem;
use meetme_store::Resource as _;

use super::{context, number, raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = AutonomousSystem;
type F = Field<Of>;

/// Prefixes as the program that asks the registries writes them.
pub fn prefixes(known: &Registered, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"ipv6\":");
    ranges(known.prefixes6.as_deref().unwrap_or_default(), out);
    out.extend_from_slice(b",\"ipv4\":");
    ranges(known.prefixes4.as_deref().unwrap_or_default(), out);
    out.push(b'}');
}

/// One family's prefixes.
pub fn ranges(list: &[NetRange], out: &mut Vec<u8>) {
    out.push(b'[');
    for (n, range) in list.iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        let exact = range.is_exact();
        out.extend_from_slice(format!("{comma}{{\"prefix\":\"{}\",\"exact\":{exact}", range.network()).as_bytes());
        if !exact {
            let (low, high) = (range.shortest(), range.longest());
            out.extend_from_slice(format!(",\"greater-equal\":{low},\"less-equal\":{high}").as_bytes());
        }
        out.push(b'}');
    }
    out.push(b']');
}

/// The numbers behind its sets and its own.
fn as_list(own: Asn, known: Option<&Registered>, out: &mut Vec<u8>) {
    let words: Vec<String> = known.map(|known| known.members(own)).iter().flatten().map(ToString::to_string).collect();
    out.extend_from_slice(format!("[{}]", words.join(",")).as_bytes());
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "AutonomousSystem",
        verbose: "autonomous system",
        app: "peering",
        path: "autonomous-systems",
        old: &[],
        number: 1,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "asn", "name", "ipv6_max_prefixes", "ipv4_max_prefixes"],
        order: &["asn"],
        filters: &[
            Sieve::new("affiliated", How::Flag("ours")),
            Sieve::new("asn", How::Number("asn")),
            Sieve::new("name", How::Text("name")),
            Sieve::new("irr_as_set", How::Text("as_set")),
            Sieve::new("ipv4_max_prefixes", How::Number("max4")),
            Sieve::new("ipv6_max_prefixes", How::Number("max6")),
        ],
        aliases: &[
            ("irr.sources", "irr_sources_override"),
            ("irr.args4", "irr_ipv4_prefixes_args_override"),
            ("irr.args6", "irr_ipv6_prefixes_args_override"),
        ],
        read_only: false,
        tagged: true,
        only: everything,
        search: |text| {
            query::holds(&["name", "description", "as_set"], text).or(query::begins_with(
                "asn",
                text,
                i64::from(u32::MAX),
            ))
        },
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(|| Of::new(Asn::MIN, "")),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::integer(
            "asn",
            "asn",
            1,
            u32::MAX as i64,
            |r| Some(r.spec.asn.get().into()),
            |d, n| {
                d.spec.asn = n.and_then(|n| Asn::try_from(n).ok()).unwrap_or(d.spec.asn);
            },
        )
        .label("ASN")
        .required(),
        F::text("name", "name", 200, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::flag("name_peeringdb_sync", "sync_name", |s| s.sync.name, |s, b| s.sync.name = b),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::comments(|s| Some(&s.comments), |s, t| s.comments = t.unwrap_or_default()),
        F::text("irr_as_set", "as_set", 255, |s| s.as_set.as_deref(), |s, t| s.as_set = t).nullable(),
        F::flag("irr_as_set_peeringdb_sync", "sync_as_set", |s| s.sync.as_set, |s, b| s.sync.as_set = b),
        F::integer(
            "ipv6_max_prefixes",
            "max6",
            0,
            i32::MAX as i64,
            |r| Some(r.spec.max6.into()),
            |d, n| {
                d.spec.max6 = number(n);
            },
        )
        .nullable(),
        F::flag("ipv6_max_prefixes_peeringdb_sync", "sync_max6", |s| s.sync.max6, |s, b| s.sync.max6 = b),
        F::integer(
            "ipv4_max_prefixes",
            "max4",
            0,
            i32::MAX as i64,
            |r| Some(r.spec.max4.into()),
            |d, n| {
                d.spec.max4 = number(n);
            },
        )
        .nullable(),
        F::flag("ipv4_max_prefixes_peeringdb_sync", "sync_max4", |s| s.sync.max4, |s, b| s.sync.max4 = b),
        F::import(|s| raw(&s.import), |s, v| s.import = typed(v)),
        F::export(|s| raw(&s.export), |s, v| s.export = typed(v)),
        F::communities(|s| raw(&s.communities), |s, v| s.communities = typed(v)),
        F::made("prefixes", "field", |r, _, loaded, out| match loaded.registered.get(&r.id.get()) {
            Some(known) if known.prefixes4.is_some() || known.prefixes6.is_some() => prefixes(known, out),
            _ => crate::json::null(out),
        }),
        F::flag("retrieve_prefixes", "irr", |s| s.irr.want_prefixes, |s, b| s.irr.want_prefixes = b).unordered(),
        F::made("as_list", "list", |r, _, loaded, out| {
            as_list(r.spec.asn, loaded.registered.get(&r.id.get()), out);
        }),
        F::flag("retrieve_as_list", "irr", |s| s.irr.want_as_list, |s, b| s.irr.want_as_list = b).unordered(),
        F::text(
            "irr_sources_override",
            "",
            255,
            |s| Some(&s.irr.sources),
            |s, t| {
                s.irr.sources = t.unwrap_or_default();
            },
        ),
        F::text(
            "irr_ipv6_prefixes_args_override",
            "",
            255,
            |s| Some(&s.irr.args6),
            |s, t| {
                s.irr.args6 = t.unwrap_or_default();
            },
        ),
        F::text(
            "irr_ipv4_prefixes_args_override",
            "",
            255,
            |s| Some(&s.irr.args4),
            |s, t| {
                s.irr.args4 = t.unwrap_or_default();
            },
        ),
        F::flag("affiliated", "ours", |s| s.ours, |s, b| s.ours = b),
        F::local_context_data(|s| s.context.as_ref(), |s, v| s.context = v),
        F::made("config_context", "field", |r, _, l, out| context(r.id.any(), r.spec.context.as_ref(), l, out)),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};
