//! Plans: the sizes of machines.

use meetme_app::Error;
use meetme_base::RawId;
use meetme_model::{
    Term,
    access::{Organization, Project},
    place::{Line, Metro, OrderForm, Per, Plan, Price, Site, Specs},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

const LIST: Gives = Gives::List("plans", "Plan");

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_plans", "/plans", LIST, list).query(&["categories", "type", "slug"]),
        Row::get("list_project_plans", "/projects/{id}/plans", LIST, list_of_project),
        Row::get("list_organization_plans", "/organizations/{id}/plans", LIST, list_of_organization),
    ]
}

/// The fields of a plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    slug: String,
    name: String,
    description: String,
    line: &'static str,
    specs: Value,
    pricing: Value,
    legacy: bool,
    class: String,
    #[serde(rename = "type")]
    form: &'static str,
    deployment_types: Vec<&'static str>,
    categories: Vec<String>,
}

impl Shown for Plan {
    const NAME: &'static str = "Plan";
    const PATH: Option<&'static str> = Some("/plans");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::many("available_in", &[Site::KIND], |p| p.sold_at.iter().map(|s| s.any()).collect()),
        Relation::<Self>::back("available_in_metros", &[Metro::KIND], |tx, of| {
            let sites = tx.many(of.iter().flat_map(|p| p.spec.sold_at.iter().copied()))?;
            let mut out: Vec<(RawId, RawId)> = Vec::new();
            for plan in of {
                for site in plan.spec.sold_at.iter().filter_map(|id| sites.get(id)) {
                    let pair = (plan.id.any(), site.spec.metro.any());
                    if !out.contains(&pair) {
                        out.push(pair);
                    }
                }
            }
            Ok(out)
        }),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let prices = show.tx.all::<Price>(Filter::is_in("of", objects.iter().map(|p| p.id)))?;
        let now = show.tx.now();
        let wire = |row: &Object<Self>| {
            let spec = &row.spec;
            let current = prices
                .iter()
                .map(|p| &p.spec)
                .filter(|p| p.of == row.id.any() && p.from <= now && p.until.is_none_or(|until| until > now));
            Wire {
                id: row.uid.to_string(),
                slug: spec.slug.clone(),
                name: spec.name.clone(),
                description: spec.description.clone().unwrap_or_default(),
                line: if spec.line == Line::Volume { "storage" } else { "baremetal" },
                specs: specs(&spec.specs, &spec.features),
                pricing: pricing(current),
                legacy: spec.legacy,
                class: spec.class.clone().unwrap_or_else(|| spec.slug.clone()),
                form: "standard",
                deployment_types: spec.forms.iter().map(|form| form_word(*form)).collect(),
                categories: Vec::new(),
            }
        };
        Ok(objects.iter().map(wire).collect())
    }
}

const fn form_word(form: OrderForm) -> &'static str {
    match form {
        OrderForm::OnDemand => "on_demand",
        OrderForm::Spot => "spot_market",
    }
}

/// What is in it, as clients read it: counts, and sizes with their unit. A plan without a list has no member for it, because one
/// client looks into the first processor of any list there is.
pub fn specs(specs: &Specs, features: &[String]) -> Value {
    let mut out = Map::new();
    let parts = |list: &[meetme_model::place::Part]| -> Value {
        list.iter().map(|p| json!({ "count": p.count, "type": p.model })).collect()
    };
    if !specs.cpus.is_empty() {
        out.insert("cpus".to_owned(), parts(&specs.cpus));
    }
    if specs.memory_mib > 0 {
        out.insert("memory".to_owned(), json!({ "total": format!("{}GB", specs.memory_mib.div_ceil(1024)) }));
    }
    let drives = specs
        .drives
        .iter()
        .map(|d| json!({ "count": d.count, "size": size(d.size_gb), "type": d.form, "category": d.purpose }));
    out.insert("drives".to_owned(), drives.collect());
    if !specs.nics.is_empty() {
        out.insert("nics".to_owned(), parts(&specs.nics));
    }
    let has = features.iter().map(|name| (name.clone(), Value::Bool(true)));
    out.insert("features".to_owned(), Value::Object(has.collect()));
    Value::Object(out)
}

fn size(gigabytes: u64) -> String {
    if gigabytes >= 1000 && gigabytes.is_multiple_of(100) {
        let (whole, tenth) = (gigabytes / 1000, gigabytes % 1000 / 100);
        if tenth == 0 { format!("{whole}TB") } else { format!("{whole}.{tenth}TB") }
    } else {
        format!("{gigabytes}GB")
    }
}

/// Prices without a term, by what they count, in units of their currency.
fn pricing<'p>(prices: impl Iterator<Item = &'p Price>) -> Value {
    let mut out = Map::new();
    for price in prices {
        let usual = match price.per {
            Per::Hour => price.term == Term::Hour,
            Per::Day => price.term == Term::Day,
            _ => true,
        };
        if usual {
            #[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 millionths")]
            out.insert(price.per.word().to_owned(), json!(price.amount.micros as f64 / 1e6));
        }
    }
    Value::Object(out)
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    // Virtual appliances are sold through another door.
    let mut filter = Filter::eq("line", Line::Vm.word()).not();
    if let Some(slug) = work.asked("slug") {
        filter = filter.and(Filter::eq("slug", slug));
    }
    work.every::<Plan>("plans", filter, vec![Order::up("slug")])
}

fn list_of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    work.id::<Project>("id")?;
    list(work)
}

fn list_of_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    work.id::<Organization>("id")?;
    list(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_clients_parse_them() {
        assert_eq!([480, 1000, 3800, 1024].map(size), ["480GB", "1TB", "3.8TB", "1024GB"]);
    }
}
