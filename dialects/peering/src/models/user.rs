//! Users, to be read: who may log in is decided at other doors.

use meetme_model::access::User;
use meetme_store::Resource as _;

use crate::{
    json,
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = User;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "User",
        verbose: "user",
        app: "users",
        path: "users",
        old: &[],
        number: 15,
        kind: Of::KIND,
        brief: &["id", "url", "display", "username"],
        order: &["username"],
        filters: &[
            Sieve::new("username", How::Text("username")),
            Sieve::new("first_name", How::Text("first_name")),
            Sieve::new("last_name", How::Text("last_name")),
            Sieve::new("email", How::Text("email")),
            Sieve::new("is_active", How::Flag("active")),
            Sieve::new("is_staff", How::Flag("staff")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["username", "first_name", "last_name", "email"], text),
    },
    needs: &[],
    display: |row, _| row.spec.username.clone(),
    fresh: None,
    fields: &[
        F::id(),
        F::url(),
        F::display(),
        F::text("username", "username", 150, |s| Some(&s.username), |_, _| {}),
        F::text("first_name", "first_name", 150, |s| Some(&s.first_name), |_, _| {}),
        F::text("last_name", "last_name", 150, |s| Some(&s.last_name), |_, _| {}),
        F::text("email", "email", 254, |s| s.email.as_deref(), |_, _| {}),
        F::flag("is_staff", "staff", |s| s.staff, |_, _| {}),
        F::flag("is_active", "active", |s| s.active, |_, _| {}),
        F::made("date_joined", "datetime", |r, _, _, out| json::moment(out, r.created)),
        F::made("groups", "list", |_, _, _, out| out.extend_from_slice(b"[]")),
    ],
};
