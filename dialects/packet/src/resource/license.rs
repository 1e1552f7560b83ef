//! Licences of projects. Their keys are the operator's to enter; until then there is none.

use meetme_app::{Error, licenses};
use meetme_base::Id;
use meetme_http::ValueKind::{Number, Text};
use meetme_model::{access::Project, metal::License, place::Image};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    error::renamed,
    page::Link,
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

const ONE: Gives = Gives::One("License");

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_project_licenses", "/projects/{id}/licenses", Gives::Pages("licenses", "License"), list),
        Row::post("create_license", "/projects/{id}/licenses", ONE, create).takes(&[
            ("description", Text),
            ("size", Number),
            ("licensee_product_id", Text),
        ]),
        Row::get("get_license", "/licenses/{id}", ONE, get),
        Row::put("update_license", "/licenses/{id}", ONE, update).takes(&[("description", Text), ("size", Number)]),
        Row::delete("delete_license", "/licenses/{id}", delete),
    ]
}

/// The fields of a licence.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    description: String,
    /// Empty until there is one, and for those who may not have secrets revealed.
    license_key: String,
    size: f64,
    /// A link that leads nowhere, where no image was named; else the image is related.
    #[serde(skip_serializing_if = "Option::is_none")]
    licensee_product: Option<Link>,
}

impl Shown for License {
    const NAME: &'static str = "License";
    const PATH: Option<&'static str> = Some("/licenses");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("project", &[Project::KIND], |l| Some(l.project.any())),
        Relation::<Self>::one("licensee_product", &[Image::KIND], |l| l.product.map(|id| id.any())),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let mut out = Vec::with_capacity(objects.len());
        for row in objects {
            out.push(Wire {
                id: row.uid.to_string(),
                description: row.spec.description.clone().unwrap_or_default(),
                license_key: licenses::key(show.app, show.tx, row)?.unwrap_or_default(),
                size: row.spec.size.unwrap_or_default(),
                licensee_product: match row.spec.product {
                    Some(_) => None,
                    None => Some(Link { href: format!("#{}", row.uid) }),
                },
            });
        }
        Ok(out)
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    work.page::<License>("licenses", Filter::eq("project", project), vec![Order::up("id")])
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let field = "licensee_product_id";
    let product = match work.ask.input.words(field)? {
        None => None,
        Some(text) => {
            let by_slug = work.tx.one::<Image>(&Filter::eq("slug", text.as_str()))?;
            let row = by_slug.map_or_else(|| work.row::<Image>(&text), Ok);
            Some(row.map_err(|_| super::unknown(field, &text))?.id)
        }
    };
    let (size, description) = (work.ask.input.number("size")?, work.ask.input.words("description")?);
    let made = licenses::ask(work.tx, project, product, size, description);
    Ok(Out::one(&made.map_err(|e| renamed(e, "product", field))?))
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<License>("id")?))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let mut row = work.named::<License>("id")?;
    let (size, description) = (work.ask.input.number("size")?, work.ask.input.text("description")?);
    let spec = License {
        size: size.or(row.spec.size),
        description: description.or_else(|| row.spec.description.clone()),
        ..row.spec.clone()
    };
    work.tx.save(&mut row, spec)?;
    Ok(Out::one(&row))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<License> = work.id("id")?;
    work.tx.remove(id)?;
    Ok(Out::Nothing)
}
