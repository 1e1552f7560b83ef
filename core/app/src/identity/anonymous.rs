//! Reading without a credential, where the operator opens one organization's book of peerings to everybody. A looking glass, a public
//! list of peers: that is what it is for.
//!
//! What is open is listed here, kind by kind, so that a new kind is not open until somebody says so: nothing of people, keys and roles,
//! nothing of what is bought, not the log, which names people, and no template, into which people write secrets. Rows below the
//! organization's own node belong to others and stay closed.

use std::{collections::HashMap, sync::Arc};

use meetme_base::{Id, Kind, RawId, Uid};
use meetme_model::{
    access::Organization,
    mirror::{
        PdbCampus, PdbExchange, PdbExchangeFacility, PdbFacility, PdbLan, PdbNetwork, PdbNetworkFacility, PdbOrg,
        PdbPort, PdbPrefix,
    },
    ops::Tag,
    routing::{
        AutonomousSystem, Bfd, Community, DirectSession, Exchange, ExchangeLink, ExchangeSession, PeerGroup, Platform,
        Policy, Relationship, Router,
    },
};
use meetme_store::{Context, Filter, Reach, Resource as _, Scope, Tx};

use super::Door;
use crate::{App, AuthFailure, Caller, Error, Subject};

/// The kinds that are open.
const BOOK: &[Kind] = &[
    AutonomousSystem::KIND,
    Bfd::KIND,
    Community::KIND,
    DirectSession::KIND,
    Exchange::KIND,
    ExchangeLink::KIND,
    ExchangeSession::KIND,
    PdbCampus::KIND,
    PdbExchange::KIND,
    PdbExchangeFacility::KIND,
    PdbFacility::KIND,
    PdbLan::KIND,
    PdbNetwork::KIND,
    PdbNetworkFacility::KIND,
    PdbOrg::KIND,
    PdbPort::KIND,
    PdbPrefix::KIND,
    PeerGroup::KIND,
    Platform::KIND,
    Policy::KIND,
    Relationship::KIND,
    Router::KIND,
    Tag::KIND,
];

/// The caller without a credential, once a book is open.
#[derive(Clone, Debug)]
pub(crate) struct Anonymous {
    subject: Arc<Subject>,
    scope: Arc<OpenBook>,
}

/// The right to see what is open, and no other.
#[derive(Debug)]
struct OpenBook {
    seen: HashMap<Kind, Arc<Filter>>,
    nothing: Arc<Filter>,
}

impl Scope for OpenBook {
    fn rows(&self, kind: Kind, verb: &'static str) -> Arc<Filter> {
        self.seen.get(&kind).filter(|_| verb == "see").unwrap_or(&self.nothing).clone()
    }
}

/// Opens the book of an organization, called by its name or its UUID, to callers without a credential. Which organization it is stays
/// decided until the process ends: a customer who takes the name later opens nothing.
///
/// # Errors
/// [`Error::Missing`] when there is no such organization, [`Error::Conflict`] `ambiguous` when several have the name, or when a book is
/// open already.
pub async fn open_book(app: &App, organization: &str) -> Result<(), Error> {
    let name = organization.to_owned();
    let anonymous = app.store().read::<_, Error, _>(Context::system(), move |tx| find(tx, &name)).await?;
    app.open_to(anonymous)
        .map_err(|_| Error::conflict("book_open", "A book is open to callers without a credential already."))
}

fn find(tx: &mut Tx<'_>, name: &str) -> Result<Anonymous, Error> {
    let home = match name.parse::<Uid>() {
        Ok(uid) => tx.by_uid::<Organization>(uid)?.id,
        Err(()) => match *tx.ids::<Organization>(&Filter::eq("name", name))? {
            [] => return Err(Error::missing(Organization::KIND, name)),
            [one] => one,
            ref many => {
                let text = format!("{} organizations are called {name}; name one by its UUID.", many.len());
                return Err(Error::conflict("ambiguous", text));
            }
        },
    };
    let own = Filter::eq("tenant", home);
    let above: Vec<RawId> = tx.above(home.any())?;
    let mut seen = HashMap::new();
    for kind in BOOK {
        let reach = tx.registry().kind(kind.name()).map(|info| info.reach);
        // Catalogues kept above an organization are open to it, and so to who reads its book.
        let rows = match reach {
            Some(Reach::Shared) => Filter::is_in("tenant", above.iter().copied()),
            _ => own.clone(),
        };
        seen.insert(*kind, Arc::new(rows));
    }
    Ok(Anonymous {
        subject: Arc::new(subject(home)),
        scope: Arc::new(OpenBook { seen, nothing: Arc::new(Filter::Never) }),
    })
}

fn subject(home: Id<Organization>) -> Subject {
    Subject {
        user: None,
        key: None,
        name: "anonymous".to_owned(),
        home,
        project: None,
        read_only: true,
        superuser: false,
        nodes: vec![home.any()],
    }
}

/// The caller of a request that shows no credential and wants to read.
///
/// # Errors
/// [`Error::Unauthenticated`] when no book is open, as is usual.
pub fn anonymous(app: &App, door: Door) -> Result<Caller, Error> {
    let known = app.anonymous().ok_or(Error::Unauthenticated(AuthFailure::Absent))?;
    Ok(Caller::at(door, known.subject.clone(), known.scope.clone()))
}
