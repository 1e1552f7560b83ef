//! Organizations.

use meetme_app::{Error, organizations};
use meetme_base::Id;
use meetme_http::ValueKind::Text;
use meetme_model::{
    Ext,
    access::{Membership, Organization, Project, User},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    ext,
    show::{Relation, Show, Shown, at, referring, rows_referring},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("Organization");
const INPUTS: Takes = &[
    ("name", Text),
    ("description", Text),
    ("website", Text),
    ("twitter", Text),
    ("logo", Text),
    ("address", Text),
    ("billing_address", Text),
    ("customdata", Text),
    ("enforce_2fa_at", Text),
];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_organizations", "/organizations", Gives::Pages("organizations", "Organization"), list)
            .query(&["personal", "without_projects"]),
        Row::post("create_organization", "/organizations", ONE, create).takes(INPUTS),
        Row::get("get_organization", "/organizations/{id}", ONE, get),
        Row::put("update_organization", "/organizations/{id}", ONE, update).takes(INPUTS),
        Row::patch("patch_organization", "/organizations/{id}", ONE, update).takes(INPUTS),
        Row::delete("delete_organization", "/organizations/{id}", delete),
        Row::get("get_organization_customdata", "/organizations/{id}/customdata", Gives::Free, customdata),
    ]
}

/// What only this dialect knows of an organization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    twitter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customdata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enforce_2fa_at: Option<String>,
}

/// The fields of an organization.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    short_id: String,
    name: String,
    description: Option<String>,
    website: Option<String>,
    twitter: Option<String>,
    logo: Option<String>,
    created_at: String,
    updated_at: String,
    personal: bool,
    main_phone: Option<String>,
    billing_phone: Option<String>,
    maintenance_email: Option<String>,
    abuse_email: Option<String>,
    tax_id: Option<String>,
    logo_thumb: Option<String>,
    address: Option<Value>,
    billing_address: Option<Value>,
    /// What may be ordered. There is no limit here but what is free, so all quotas are empty.
    entitlement: Value,
    terms: u32,
    credit_amount: f64,
    customdata: Value,
    enforce_2fa_at: Option<String>,
}

impl Shown for Organization {
    const NAME: &'static str = "Organization";
    const PATH: Option<&'static str> = Some("/organizations");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::back("projects", &[Project::KIND], |tx, of| referring::<_, Project>(tx, of, "organization")),
        Relation::<Self>::back("memberships", &[Membership::KIND], |tx, of| {
            referring::<_, Membership>(tx, of, "scope")
        }),
        Relation::<Self>::back("members", &[User::KIND], |tx, of| {
            let rows = rows_referring::<_, Membership>(tx, of, "scope")?;
            Ok(rows.into_iter().map(|(node, row)| (node, row.spec.user.any())).collect())
        }),
    ];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        Ok(objects.iter().map(wire).collect())
    }
}

fn wire(row: &Object<Organization>) -> Wire {
    let (spec, own) = (&row.spec, ext::get::<Own>(&row.spec.ext));
    Wire {
        id: row.uid.to_string(),
        short_id: row.uid.short(),
        name: spec.name.clone(),
        description: spec.description.clone(),
        website: spec.web.clone(),
        twitter: own.twitter,
        logo: own.logo,
        created_at: at(row.created),
        updated_at: at(row.updated),
        personal: spec.personal,
        main_phone: spec.phone.clone(),
        billing_phone: None,
        maintenance_email: None,
        abuse_email: None,
        tax_id: None,
        logo_thumb: None,
        address: own.address,
        billing_address: own.billing_address,
        entitlement: json!({
            "id": row.uid, "href": format!("#{}", row.uid), "slug": "unlimited", "name": "Unlimited",
            "description": "Whatever is free may be ordered.", "weight": 0, "instance_quota": {}, "project_quota": 0,
            "volume_quota": {}, "ip_quota": {}, "feature_access": {},
        }),
        terms: 0,
        credit_amount: 0.0,
        customdata: ext::custom(own.customdata.as_ref()),
        enforce_2fa_at: own.enforce_2fa_at,
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let mut filter = Filter::All;
    if let Some(personal) = work.ask.input.flag("personal")? {
        filter = filter.and(Filter::eq("personal", personal));
    }
    work.page::<Organization>("organizations", filter, vec![Order::up("name")])
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Organization>("id")?))
}

/// New organizations come below the caller's own: a provider is above its customers, and whoever makes one is its provider.
fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let mut new = Organization { name: work.ask.input.required("name")?, ..Organization::default() };
    read(work, &mut new)?;
    let subject = &work.ask.subject;
    let made = organizations::create(work.tx, subject.home, subject.user, &new)?;
    Ok(Out::Fresh(Organization::KIND, made.id.any()))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Organization> = work.id("id")?;
    let mut spec = work.tx.get(id)?.spec;
    read(work, &mut spec)?;
    Ok(Out::one(&organizations::change(work.tx, id, |now| *now = spec)?))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    organizations::remove(work.tx, id)?;
    Ok(Out::Nothing)
}

fn customdata(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let own: Own = ext::get(&work.named::<Organization>("id")?.spec.ext);
    Ok(Out::Json(ext::custom(own.customdata.as_ref())))
}

/// Puts what was sent into a spec; what was not sent stays.
fn read(work: &Work<'_, '_>, spec: &mut Organization) -> Result<(), Error> {
    let input = &work.ask.input;
    if let Some(name) = input.text("name")? {
        spec.name = name;
    }
    if let Some(text) = input.text("description")? {
        spec.description = Some(text);
    }
    if let Some(text) = input.text("website")? {
        spec.web = Some(text);
    }
    let mut own: Own = ext::get(&spec.ext);
    for (name, slot) in
        [("twitter", &mut own.twitter), ("logo", &mut own.logo), ("enforce_2fa_at", &mut own.enforce_2fa_at)]
    {
        if let Some(text) = input.words(name)? {
            *slot = Some(text);
        }
    }
    for (name, slot) in [
        ("address", &mut own.address),
        ("billing_address", &mut own.billing_address),
        ("customdata", &mut own.customdata),
    ] {
        if let Some(value) = input.json(name)? {
            *slot = Some(value);
        }
    }
    let mut kept: Ext = spec.ext.clone();
    ext::set(&mut kept, &own);
    spec.ext = kept;
    Ok(())
}
