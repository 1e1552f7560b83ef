//! Makes of router software.

use meetme_model::routing::{PasswordForm, Platform};
use meetme_store::Resource as _;

use super::{raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve, Words, everything},
    query,
};

type Of = Platform;
type F = Field<Of>;

const FORMS: Words =
    &[("arista-type7", "Arista Type 7"), ("cisco-type7", "Cisco Type 7"), ("juniper-type9", "Juniper Type 9")];

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Platform",
        verbose: "platform",
        app: "devices",
        path: "platforms",
        old: &[],
        number: 11,
        kind: Of::KIND,
        brief: &["id", "url", "display", "name", "slug"],
        order: &["name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("slug", How::Text("slug")),
            Sieve::new("description", How::Text("description")),
            Sieve::new("napalm_driver", How::Text("driver")),
            Sieve::new(
                "password_algorithm",
                How::Choice(
                    "password_form",
                    &[
                        ("arista-type7", "arista-type7"),
                        ("cisco-type7", "cisco-type7"),
                        ("juniper-type9", "juniper-type9"),
                    ],
                ),
            ),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
        search: |text| query::holds(&["name", "slug", "description", "driver"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(Of::default),
    fields: &[
        F::id(),
        F::url(),
        F::display(),
        F::text("name", "name", 100, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::slug(|s| Some(&s.slug), |s, t| s.slug = t.unwrap_or_default()),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::choice(
            "password_algorithm",
            "password_form",
            FORMS,
            |r| r.spec.password_form.map(PasswordForm::word),
            |d, w| {
                d.spec.password_form = match w {
                    Some("arista-type7") => Some(PasswordForm::AristaType7),
                    Some("cisco-type7") => Some(PasswordForm::CiscoType7),
                    Some("juniper-type9") => Some(PasswordForm::JuniperType9),
                    _ => None,
                };
            },
        ),
        F::text("napalm_driver", "driver", 50, |s| Some(&s.driver), |s, t| s.driver = t.unwrap_or_default()),
        F::json("napalm_args", "args", |s| s.args.as_ref(), |s, v| s.args = v).unordered().guarded(),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};
