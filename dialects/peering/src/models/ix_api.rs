//! Accounts at the interfaces that exchanges offer to their members.

use meetme_app::Error;
use meetme_base::Sealed;
use meetme_model::routing::{IxApi, LONGEST_CREDENTIAL};
use meetme_store::{Filter, Resource as _, Tx, fold};

use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
    scene::Scene,
};

type Of = IxApi;
type F = Field<Of>;

fn fresh() -> Of {
    let none = || Sealed { text: String::new() };
    Of { name: String::new(), url: String::new(), key: none(), secret: none(), identity: String::new() }
}

/// What is sealed, unless nothing was yet.
fn sealed(value: &Sealed) -> Option<&Sealed> {
    Some(value).filter(|sealed| !sealed.text.is_empty())
}

/// The ends of parameters that compare keys.
const ENDS: &[&str] = &["", "n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie"];

/// Compares keys. They are sealed, so the few rows there are are opened and looked at; for whoever may not see keys none matches, or
/// they could be guessed letter by letter.
fn key(tx: &mut Tx<'_>, scene: &Scene, suffix: &str, values: &[&str]) -> Result<Result<Filter, String>, Error> {
    if !tx.may(Of::KIND, "reveal", scene.home)? {
        return Ok(Ok(Filter::Never));
    }
    let mut ids = Vec::new();
    for row in tx.all::<Of>(Filter::All)? {
        let key = scene.app.sealer().open(&row.spec.key)?;
        let (plain, folded) = (key.expose().as_str(), fold(key.expose()));
        let matches = |value: &&str| match suffix.strip_prefix('n').unwrap_or(suffix) {
            "" => plain == *value,
            "ic" => folded.contains(&fold(value)),
            "isw" => folded.starts_with(&fold(value)),
            "iew" => folded.ends_with(&fold(value)),
            _ => folded == fold(value),
        };
        if values.iter().any(matches) {
            ids.push(row.id);
        }
    }
    let found = Filter::is_in("id", ids);
    Ok(Ok(if suffix.starts_with('n') { found.not() } else { found }))
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "IXAPI",
        verbose: "IX-API",
        app: "extras",
        path: "ix-api",
        old: &[],
        number: 48,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name"],
        order: &["name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("api_url", How::Text("url")),
            Sieve::new("api_key", How::Asked(ENDS, key)),
        ],
        aliases: &[],
        read_only: false,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name", "url"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(fresh),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::text("name", "name", 100, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::text("api_url", "url", LONGEST_CREDENTIAL, |s| Some(&s.url), |s, t| s.url = t.unwrap_or_default())
            .label("API URL")
            .required(),
        F::secret("api_key", "", |s| sealed(&s.key), |s, v| s.key = v.unwrap_or_else(|| s.key.clone()))
            .at_most(LONGEST_CREDENTIAL)
            .label("API key")
            .required()
            .never_null(),
        F::secret("api_secret", "", |s| sealed(&s.secret), |s, v| s.secret = v.unwrap_or_else(|| s.secret.clone()))
            .at_most(LONGEST_CREDENTIAL)
            .label("API secret")
            .required()
            .never_null(),
        F::text("identity", "identity", 256, |s| Some(&s.identity), |s, t| s.identity = t.unwrap_or_default())
            .required(),
    ],
};
