//! Operating systems.

use meetme_app::Error;
use meetme_base::Invalid;
use meetme_model::{
    access::Organization,
    place::{Image, Line, Plan},
};
use meetme_store::{Filter, Object, Op, Order};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

const LIST: Gives = Gives::List("operating_systems", "OperatingSystem");

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_operating_systems", "/operating-systems", LIST, list),
        Row::get("list_operating_system_versions", "/operating-system-versions", Gives::Free, versions),
        Row::get(
            "list_organization_operating_systems",
            "/organizations/{id}/operating-systems",
            LIST,
            list_of_organization,
        ),
    ]
}

/// The fields of an operating system.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    slug: String,
    name: String,
    distro: String,
    distro_label: String,
    version: String,
    provisionable_on: Vec<String>,
    preinstallable: bool,
    licensed: bool,
    pricing: Value,
    default_operating_system: bool,
}

impl Shown for Image {
    const NAME: &'static str = "OperatingSystem";
    const PATH: Option<&'static str> = Some("/operating-systems");
    const RELATIONS: &'static [Relation<Self>] = &[];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let plans = show.tx.all::<Plan>(Filter::eq("line", Line::Server.word()))?;
        let wire = |row: &Object<Self>| {
            let spec = &row.spec;
            let runs = |plan: &&Object<Plan>| spec.plans.is_empty() || spec.plans.contains(&plan.id);
            Wire {
                id: row.uid.to_string(),
                slug: spec.slug.clone(),
                name: spec.name.clone(),
                distro: spec.distro.clone(),
                distro_label: label(&spec.distro),
                version: spec.version.clone(),
                provisionable_on: plans.iter().filter(runs).map(|plan| plan.spec.slug.clone()).collect(),
                preinstallable: spec.preinstall,
                licensed: spec.licensed,
                pricing: json!({}),
                default_operating_system: spec.default,
            }
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn label(distro: &str) -> String {
    let mut letters = distro.chars();
    letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default() + letters.as_str()
}

/// The operating system of this slug or UUID.
///
/// # Errors
/// [`Error::Invalid`], because it is always named in an order.
pub fn find(work: &mut Work<'_, '_>, text: &str) -> Result<Object<Image>, Error> {
    if text.len() == 36
        && let Ok(image) = work.row::<Image>(text)
    {
        return Ok(image);
    }
    let found = work.tx.one::<Image>(&Filter::eq("slug", text).and(Filter::is("distro", Op::Empty(false))))?;
    found.ok_or_else(|| Invalid::reference("operating_system", format!("The operating system {text}")).into())
}

/// Appliances have no distribution.
fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let filter = Filter::is("distro", Op::Empty(false));
    work.every::<Image>("operating_systems", filter, vec![Order::up("slug")])
}

/// The versions there are, each distribution's together, the highest first.
fn versions(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let mut rows = work.tx.all::<Image>(Filter::is("distro", Op::Empty(false)))?;
    rows.sort_by(|a, b| {
        let key = |image: &Image| (image.distro.clone(), std::cmp::Reverse(parts(&image.version)));
        key(&a.spec).cmp(&key(&b.spec)).then_with(|| a.spec.slug.cmp(&b.spec.slug))
    });
    let base = work.ask.base;
    let one = |row: &Object<Image>| {
        json!({
            "id": row.uid.to_string(), "slug": row.spec.slug, "name": row.spec.name, "distro": row.spec.distro,
            "version": row.spec.version,
            "operating_system": { "href": format!("{base}/operating-systems/{}", row.uid) },
        })
    };
    Ok(Out::Json(json!({ "operating_system_versions": rows.iter().map(one).collect::<Vec<Value>>() })))
}

/// A version as numbers, so that 9 comes before 22; what is no number is the lowest.
fn parts(version: &str) -> Vec<u64> {
    version.split(['.', '-', '_']).map(|part| part.parse().unwrap_or(0)).collect()
}

fn list_of_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    work.id::<Organization>("id")?;
    list(work)
}
