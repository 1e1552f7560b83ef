//! Connections: our links to internet exchanges.

use meetme_base::{Id, IfAddr, VlanId};
use meetme_model::routing::{Exchange, ExchangeLink, Router};
use meetme_store::{Filter, Object, Resource as _};

use super::{SERVICE, SERVICE_FILTER, admin, context, exchange, interface, raw, router, some, typed};
use crate::{
    json,
    model::{About, Field, How, Model, Need, Sieve, everything},
    query,
    scene::Loaded,
};

type Of = ExchangeLink;
type F = Field<Of>;

/// `Some IX on edge1 ae4.20`, as far as it is known.
fn name(row: &Object<Of>, loaded: &Loaded) -> String {
    let mut name = String::new();
    if let Some(exchange) = row.spec.exchange.and_then(|id| loaded.row(id)) {
        name.push_str(&exchange.spec.name);
    }
    if let Some(router) = row.spec.router.and_then(|id| loaded.row(id)) {
        name.push_str(if name.is_empty() { "" } else { " on " });
        name.push_str(&router.spec.name);
        if !row.spec.interface.is_empty() {
            name.push(' ');
            name.push_str(&row.spec.interface);
        }
    }
    if name.is_empty() { row.spec.title() } else { name }
}

fn address(text: Option<&str>, v4: bool) -> Result<Option<IfAddr>, String> {
    let Some(text) = text else { return Ok(None) };
    let address = interface(text)?;
    if address.ip().is_ipv4() == v4 {
        return Ok(Some(address));
    }
    Err(format!("Enter a valid IPv{} address.", if v4 { 4 } else { 6 }))
}

fn search(text: &str) -> Filter {
    let mut out = query::holds(&["interface", "description", "router.name", "router.hostname"], text);
    if let Ok(ip) = text.parse::<std::net::IpAddr>() {
        out = out.or(Filter::eq("host4", ip)).or(Filter::eq("host6", ip));
    }
    out
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Connection",
        verbose: "connection",
        app: "net",
        path: "connections",
        old: &[],
        number: 10,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "mac_address", "ipv6_address", "ipv4_address"],
        order: &["exchange.name", "router.name"],
        filters: &[
            Sieve::new("status", How::Choice("admin", SERVICE_FILTER)),
            Sieve::new("vlan", How::Number("vlan")),
            Sieve::new("internet_exchange_point_id", How::Row("exchange", Exchange::KIND, "id")),
            Sieve::new("internet_exchange_point", How::Row("exchange", Exchange::KIND, "name")),
            Sieve::new("router_id", How::Row("router", Router::KIND, "id")),
            Sieve::new("router_name", How::Row("router", Router::KIND, "name")),
            Sieve::new("router", How::Row("router", Router::KIND, "hostname")),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
        search,
    },
    needs: &[
        Need { of: &exchange::MODEL, edge: "exchange", get: |s| s.exchange.map(Id::any) },
        Need { of: &router::MODEL, edge: "router", get: |s| s.router.map(Id::any) },
    ],
    display: name,
    fresh: Some(Of::default),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::made("name", "string", |r, _, loaded, out| json::text(out, &name(r, loaded))),
        F::integer(
            "peeringdb_netixlan",
            "pdb_port",
            1,
            i32::MAX as i64,
            |r| r.spec.pdb_port,
            |d, n| {
                d.spec.pdb_port = n;
            },
        )
        .nullable(),
        F::status(SERVICE, |r| Some(r.spec.admin.word()), |d, w| d.spec.admin = admin(w)),
        F::integer(
            "vlan",
            "vlan",
            1,
            4094,
            |r| r.spec.vlan.map(|v| v.get().into()),
            |d, n| {
                d.spec.vlan = n.and_then(|n| VlanId::try_from(n).ok());
            },
        )
        .nullable(),
        F::parsed(
            "mac_address",
            "mac",
            |s| s.mac.map(|mac| mac.to_string()),
            |s, t| {
                s.mac = t.map(|t| t.parse().map_err(|_| "Invalid MAC address.".to_owned())).transpose()?;
                Ok(())
            },
        )
        .nullable(),
        F::parsed(
            "ipv6_address",
            "ip6",
            |s| s.ip6.map(|ip| ip.to_string()),
            |s, t| {
                s.ip6 = address(t, false)?;
                Ok(())
            },
        )
        .nullable(),
        F::parsed(
            "ipv4_address",
            "ip4",
            |s| s.ip4.map(|ip| ip.to_string()),
            |s, t| {
                s.ip4 = address(t, true)?;
                Ok(())
            },
        )
        .nullable(),
        F::one(
            "internet_exchange_point",
            "exchange.name",
            &exchange::MODEL,
            |s| s.exchange.map(Id::any),
            |s, id| s.exchange = id.map(|id| id.of()),
        )
        .required()
        .nullable(),
        F::one(
            "router",
            "router.name",
            &router::MODEL,
            |s| s.router.map(Id::any),
            |s, id| s.router = id.map(|id| id.of()),
        )
        .required()
        .nullable(),
        F::text("interface", "interface", 200, |s| Some(&s.interface), |s, t| s.interface = t.unwrap_or_default()),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::local_context_data(|s| s.context.as_ref(), |s, v| s.context = v),
        F::made("config_context", "field", |r, _, l, out| context(r.id.any(), r.spec.context.as_ref(), l, out)),
        F::comments(|s| Some(&s.comments), |s, t| s.comments = t.unwrap_or_default()),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};
