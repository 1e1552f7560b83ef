//! Products: finding one by UUID or number, and the tree of a company's products.

use meetme_app::circuits::Whole;
use meetme_app::{Error, allocate, circuits, networks, ports};
use meetme_base::{Id, Kind, RawId};
use meetme_http::{Cx, Op, Problem, QueryParam, Reply};
use meetme_model::{
    LifeStatus, Phase,
    access::Organization,
    fabric::{Circuit, Leg, Network, Port, Shape, Target},
    living,
    routing::{Flavour, Router},
};
use meetme_store::{Filter, Object, Resource as _, Tx};
use serde_json::Value;

use crate::{auth::Acting, envelope, scene::Scene, show, words};

/// For how long what is gone can still be read, in seconds.
const READABLE_SECONDS: i64 = 30 * 24 * 3600;

pub fn ops() -> Vec<Op> {
    vec![
        Op::get("v2.products", "/v2/products")
            .group("products")
            .summary("A company's products, each with the cross connects on it")
            .query(vec![
                QueryParam::text("provisioningStatus"),
                QueryParam::text("filter"),
                QueryParam::text("productUid"),
                QueryParam::boolean("incResources"),
                QueryParam::text("token"),
            ])
            .run(list),
        Op::get("v2.product", "/v2/product/{productUid}").group("products").summary("One product").run(get),
    ]
}

/// A product of any sort.
pub enum Product {
    /// A port.
    Port(Box<Object<Port>>),
    /// An ordered router.
    Router(Box<Object<Router>>),
    /// A network that no router owns.
    Network(Box<Object<Network>>),
    /// A leg, with its circuit.
    Vxc(Box<Whole>, Box<Object<Leg>>),
}

/// The error for a product that is not there.
pub fn missing(name: &str) -> Error {
    Error::missing(Kind::new("product"), name)
}

/// The id behind a UUID or number, whatever it is of.
pub fn resolve(tx: &mut Tx<'_>, text: &str) -> Result<Option<(Kind, RawId)>, Error> {
    if let Ok(number) = text.parse::<i64>() {
        let id = RawId::new(number);
        return Ok(tx.kind_of(id)?.map(|kind| (kind, id)));
    }
    match text.parse() {
        Ok(uid) => Ok(tx.id_of(uid)?),
        Err(()) => Ok(None),
    }
}

/// The product with this UUID or number, if the caller may see it. What went less than 30 days ago is still there.
pub fn find(tx: &mut Tx<'_>, text: &str) -> Result<Product, Error> {
    let Some((kind, id)) = resolve(tx, text)? else { return Err(missing(text)) };
    let product = match kind {
        Port::KIND => tx
            .find(id.of())?
            .filter(|port: &Object<Port>| port.spec.shape == Shape::Physical)
            .map(|port| Product::Port(Box::new(port))),
        Router::KIND => tx
            .find(id.of())?
            .filter(|router: &Object<Router>| router.spec.flavour == Flavour::Cloud)
            .map(|router| Product::Router(Box::new(router))),
        Network::KIND => tx
            .find(id.of())?
            .filter(|network: &Object<Network>| network.spec.router.is_none())
            .map(|network| Product::Network(Box::new(network))),
        Leg::KIND => vxc(tx, id.of())?,
        _ => None,
    };
    let product = product.ok_or_else(|| missing(text))?;
    let life = product.life();
    let forgotten =
        life.phase == Phase::Gone && life.ended_at.is_none_or(|ended| ended.plus_seconds(READABLE_SECONDS) < tx.now());
    if forgotten { Err(missing(text)) } else { Ok(product) }
}

/// Whoever sees a circuit, or owns a port it ends on, sees its legs.
fn vxc(tx: &mut Tx<'_>, id: Id<Leg>) -> Result<Option<Product>, Error> {
    let Some(leg) = tx.as_system(|tx| tx.find(id))? else { return Ok(None) };
    let mut circuit: Option<Object<Circuit>> = tx.find(leg.spec.circuit)?;
    if circuit.is_none() && ends_here(tx, &leg)? {
        circuit = tx.as_system(|tx| tx.find(leg.spec.circuit))?;
    }
    let Some(circuit) = circuit else { return Ok(None) };
    let whole = circuits::wholes(tx, vec![circuit])?.pop();
    Ok(whole.map(|whole| Product::Vxc(Box::new(whole), Box::new(leg))))
}

fn ends_here(tx: &mut Tx<'_>, leg: &Object<Leg>) -> Result<bool, Error> {
    for at in [leg.spec.a.at, leg.spec.z.at] {
        if let Some(Target::Port(id)) = at
            && tx.find(id)?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Product {
    fn life(&self) -> &LifeStatus {
        match self {
            Self::Port(port) => &port.status.life,
            Self::Router(router) => &router.status.life,
            Self::Network(network) => &network.status,
            Self::Vxc(_, leg) => &leg.status.life,
        }
    }

    /// The product as it is shown.
    pub fn show(&self, tx: &mut Tx<'_>, scene: &mut Scene) -> Result<Value, Error> {
        match self {
            Self::Vxc(whole, leg) => show::vxc(tx, scene, whole, leg),
            Self::Port(port) => {
                let list = ports::circuits_on(tx, &[port.id])?;
                let list = circuits::wholes(tx, list)?;
                let vxcs = vxcs_at(tx, scene, &list, Target::Port(port.id))?;
                show::port(tx, scene, port, vxcs)
            }
            Self::Router(router) => {
                let list = of_router(tx, router.id)?;
                let vxcs = all_vxcs(tx, scene, &list)?;
                show::router(tx, scene, router, vxcs)
            }
            Self::Network(network) => {
                let list = circuits::of_network(tx, network.id)?;
                let vxcs = all_vxcs(tx, scene, &list)?;
                show::network(tx, scene, network, &list, vxcs)
            }
        }
    }
}

/// The circuits of the network that an ordered router owns.
fn of_router(tx: &mut Tx<'_>, router: Id<Router>) -> Result<Vec<Whole>, Error> {
    match tx.one::<Network>(&Filter::eq("router", router))? {
        Some(network) => circuits::of_network(tx, network.id),
        None => Ok(Vec::new()),
    }
}

fn all_vxcs(tx: &mut Tx<'_>, scene: &mut Scene, list: &[Whole]) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    for whole in list {
        for leg in &whole.legs {
            out.push(show::vxc(tx, scene, whole, leg)?);
        }
    }
    Ok(out)
}

fn vxcs_at(tx: &mut Tx<'_>, scene: &mut Scene, list: &[Whole], at: Target) -> Result<Vec<Value>, Error> {
    let mut out = Vec::new();
    for whole in list {
        for leg in whole.legs.iter().filter(|leg| leg.spec.a.at == Some(at) || leg.spec.z.at == Some(at)) {
            out.push(show::vxc(tx, scene, whole, leg)?);
        }
    }
    Ok(out)
}

async fn get(cx: Cx) -> Result<Reply, Problem> {
    let wanted = cx.param("productUid").to_owned();
    let product = cx
        .app
        .read(cx.caller(), move |tx| {
            let product = find(tx, &wanted)?;
            product.show(tx, &mut Scene::default())
        })
        .await?;
    Ok(envelope::ok("Found Product", product))
}

async fn list(cx: Cx) -> Result<Reply, Problem> {
    let acting = Acting::of(&cx);
    let split = |name: &str| -> Vec<String> {
        let words = cx.query.all(name).flat_map(|v| v.split(','));
        words.map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect()
    };
    let (statuses, uids) = (split("provisioningStatus"), split("productUid"));
    let products = cx
        .app
        .read(cx.caller(), move |tx| {
            let company = acting.company(tx)?;
            let mut list = of_company(tx, &company)?;
            list.retain(|product| {
                let has = |field: &str, wanted: &[String]| {
                    wanted.is_empty()
                        || product[field]
                            .as_str()
                            .is_some_and(|text| wanted.iter().any(|w| w.eq_ignore_ascii_case(text)))
                };
                has("provisioningStatus", &statuses) && has("productUid", &uids)
            });
            Ok(list)
        })
        .await?;
    Ok(envelope::ok("Found Products", products))
}

/// The living products of a company: its ports, its routers, and its networks as if they were routers.
fn of_company(tx: &mut Tx<'_>, company: &Object<Organization>) -> Result<Vec<Value>, Error> {
    let mut scene = Scene::default();
    let nodes = allocate::nodes_of(tx, company.id.any())?;
    let mut out = Vec::new();
    let own = ports::of_nodes(tx, &nodes)?;
    let ids: Vec<_> = own.iter().map(|port| port.id).collect();
    let on_ports = ports::circuits_on(tx, &ids)?;
    let on_ports = circuits::wholes(tx, on_ports)?;
    for port in &own {
        let vxcs = vxcs_at(tx, &mut scene, &on_ports, Target::Port(port.id))?;
        out.push(show::port(tx, &mut scene, port, vxcs)?);
    }
    let cloud = Filter::eq("flavour", Flavour::Cloud.word()).and(Filter::is_in("tenant", nodes)).and(living());
    for router in tx.all::<Router>(cloud)? {
        out.push(Product::Router(Box::new(router)).show(tx, &mut scene)?);
    }
    if words::shows_networks(&company.spec) {
        for network in networks::of_owner(tx, company.id.any())?.into_iter().filter(|n| n.spec.router.is_none()) {
            out.push(Product::Network(Box::new(network)).show(tx, &mut scene)?);
        }
    }
    Ok(out)
}
