//! The beginning of an installation: its operator, its built-in roles, platforms and relationships, its first user and key.

use meetme_base::{Id, Kind, RawId, Secret};
use meetme_model::access::{Form, Grant, Membership, Organization, Role, User};
use meetme_store::{Filter, Object, Resource as _, Tx};

use super::{Giver, Issued, NewKey, create_key, hash_password};
use crate::{App, Error, builtin};

/// What `first` makes.
pub struct First {
    /// The operator's organization.
    pub operator: Object<Organization>,
    /// The first user, with every right.
    pub user: Object<User>,
    /// The user's first key.
    pub key: Issued,
}

/// The built-in roles: name, and what each may do as kinds and verbs. They exist once, owned by the operator.
const BUILT_IN: &[(&str, &[(&str, &str)])] = &[
    ("owner", &[("*", "*")]),
    ("admin", &[("*", "*")]),
    ("read_only", &[("*", "see")]),
    (
        "technical_admin",
        &[
            ("@order", "see order create change remove act"),
            ("@fabric", "see"),
            ("@place", "see"),
            ("@routing", "see diagnose"),
            ("network", "*"),
        ],
    ),
    ("technical_contact", &[("@order", "see"), ("@fabric", "see"), ("@place", "see"), ("@routing", "see diagnose")]),
    ("finance", &[("@order", "see"), ("price", "see"), ("approval", "answer"), ("organization", "see")]),
    ("financial_contact", &[("price", "see"), ("organization", "see")]),
    ("company_admin", &[("@access", "*"), ("organization", "change")]),
    ("billing", &[("price", "*"), ("project", "see"), ("organization", "see")]),
    (
        "collaborator",
        &[
            ("@metal", "*"),
            ("@fabric", "*"),
            ("@routing", "see create change remove"),
            ("ssh_key", "*"),
            ("project", "see change"),
            ("organization", "see"),
            ("user", "see"),
            ("membership", "see"),
        ],
    ),
    ("limited_collaborator", &[("@metal", "see act"), ("@fabric", "see"), ("project", "see")]),
    ("member", &[("*", "see"), ("action", "run")]),
    ("router_agent", &[("equipment", "see act")]),
    // For keys limited to the autonomous system of who asks.
    (
        "peering_requester",
        &[("autonomous_system", "see"), ("peering_request", "see create"), ("requested_session", "see create act")],
    ),
    ("reader", &[("@routing", "see"), ("@ops", "see")]),
];

/// Makes the operator, everything built in, the first user and a key for it. Everything in one transaction.
///
/// # Errors
/// [`Error::Conflict`] when an operator exists already.
pub fn first(
    app: &App,
    tx: &mut Tx<'_>,
    operator: &str,
    username: &str,
    password: &Secret<String>,
) -> Result<First, Error> {
    if tx.exists::<Organization>(&Filter::eq("form", "operator"))? {
        return Err(Error::conflict("set_up", "This installation has its operator already."));
    }
    let organization = Organization { name: operator.to_owned(), form: Form::Operator, ..Organization::default() };
    let operator = tx.create(RawId::new(0), organization)?;
    for (name, rights) in BUILT_IN {
        make_role(tx, operator.id.any(), name, rights)?;
    }
    builtin::make(tx, operator.id.any())?;
    let user = User {
        username: username.to_owned(),
        password: Some(hash_password(password)?),
        superuser: true,
        staff: true,
        active: true,
        ..User::new(username, operator.id)
    };
    let user = tx.create(operator.id.any(), user)?;
    make_owner(tx, user.id, operator.id.any())?;
    let new = NewKey { name: "first".to_owned(), ..NewKey::default() };
    let key = create_key(app, tx, Giver::System, user.id.any(), &new)?;
    Ok(First { operator, user, key })
}

fn make_role(tx: &mut Tx<'_>, operator: RawId, name: &str, rights: &[(&str, &str)]) -> Result<Id<Role>, Error> {
    let grants = rights
        .iter()
        .map(|(kind, verbs)| Grant {
            kinds: vec![(*kind).to_owned()],
            verbs: verbs.split(' ').map(str::to_owned).collect(),
            fields: None,
            filter: None,
        })
        .collect();
    let role = Role { name: name.to_owned(), builtin: true, grants, ..Role::default() };
    Ok(tx.create(operator, role)?.id)
}

/// The id of a built-in role that is younger than some installations: made where it is missing.
pub(crate) fn late_role(tx: &mut Tx<'_>, name: &str) -> Result<Id<Role>, Error> {
    match builtin_role(tx, name) {
        Err(Error::Missing { .. }) => {}
        found => return found,
    }
    let unknown = || Error::missing(Kind::new(Role::KIND.name()), name);
    let (name, rights) = BUILT_IN.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
    tx.as_system(|tx| {
        let operator = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?.ok_or_else(unknown)?;
        make_role(tx, operator.id.any(), name, rights)
    })
}

/// Makes a user the owner of a node that was just made: the caller's rights were worked out before it existed.
///
/// # Errors
/// When the database fails.
pub(crate) fn make_owner(tx: &mut Tx<'_>, user: Id<User>, node: RawId) -> Result<(), Error> {
    tx.as_system(|tx| {
        let owner = builtin_role(tx, "owner")?;
        tx.create(node, Membership { user, scope: node, roles: vec![owner], title: None })?;
        Ok(())
    })
}

/// The id of a built-in role.
///
/// # Errors
/// [`Error::Missing`] before the installation was set up.
pub fn builtin_role(tx: &mut Tx<'_>, name: &str) -> Result<Id<Role>, Error> {
    let filter = Filter::eq("name", name).and(Filter::eq("builtin", true));
    let role = tx.as_system(|tx| tx.one::<Role>(&filter))?;
    role.map(|r| r.id).ok_or_else(|| Error::missing(Kind::new(Role::KIND.name()), name))
}
