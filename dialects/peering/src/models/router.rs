//! Routers. Those that were ordered as a service belong to other dialects.

use meetme_base::Id;
use meetme_model::{
    ops::Publishes,
    routing::{AutonomousSystem, Flavour, Platform, Router, Template},
};
use meetme_store::{Filter, Resource as _};

use super::{
    SERVICE, SERVICE_FILTER, admin, autonomous_system, configuration, context, data_source, number, platform, raw,
    some, typed,
};
use crate::{
    model::{About, Field, How, Model, Sieve},
    query,
};

type Of = Router;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Router",
        verbose: "router",
        app: "devices",
        path: "routers",
        old: &["peering/routers"],
        number: 12,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "hostname"],
        order: &["local", "name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("hostname", How::Text("hostname")),
            Sieve::new("status", How::Choice("admin", SERVICE_FILTER)),
            Sieve::new("encrypt_passwords", How::Flag("encrypt")),
            Sieve::new("platform_id", How::Row("platform", Platform::KIND, "id")),
            Sieve::new("platform", How::Row("platform", Platform::KIND, "name")),
            Sieve::new("configuration_template_id", How::Row("template", Template::KIND, "id")),
            Sieve::new("configuration_template", How::Row("template", Template::KIND, "name")),
            Sieve::new("local_autonomous_system_id", How::Row("local", AutonomousSystem::KIND, "id")),
            Sieve::new("local_autonomous_system_asn", How::Row("local", AutonomousSystem::KIND, "asn")),
            Sieve::new("local_autonomous_system", How::Row("local", AutonomousSystem::KIND, "name")),
        ],
        aliases: &[
            ("hardware_name", "name"),
            ("settings", "napalm_args"),
            ("publishes.source", "data_source"),
            ("publishes.path", "data_path"),
        ],
        read_only: false,
        tagged: true,
        only: || Filter::eq("flavour", Flavour::Hardware.word()),
        search: |text| query::holds(&["name", "hostname", "platform.name"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(Of::default),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::text("name", "name", 128, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::text("hostname", "hostname", 256, |s| Some(&s.hostname), |s, t| s.hostname = t.unwrap_or_default())
            .required(),
        F::one(
            "platform",
            "platform.name",
            &platform::MODEL,
            |s| s.platform.map(Id::any),
            |s, id| s.platform = id.map(|id| id.of()),
        )
        .required(),
        F::status(SERVICE, |r| Some(r.spec.admin.word()), |d, w| d.spec.admin = admin(w)),
        F::flag("encrypt_passwords", "encrypt", |s| s.encrypt, |s, b| s.encrypt = b),
        F::flag("poll_bgp_sessions_state", "poll", |s| s.poll, |s, b| s.poll = b),
        F::moment("poll_bgp_sessions_last_updated", "polled_at", |r| r.status.polled_at, None).observed(),
        F::one(
            "configuration_template",
            "template.name",
            &configuration::MODEL,
            |s| s.template.map(Id::any),
            |s, id| s.template = id.map(|id| id.of()),
        ),
        F::communities(|s| raw(&s.communities), |s, v| s.communities = typed(v)),
        F::one(
            "local_autonomous_system",
            "local.asn",
            &autonomous_system::MODEL,
            |s| s.local.map(Id::any),
            |s, id| s.local = id.map(|id| id.of()),
        )
        .required(),
        F::integer(
            "netbox_device_id",
            "inventory",
            0,
            i32::MAX as i64,
            |r| Some(r.spec.inventory.unwrap_or_default()),
            |d, n| d.spec.inventory = n.filter(|n| *n != 0),
        ),
        F::local_context_data(|s| s.context.as_ref(), |s, v| s.context = v),
        F::made("config_context", "field", |r, _, l, out| context(r.id.any(), r.spec.context.as_ref(), l, out)),
        F::text("napalm_username", "", 256, |s| s.driver.user.as_deref(), |s, t| s.driver.user = some(t))
            .nullable()
            .guarded(),
        F::secret("napalm_password", "", |s| s.driver.password.as_ref(), |s, v| s.driver.password = v),
        F::integer(
            "napalm_timeout",
            "",
            0,
            i32::MAX as i64,
            |r| Some(r.spec.driver.timeout.into()),
            |d, n| {
                d.spec.driver.timeout = number(n);
            },
        ),
        F::json("napalm_args", "", |s| s.driver.args.as_ref(), |s, v| s.driver.args = v).guarded(),
        F::comments(|s| Some(&s.comments), |s, t| s.comments = t.unwrap_or_default()),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::one(
            "data_source",
            "publishes",
            &data_source::MODEL,
            |s| s.publishes.source.map(Id::any),
            |s, id| match id {
                Some(id) => s.publishes.source = Some(id.of()),
                None => s.publishes = Publishes::default(),
            },
        )
        .nullable()
        .unordered()
        .ours(),
        F::text("data_path", "", 1000, |s| Some(&s.publishes.path), |s, t| s.publishes.path = t.unwrap_or_default())
            .ours(),
        F::created(),
        F::updated(),
    ],
};
