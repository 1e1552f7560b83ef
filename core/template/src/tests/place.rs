//! A small place as a tree, and templates rendered over it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use minijinja::Value;
use serde_json::json;

use crate::{Address, Failure, Flags, Key, Limits, Model, Rendering, Rows, Sources, Tree, from_json, render};

#[derive(Debug, Default)]
struct Row {
    id: i64,
    title: String,
    plain: HashMap<&'static str, Value>,
    one: HashMap<&'static str, Option<Key>>,
    many: HashMap<&'static str, (Model, Vec<u32>)>,
}

impl Row {
    fn new(id: i64, title: &str) -> Self {
        Self { id, title: title.into(), ..Self::default() }
    }
    fn plain(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.plain.insert(name, value.into());
        self
    }
    fn address(self, name: &'static str, text: &str) -> Self {
        self.plain(name, Address::parse(text).unwrap().value())
    }
    fn one(mut self, name: &'static str, model: Model, at: u32) -> Self {
        self.one.insert(name, Some(Key::new(model, at)));
        self
    }
    fn nothing(mut self, name: &'static str) -> Self {
        self.one.insert(name, None);
        self
    }
    fn many(mut self, name: &'static str, model: Model, at: &[u32]) -> Self {
        self.many.insert(name, (model, at.to_vec()));
        self
    }
}

/// The place.
#[derive(Debug, Default)]
pub struct Place {
    rows: HashMap<Model, Vec<Row>>,
}

impl Tree for Place {
    fn plain(&self, key: Key, name: &str) -> Option<Value> {
        self.row(key).plain.get(name).cloned()
    }
    fn one(&self, key: Key, name: &str) -> Option<Option<Key>> {
        self.row(key).one.get(name).copied()
    }
    fn many(&self, key: Key, name: &str) -> Option<(Model, Vec<u32>)> {
        self.row(key).many.get(name).cloned()
    }
    fn fields(&self, model: Model) -> &'static [&'static str] {
        match model {
            Model::Connection => &["interface", "ipv4_address", "internet_exchange_point", "tags"],
            _ => &["name", "slug"],
        }
    }
    fn id(&self, key: Key) -> i64 {
        self.row(key).id
    }
    fn title(&self, key: Key) -> String {
        self.row(key).title.clone()
    }
    fn count(&self, model: Model) -> u32 {
        self.rows.get(&model).map_or(0, |rows| rows.len() as u32)
    }
}

use Model::{
    AutonomousSystem as As, Bfd, BgpGroup as Group, Community, Connection as Link, Contact, ContactAssignment,
    DirectPeeringSession as Direct, Facility, InternetExchange as Ix, InternetExchangePeeringSession as Across,
    NetworkIxLan as Presence, Relationship, Router, RoutingPolicy as Policy, Tag,
};

impl Place {
    fn row(&self, key: Key) -> &Row {
        &self.rows[&key.model][key.at as usize]
    }

    fn system(asn: i64, name: &str) -> Row {
        Row::new(asn - 64400, &format!("AS{asn} - {name}"))
            .plain("asn", asn)
            .plain("name", name)
            .plain("ipv4_max_prefixes", 10)
            .plain("ipv6_max_prefixes", 20)
            .plain("irr_as_set", "RIPE::AS-ONE, AS64501:AS-TWO RADB:AS-ONE")
            .many("communities", Community, &[1])
            .many("import_routing_policies", Policy, &[1, 3])
            .many("export_routing_policies", Policy, &[])
            .many("direct_sessions", Direct, &[])
            .many("ixp_sessions", Across, &[])
            .many("tags", Tag, &[0])
    }

    fn session(id: i64, system: u32, ip: &str) -> Row {
        Row::new(id, &format!("session {ip}"))
            .address("ip_address", ip)
            .plain("status", "enabled")
            .plain("is_route_server", false)
            .plain("service_reference", "")
            .one("autonomous_system", As, system)
            .nothing("bfd")
            .many("communities", Community, &[])
            .many("import_routing_policies", Policy, &[])
            .many("export_routing_policies", Policy, &[])
            .many("tags", Tag, &[])
    }

    /// One router at two exchanges and with a group.
    pub fn new() -> Self {
        let policy = |id, slug: &str, weight: i64, family: i64| {
            Row::new(id, slug)
                .plain("name", slug)
                .plain("slug", slug)
                .plain("weight", weight)
                .plain("address_family", family)
        };
        let community = |id, slug: &str, kind: &str| {
            Row::new(id, slug)
                .plain("name", slug)
                .plain("slug", slug)
                .plain("value", format!("64500:{id}"))
                .plain("type", kind)
        };
        let exchange = |id, name: &str, lan: i64| {
            Row::new(id, name)
                .plain("name", name)
                .plain("slug", name.to_lowercase())
                .plain("status", "enabled")
                .plain("peeringdb_ixlan", lan)
                .plain("config_context", from_json(&json!({"region": "eu", "deep": {"mtu": 9000}})))
                .one("local_autonomous_system", As, 3)
                .many("communities", Community, &[2])
                .many("import_routing_policies", Policy, &[0, 1])
                .many("export_routing_policies", Policy, &[])
                .many("tags", Tag, &[])
        };
        let link = |id, ix, four: &str, six: &str| {
            Row::new(id, "link")
                .plain("interface", "xe0")
                .plain("status", "enabled")
                .plain("mac_address", "00:1B:77:49:54:FD")
                .address("ipv4_address", four)
                .address("ipv6_address", six)
                .one("internet_exchange_point", Ix, ix)
                .one("router", Router, 0)
                .many("tags", Tag, &[0])
        };
        let across = |id, system, link, ip: &str| Self::session(id, system, ip).one("ixp_connection", Link, link);
        let mut rows = HashMap::new();
        rows.insert(
            Router,
            vec![
                Row::new(1, "edge1")
                    .plain("name", "edge1")
                    .plain("hostname", "edge1.example.net")
                    .plain("status", "enabled")
                    .many("communities", Community, &[0])
                    .many("connections", Link, &[0, 1])
                    .many("direct_sessions", Direct, &[0])
                    .many("ixp_sessions", Across, &[0, 1, 2])
                    .many("tags", Tag, &[]),
            ],
        );
        rows.insert(
            As,
            vec![
                Self::system(64501, "One")
                    .many("ixp_sessions", Across, &[0, 1])
                    .many("contacts", ContactAssignment, &[0])
                    .many("netixlans", Presence, &[0, 1])
                    .many("facilities", Facility, &[0, 1])
                    .plain("as_list", from_json(&json!([64501, 64511])))
                    .plain(
                        "prefixes",
                        from_json(&json!({"ipv6": [], "ipv4": [{"prefix": "192.0.2.0/24", "exact": true}]})),
                    ),
                Self::system(64502, "Twó").many("ixp_sessions", Across, &[2]),
                Self::system(64503, "Three").many("direct_sessions", Direct, &[0]),
                Self::system(64500, "Us").many("facilities", Facility, &[1]),
            ],
        );
        rows.insert(
            Group,
            vec![
                Row::new(1, "Transit")
                    .plain("name", "Transit")
                    .plain("slug", "transit")
                    .plain("status", "maintenance")
                    .many("communities", Community, &[])
                    .many("import_routing_policies", Policy, &[2])
                    .many("export_routing_policies", Policy, &[2])
                    .many("direct_sessions", Direct, &[0]),
            ],
        );
        rows.insert(
            Ix,
            vec![
                exchange(1, "Alpha", 100).many("connections", Link, &[0]).many("ixp_sessions", Across, &[0, 1]),
                exchange(2, "Beta", 200).plain("status", "disabled").many("connections", Link, &[1]).many(
                    "ixp_sessions",
                    Across,
                    &[2],
                ),
            ],
        );
        rows.insert(
            Link,
            vec![link(1, 0, "192.0.2.1/24", "2001:db8::1/64"), link(2, 1, "198.51.100.1/24", "2001:db8:1::1/64")],
        );
        rows.insert(
            Across,
            vec![
                across(11, 0, 0, "192.0.2.11").many("import_routing_policies", Policy, &[2, 3]),
                across(12, 0, 0, "2001:db8::11").plain("is_route_server", true).plain("status", "disabled"),
                across(13, 1, 1, "198.51.100.12"),
            ],
        );
        rows.insert(
            Direct,
            vec![
                Self::session(21, 2, "203.0.113.2/30")
                    .address("local_ip_address", "203.0.113.1/30")
                    .plain("encrypted_password", "7 0822455D0A16")
                    .one("local_autonomous_system", As, 3)
                    .one("bgp_group", Group, 0)
                    .one("router", Router, 0)
                    .one("relationship", Relationship, 0)
                    .one("bfd", Bfd, 0),
            ],
        );
        rows.insert(
            Policy,
            vec![policy(1, "any", 5, 0), policy(2, "four", 9, 4), policy(3, "group", 0, 0), policy(4, "six", 1, 6)],
        );
        rows.insert(
            Community,
            vec![community(1, "blue", "ingress"), community(2, "green", "egress"), community(3, "red", "ingress")],
        );
        rows.insert(Tag, vec![Row::new(1, "Core").plain("name", "Core").plain("slug", "core")]);
        rows.insert(
            Relationship,
            vec![Row::new(1, "Transit").plain("name", "Transit").plain("slug", "transit-provider")],
        );
        rows.insert(Bfd, vec![Row::new(1, "fast").plain("name", "fast")]);
        rows.insert(ContactAssignment, vec![Row::new(1, "").plain("role", "Technical").one("contact", Contact, 0)]);
        rows.insert(Contact, vec![Row::new(1, "NOC").plain("name", "NOC").plain("email", "noc@example.net")]);
        let presence = |id, lan: i64, four: &str| Row::new(id, four).plain("ixlan_id", lan).address("ipaddr4", four);
        rows.insert(Presence, vec![presence(1, 100, "192.0.2.11"), presence(2, 200, "198.51.100.99")]);
        rows.insert(Facility, vec![Row::new(1, "East"), Row::new(2, "West")]);
        Self { rows }
    }

    /// A template over the place.
    pub fn render_with(&self, template: &str, flags: Flags) -> Result<String, Failure> {
        self.rendered(template, flags, Limits::default())
    }

    pub fn rendered(&self, template: &str, flags: Flags, limits: Limits) -> Result<String, Failure> {
        let tree: Arc<dyn Tree> = Arc::new(Self::new());
        let key = |model, at| crate::Entity::value(&tree, Key::new(model, at));
        let variables = BTreeMap::from([
            ("router", key(Router, 0)),
            ("local_as", key(As, 3)),
            ("autonomous_systems", Rows::value(&tree, As, vec![0, 1, 2])),
            ("bgp_groups", Rows::all(&tree, Group)),
            ("internet_exchange_points", Rows::all(&tree, Ix)),
            ("communities", Rows::all(&tree, Community)),
            ("routing_policies", Rows::all(&tree, Policy)),
        ]);
        let mut sources = Sources::default();
        sources.add("configuration", 7, "Head", "head of {{ router.name }}");
        sources.add("configuration", 8, "Bad", "\n\n{{ router | nosuch }}");
        sources.add("configuration", 9, "Self", "{% include_configuration 'Self' %}");
        sources.add_export("List", Ok("{{ not a template }}".into()));
        let what = Rendering {
            text: template,
            flags,
            limits,
            sources: &Arc::new(sources),
            now: 1_795_339_800_000,
            zone: "UTC",
        };
        render(&what, &variables)
    }
}

/// The text of a template over the place.
#[track_caller]
pub fn text(place: &Place, template: &str) -> String {
    place.render_with(template, Flags::default()).unwrap()
}

/// The failure of a template over the place.
#[track_caller]
pub fn failure(place: &Place, template: &str) -> String {
    place.render_with(template, Flags::default()).unwrap_err().to_string()
}
