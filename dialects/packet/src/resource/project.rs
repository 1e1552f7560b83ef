//! Projects.

use meetme_app::{
    Error,
    projects::{self, NewProject},
};
use meetme_base::Id;
use meetme_http::ValueKind::{Boolean, Text};
use meetme_model::{
    access::{Invitation, Membership, Organization, Project, SshKey, User},
    metal::{Device, Volume},
    place::Billing,
    routing::BgpConfig,
};
use meetme_store::{Filter, Object, Op, Order, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    error::renamed,
    ext,
    show::{Relation, Show, Shown, at, referring, rows_referring},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("Project");
const LIST: Gives = Gives::Pages("projects", "Project");
const NEW: Takes = &[
    ("name", Text),
    ("organization_id", Text),
    ("payment_method_id", Text),
    ("customdata", Text),
    ("type", Text),
    ("tags", Text),
];
const CHANGES: Takes = &[
    ("name", Text),
    ("payment_method_id", Text),
    ("backend_transfer_enabled", Boolean),
    ("customdata", Text),
    ("tags", Text),
];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_projects", "/projects", LIST, list).query(&["name"]),
        Row::post("create_project", "/projects", ONE, create).takes(NEW),
        Row::get("get_project", "/projects/{id}", ONE, get),
        Row::put("update_project", "/projects/{id}", ONE, update).takes(CHANGES),
        Row::patch("patch_project", "/projects/{id}", ONE, update).takes(CHANGES),
        Row::delete("delete_project", "/projects/{id}", delete),
        Row::get("get_project_customdata", "/projects/{id}/customdata", Gives::Free, customdata),
        Row::get("list_organization_projects", "/organizations/{id}/projects", LIST, list_of_organization)
            .query(&["name"]),
        Row::post("create_organization_project", "/organizations/{id}/projects", ONE, create_in_organization)
            .takes(NEW),
    ]
}

/// What only this dialect knows of a project.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    customdata: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

/// The fields of a project.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    name: String,
    created_at: String,
    updated_at: String,
    /// How many devices there may be, by plan. There is no limit here but what is free, so it is empty.
    max_devices: Map<String, Value>,
    network_status: Map<String, Value>,
    customdata: Value,
    backend_transfer_enabled: bool,
    #[serde(rename = "type")]
    form: &'static str,
    tags: Vec<String>,
    url: String,
}

impl Shown for Project {
    const NAME: &'static str = "Project";
    const PATH: Option<&'static str> = Some("/projects");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("organization", &[Organization::KIND], |p| Some(p.organization.any())),
        Relation::<Self>::one("payment_method", &[Billing::KIND], |p| p.billing.map(|id| id.any())).or_null(),
        Relation::<Self>::back("members", &[User::KIND], |tx, of| {
            let rows = rows_referring::<_, Membership>(tx, of, "scope")?;
            Ok(rows.into_iter().map(|(node, row)| (node, row.spec.user.any())).collect())
        }),
        Relation::<Self>::back("memberships", &[Membership::KIND], |tx, of| {
            referring::<_, Membership>(tx, of, "scope")
        }),
        Relation::<Self>::back("invitations", &[Invitation::KIND], |tx, of| {
            referring::<_, Invitation>(tx, of, "projects")
        }),
        Relation::<Self>::back("devices", &[Device::KIND], |tx, of| referring::<_, Device>(tx, of, "tenant")),
        Relation::<Self>::back("volumes", &[Volume::KIND], |tx, of| referring::<_, Volume>(tx, of, "tenant")),
        Relation::<Self>::back("ssh_keys", &[SshKey::KIND], |tx, of| referring::<_, SshKey>(tx, of, "owner")),
        Relation::<Self>::back("bgp_config", &[BgpConfig::KIND], |tx, of| referring::<_, BgpConfig>(tx, of, "project"))
            .single()
            .or_null(),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        Ok(objects.iter().map(|row| wire(show, row)).collect())
    }
}

fn wire(show: &Show<'_, '_>, row: &Object<Project>) -> Wire {
    let own: Own = ext::get(&row.spec.ext);
    Wire {
        id: row.uid.to_string(),
        name: row.spec.name.clone(),
        created_at: at(row.created),
        updated_at: at(row.updated),
        max_devices: Map::new(),
        network_status: Map::new(),
        customdata: ext::custom(own.customdata.as_ref()),
        backend_transfer_enabled: row.spec.backend_transfer,
        form: "default",
        tags: own.tags,
        url: show.href::<Project>(row.uid),
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let filter = by_name(work);
    work.page::<Project>("projects", filter, vec![Order::up("id")])
}

fn list_of_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization: Id<Organization> = work.id("id")?;
    let filter = by_name(work).and(Filter::eq("organization", organization));
    work.page::<Project>("projects", filter, vec![Order::up("id")])
}

fn by_name(work: &Work<'_, '_>) -> Filter {
    work.asked("name").map_or(Filter::All, |name| Filter::is("name", Op::ContainsFold(name.to_owned())))
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Project>("id")?))
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization = match work.ask.input.words("organization_id")? {
        Some(text) => Some(work.row::<Organization>(&text)?.id),
        None => None,
    };
    make(work, organization)
}

fn create_in_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization = work.id("id")?;
    make(work, Some(organization))
}

fn make(work: &mut Work<'_, '_>, organization: Option<Id<Organization>>) -> Result<Out, Error> {
    let billing = payment(work)?;
    let input = &work.ask.input;
    let mut new = NewProject { name: input.required("name")?, organization, billing, ..NewProject::default() };
    let own = Own { customdata: input.json("customdata")?, tags: input.texts("tags")?.unwrap_or_default() };
    ext::set(&mut new.ext, &own);
    let made = projects::create(work.tx, &work.ask.subject, &new);
    let made = made.map_err(|e| renamed(e, "billing", "payment_method_id"))?;
    Ok(Out::Fresh(Project::KIND, made.id.any()))
}

/// The way to pay that is named, if one is.
fn payment(work: &mut Work<'_, '_>) -> Result<Option<Id<Billing>>, Error> {
    let field = "payment_method_id";
    let Some(text) = work.ask.input.words(field)? else { return Ok(None) };
    work.row::<Billing>(&text).map(|row| Some(row.id)).map_err(|_| super::unknown(field, &text))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Project> = work.id("id")?;
    let billing = payment(work)?;
    let input = &work.ask.input;
    let (name, transfer) = (input.text("name")?, input.flag("backend_transfer_enabled")?);
    let (data, tags) = (input.json("customdata")?, input.texts("tags")?);
    let changed = projects::change(work.tx, id, |now| {
        if let Some(name) = name {
            now.name = name;
        }
        if let Some(transfer) = transfer {
            now.backend_transfer = transfer;
        }
        now.billing = billing.or(now.billing);
        let mut own: Own = ext::get(&now.ext);
        own.customdata = data.or(own.customdata);
        own.tags = tags.unwrap_or(own.tags);
        ext::set(&mut now.ext, &own);
    });
    Ok(Out::one(&changed.map_err(|e| renamed(e, "billing", "payment_method_id"))?))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    projects::remove(work.tx, id)?;
    Ok(Out::Nothing)
}

fn customdata(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let own: Own = ext::get(&work.named::<Project>("id")?.spec.ext);
    Ok(Out::Json(ext::custom(own.customdata.as_ref())))
}
