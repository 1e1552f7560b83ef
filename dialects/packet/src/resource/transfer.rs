//! Requests to hand a project over to another organization.

use meetme_app::{Error, transfers};
use meetme_base::{Id, Uid};
use meetme_http::ValueKind::Text;
use meetme_model::access::{Organization, Project, Transfer};
use meetme_store::{Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    error::renamed,
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

const ONE: Gives = Gives::One("TransferRequest");

pub fn rows() -> Vec<Row> {
    vec![
        Row::post("create_transfer_request", "/projects/{id}/transfers", ONE, create)
            .takes(&[("target_organization_id", Text)]),
        Row::get(
            "list_organization_transfers",
            "/organizations/{id}/transfers",
            Gives::Pages("transfers", "TransferRequest"),
            list,
        ),
        Row::get("get_transfer", "/transfers/{id}", ONE, get),
        Row::put("accept_transfer", "/transfers/{id}", Gives::Nothing, accept).status(204),
        Row::delete("decline_transfer", "/transfers/{id}", decline),
    ]
}

/// The fields of a request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    created_at: String,
    updated_at: String,
}

impl Shown for Transfer {
    const NAME: &'static str = "TransferRequest";
    const PATH: Option<&'static str> = Some("/transfers");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("project", &[Project::KIND], |t| Some(t.project.any())),
        Relation::<Self>::one("target_organization", &[Organization::KIND], |t| Some(t.to.any())),
    ];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            created_at: at(row.created),
            updated_at: at(row.updated),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn named(work: &Work<'_, '_>) -> Result<Uid, Error> {
    let text = work.param("id")?;
    text.parse().map_err(|()| Error::missing(Transfer::KIND, text))
}

/// Each side sees the other one only as a link, so requests are drawn apart from the caller's rights.
fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let field = "target_organization_id";
    let text = work.ask.input.required(field)?;
    let to: Uid = text.parse().map_err(|()| super::unknown(field, &text))?;
    let made = transfers::ask(work.tx, &work.ask.subject, project, to).map_err(|e| renamed(e, "to", field))?;
    work.apart(made.id)
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization: Id<Organization> = work.id("id")?;
    let filter = transfers::of_organization(work.tx, organization)?;
    work.page_apart::<Transfer>("transfers", &filter, vec![Order::up("id")])
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let uid = named(work)?;
    let row = transfers::find(work.tx, uid)?;
    work.apart(row.id)
}

fn accept(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let uid = named(work)?;
    transfers::accept(work.tx, &work.ask.subject, uid)?;
    Ok(Out::Nothing)
}

fn decline(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let uid = named(work)?;
    transfers::decline(work.tx, uid)?;
    Ok(Out::Nothing)
}
